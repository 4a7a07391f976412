/** Qwen-Image, Wan and Z-Image of Alibaba Cloud Model Studio (DashScope). */

import { ExchangeError } from '../../outgoing/failure.ts'
import { authorization, readAnswer, withReferences } from '../exchange.ts'
import { text } from '../json.ts'
import type { Learned, Provider, RawAnswer } from '../provider.ts'
import { check } from './check.ts'
import { isSuccess, maxAnswerBytes, parseOutput, paths, withOwnId } from './exchange.ts'
import { guide } from './guide.ts'
import { models, platformAt, platforms, priceListAt, type Route, unlisted } from './models.ts'
import { parse } from './parse.ts'
import { plan } from './plan.ts'
import { cancel, findTasks, isOwnTask, maxPollsPerSecond, poll } from './tasks.ts'

export const qwen: Provider = {
  id: 'qwen',
  name: 'Qwen (DashScope)',
  defaultBaseUrl: 'https://dashscope.aliyuncs.com/api/v1',
  environmentPrefix: 'QWEN',
  otherKeyVariable: 'DASHSCOPE_API_KEY',
  guide,
  models,
  unlisted,
  platformAt,
  platforms,
  priceListAt,
  plan,
  parse,
  check,
  poll,
  maxPollsPerSecond,
  cancel,
  findTasks,
  isOwnTask,

  addressOf: (route, baseUrl) => `${baseUrl}${paths[route as Route]}`,

  async *send(call, context): AsyncGenerator<Learned> {
    const route = call.route as Route
    const isTask = route !== 'MM'
    const body = JSON.stringify(await withReferences(call.body, context))
    let answer: RawAnswer
    try {
      const response = await context.http.request({
        method: 'POST',
        url: qwen.addressOf(route, context.baseUrl),
        headers: {
          authorization: authorization(context.apiKey),
          accept: 'application/json',
          'content-type': 'application/json',
          ...(isTask ? { 'x-dashscope-async': 'enable' } : {}),
        },
        body,
        signal: context.signal,
        headersTimeoutMs: call.timeoutMs,
        idleTimeoutMs: Math.min(call.timeoutMs, 60_000),
      })
      answer = withOwnId(await readAnswer(response, maxAnswerBytes))
    } catch (error) {
      // The task may already be named in what came before the connection broke.
      const taskId = isTask && error instanceof ExchangeError && /"task_id"\s*:\s*"([^"\\]+)"/.exec(error.partial)?.[1]
      if (taskId) yield { type: 'task', taskId }
      // What came without an id is worth nothing; without it the task is looked for in the list.
      else throw isTask && error instanceof ExchangeError ? new ExchangeError(error.failure, { cause: error }) : error
      return
    }
    const taskId = isTask && isSuccess(answer) ? text(parseOutput(answer)?.task_id) : undefined
    if (taskId === undefined) yield { type: 'answer', answer }
    else yield { type: 'task', taskId, requestId: answer.requestId }
  },
}
