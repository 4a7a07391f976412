/** Tools that make pictures, and may cost money. */
import type { McpServer, ToolAnnotations } from '@modelcontextprotocol/server'
import type { FindConnection } from '../connection.ts'
import { answering } from '../errors.ts'
import type { MakeOptions } from '../operations.ts'
import { argumentsOf, EditArguments, GenerateArguments, GenerationAnswer, making, RetryArguments } from '../schemas.ts'
import { make, makeOrder, modelThatEdits } from './making.ts'

const makes: ToolAnnotations = {
  readOnlyHint: false,
  destructiveHint: false,
  idempotentHint: false,
  openWorldHint: true,
}

export function addMakingTools(server: McpServer, findConnection: FindConnection) {
  server.registerTool(
    'generate_image',
    {
      title: 'Generate images',
      description:
        'Makes pictures from a prompt, and from reference pictures where the model takes them. Costs money for each picture. Answers with previews, links to the originals and the cost; takes some seconds to minutes. For several pictures of one prompt use n; an equal call while the first one runs joins it and makes nothing new. Only prompt is required.',
      inputSchema: argumentsOf({ ...GenerateArguments, ...making }),
      outputSchema: GenerationAnswer,
      annotations: makes,
    },
    ({ idempotency_key, wait_seconds, thumbnails, ...order }, context) =>
      answering(async () => {
        const connection = findConnection(context)
        return makeOrder(connection, context, order, { idempotency_key, wait_seconds, thumbnails })
      }),
  )

  server.registerTool(
    'edit_image',
    {
      title: 'Edit an image',
      description:
        'Changes an existing picture as the prompt says, and stores the result as a new picture; the old one stays. Costs money. Give the picture as image: mostly the id of an earlier result. Without model it takes one that can edit.',
      inputSchema: argumentsOf({ ...EditArguments, ...making }),
      outputSchema: GenerationAnswer,
      annotations: makes,
    },
    ({ idempotency_key, wait_seconds, thumbnails, image, references = [], model, ...order }, context) =>
      answering(async () => {
        const connection = findConnection(context)
        const chosen = model ?? (await modelThatEdits(connection.operations, { hasMask: order.mask !== undefined }))
        const edit = { ...order, model: chosen, references: [image, ...references] }
        return makeOrder(connection, context, edit, { idempotency_key, wait_seconds, thumbnails })
      }),
  )

  server.registerTool(
    'retry_missing',
    {
      title: 'Make missing images again',
      description:
        'Makes only the pictures that an ended generation is missing, as a new generation. Costs money again: ask the user first. Pictures that are there are not made again.',
      inputSchema: argumentsOf(RetryArguments),
      outputSchema: GenerationAnswer,
      annotations: makes,
    },
    ({ generation_id: id, ...options }, context) =>
      answering(async () => {
        const connection = findConnection(context)
        const { operations } = connection
        const send = (given: MakeOptions) => operations.retry(id, 'missing', given)
        return make(connection, context, { retry_of: id }, send, options)
      }),
  )
}
