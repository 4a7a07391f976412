/** Errors as clients see them: RFC 9457 problem documents with one stable word each. */
import { z } from 'zod'
import { Advice, Values } from './generations.ts'

/** How a generation that was sent may end. */
export const endProblemCodes = [
  'content_rejected',
  'provider_rejected',
  'provider_key_rejected',
  'provider_access_denied',
  'provider_quota_exhausted',
  'rate_limited',
  'provider_unavailable',
  'provider_timeout',
  'outcome_unknown',
  'cancelled',
  'storage_failed',
] as const

/** Every word that `code` can be. A word is never renamed and never gets another meaning. */
export const problemCodes = [
  // What was asked for.
  'invalid_json',
  'bad_request',
  'unauthorized',
  'forbidden',
  'read_only',
  'not_allowed',
  'budget_exceeded',
  'not_found',
  'method_not_allowed',
  'request_timeout',
  'conflict',
  'gone',
  'too_large',
  'uri_too_long',
  'unsupported_media_type',
  'range_not_satisfiable',
  'invalid_request',
  'idempotency_mismatch',
  'too_many_requests',
  'headers_too_large',
  'shutting_down',
  'not_ready',
  'internal_error',
  'configuration_missing',
  ...endProblemCodes,
] as const

export type ProblemCode = (typeof problemCodes)[number]

const ProblemFault = z
  .object({
    path: z.string().describe('Where, with dots: `parameters.n`. Empty for the whole body.'),
    message: z.string().describe('A sentence that says what to do.'),
    code: z.string().optional().describe('Of the rule of a model that is broken: one of those of docs/api.md.'),
    values: Values.optional().describe('What changes in a sentence about that rule, such as `max`.'),
  })
  .meta({ id: 'ProblemFault' })

const Shortage = z
  .object({
    scope: z.enum(['token', 'user', 'configuration', 'session', 'all']).describe('Whose cap it is.'),
    left: z.object({ amount: z.number(), currency: z.string() }).optional().describe('Of a cap in money.'),
    left_images: z.int().optional().describe('Of a cap in pictures.'),
    variable: z
      .string()
      .optional()
      .describe('The variable of the server that holds the cap; left out where an administrator can raise it.'),
    renews_at: z.string().optional().describe('Left out for a session, whose cap never does.'),
  })
  .meta({ id: 'Shortage' })

export const Problem = z
  .object({
    type: z.string().describe('A URI that names the kind of problem.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('A sentence that says what to do.'),
    code: z.enum(problemCodes),
    request_id: z.string().describe('As in the header `x-request-id`; names the lines of the log.'),
    errors: z.array(ProblemFault).optional().describe('Every violation in the input.'),
    generation_id: z.string().optional().describe('The record of the generation, at `/api/history/{id}`.'),
    charge: z
      .enum(['none', 'charged', 'unknown'])
      .optional()
      .describe('What is known about the charge of that generation.'),
    advice: Advice.optional().describe('With the charge `unknown`: what to do.'),
    budget: Shortage.optional().describe('With `budget_exceeded`: what is left.'),
    provider_code: z.string().optional(),
    provider_message: z.string().optional(),
    provider_request_id: z.string().optional(),
    reason_code: z.string().optional().describe('As in the `error` of the generation.'),
    reason_values: Values.optional(),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem document.' })

export type Problem = z.infer<typeof Problem>
