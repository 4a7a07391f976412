/** Errors as clients of the OpenAI API read them. */
import { z } from 'zod'
import { Advice } from '../generations.ts'

export const V1Error = z
  .object({
    error: z.object({
      message: z.string().describe('A sentence that says what to do.'),
      type: z.string().describe('Such as `invalid_request_error`.'),
      param: z.string().nullable().describe('The member of the request that is at fault.'),
      code: z.string().nullable().describe('A stable word.'),
      request_id: z.string().describe('As in the header `x-request-id`.'),
      generation_id: z.string().optional().describe('The record of the generation in the history.'),
      charge: z
        .enum(['none', 'charged', 'unknown'])
        .optional()
        .describe('What is known about the charge of that generation.'),
      advice: Advice.optional().describe('With the charge `unknown`: what to do.'),
      provider_code: z.string().optional(),
      provider_message: z.string().optional(),
      provider_request_id: z.string().optional(),
    }),
  })
  .meta({ id: 'V1Error', description: 'An error in the shape of the OpenAI API.' })

export type V1Error = z.infer<typeof V1Error>
