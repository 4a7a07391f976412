/** Tools that cost nothing: models, estimates, the history, a cancel. */
import type { McpServer, ToolAnnotations } from '@modelcontextprotocol/server'
import { hasEnded } from '../../client/client.ts'
import { answerGeneration } from '../answers.ts'
import type { FindConnection } from '../connection.ts'
import { answering } from '../errors.ts'
import {
  argumentsOf,
  CancelAnswer,
  EstimateAnswer,
  GenerateArguments,
  GenerationAnswer,
  GetArguments,
  ModelArguments,
  ModelsAnswer,
  OneGeneration,
  SearchAnswer,
  SearchArguments,
} from '../schemas.ts'
import { noteDelivered, toBody, wait } from './making.ts'
import { describeModels, listModels } from './models.ts'
import { describeFound, searchHistory } from './search.ts'

const reads: ToolAnnotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
}

export function addReadingTools(server: McpServer, findConnection: FindConnection) {
  server.registerTool(
    'list_models',
    {
      title: 'List image models',
      description:
        'The image models that this server can use, the usual one first: sizes, most pictures at once, references, price of a picture, and further parameters. Costs nothing. Call it before naming a model or a size.',
      inputSchema: argumentsOf(ModelArguments),
      outputSchema: ModelsAnswer,
      annotations: reads,
    },
    (given, context) =>
      answering(async () => {
        const answer = { models: await listModels(findConnection(context).operations, given) }
        return {
          content: [{ type: 'text', text: describeModels(answer.models, given.model) }],
          structuredContent: answer,
        }
      }),
  )

  server.registerTool(
    'estimate',
    {
      title: 'Estimate the cost of pictures',
      description:
        'What generate_image with the same arguments would make and cost; for edit_image put the picture into references. Makes nothing and costs nothing. Also tells whether the arguments fit the model.',
      inputSchema: argumentsOf(GenerateArguments),
      outputSchema: EstimateAnswer,
      annotations: reads,
    },
    (given, context) =>
      answering(async () => {
        const { operations } = findConnection(context)
        const { model, images, calls, cost, reasons, warnings } = await operations.estimate(
          await toBody(given, operations),
        )
        const left = (await operations.left()) ?? null
        const price = !cost
          ? 'no price is known'
          : `${cost.min === cost.max ? cost.max : `${cost.min} to ${cost.max}`} ${cost.currency}`
        const text = [
          `${images} ${images === 1 ? 'picture' : 'pictures'} with ${model} in ${calls} paid ${calls === 1 ? 'request' : 'requests'}: ${price}.`,
          ...reasons,
          ...warnings.map(({ message }) => `Note: ${message}`),
          ...(left ? [`Left in this session: ${left.amount} ${left.currency}.`] : []),
        ]
        return {
          content: [{ type: 'text', text: text.join('\n') }],
          structuredContent: {
            model,
            images,
            paid_requests: calls,
            cost,
            reasons,
            warnings: warnings.map(({ message }) => message),
            session_left: left,
          },
        }
      }),
  )

  server.registerTool(
    'search_history',
    {
      title: 'Search earlier pictures',
      description:
        'Earlier generations, newest first, with the ids of their pictures. Finds words in prompts and tags, Chinese as well. Costs nothing.',
      inputSchema: argumentsOf(SearchArguments),
      outputSchema: SearchAnswer,
      annotations: reads,
    },
    (given, context) =>
      answering(async () => {
        const found = await searchHistory(findConnection(context).operations, given)
        return { content: [{ type: 'text', text: describeFound(found) }], structuredContent: found }
      }),
  )

  server.registerTool(
    'get_generation',
    {
      title: 'Get a generation and its pictures',
      description:
        'One generation with its pictures, previews, cost and state. With wait_seconds it waits for the end of one that is still running. Costs nothing.',
      inputSchema: argumentsOf(GetArguments),
      outputSchema: GenerationAnswer,
      annotations: reads,
    },
    ({ generation_id: id, wait_seconds: seconds = 0, thumbnails }, context) =>
      answering(async () => {
        const connection = findConnection(context)
        const found = await connection.operations.find(id)
        const newest = await wait(connection, context, found, seconds, { mayCancel: false })
        const answer = await answerGeneration(newest, connection, { thumbnails })
        await noteDelivered(connection, context, newest)
        return answer
      }),
  )

  server.registerTool(
    'cancel_generation',
    {
      title: 'Cancel a running generation',
      description:
        'Stops what was not sent to the service yet. Pictures that the service already makes are still charged, and are kept. Says which of the two it was.',
      inputSchema: argumentsOf(OneGeneration),
      outputSchema: CancelAnswer,
      annotations: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: true },
    },
    ({ generation_id: id }, context) =>
      answering(async () => {
        const { operations } = findConnection(context)
        const before = await operations.find(id)
        // A second cancel of the same one finds what the first one did.
        const after = hasEnded(before) || before.cancel_requested ? before : await operations.cancel(id)
        const saves = hasEnded(before) ? 'nothing' : (before.cancel_saves ?? 'perhaps')
        const message = hasEnded(before) ? `It had ended already (${before.status}).` : savings[saves]
        return {
          content: [{ type: 'text', text: `${message} get_generation with generation_id "${id}" tells how it ends.` }],
          structuredContent: { generation_id: id, status: after.status, saves, message },
        }
      }),
  )
}

const savings = {
  all: 'Cancelled before anything was sent: nothing is charged.',
  some: 'What was not sent is dropped; what was sent is being made, is charged, and will be kept.',
  perhaps: 'The service was asked to drop it; if it had begun already, it is charged and will be kept.',
  nothing: 'Everything was sent already: it is being made, is charged, and will be kept.',
}
