/** People who log in at an issuer of OpenID Connect. */
import { z } from 'zod'
import { Money, MonthlyCap, MonthlyImages } from './caps.ts'
import { ModelIds, Role } from './tokens.ts'

export const User = z
  .object({
    id: z.string(),
    name: z.string(),
    email: z.string().nullable(),
    issuer: z.string().describe('Where the user logs in.'),
    role: Role.nullable().describe('As of the last login; null: the issuer gives no role that is let in here.'),
    state: z
      .enum(['active', 'disabled', 'not_let_in'])
      .describe('Only an active user has access, in sessions and with tokens.'),
    monthly_cap: MonthlyCap.nullable().describe('For sessions and all tokens of the user together.'),
    monthly_images: MonthlyImages.nullable(),
    models: z.array(z.string()).nullable().describe('Ids of the models that the user may use; null: all.'),
    month: z
      .object({
        images: z.int(),
        calls: z.int().describe('Paid requests.'),
        amounts: z.array(Money).describe('What is running counts with its highest possible cost.'),
        unknown: z.int().describe('Generations that may have been billed, or for an unknown amount.'),
      })
      .describe('What was made and spent in this calendar month (UTC).'),
    tokens: z.int().describe('How many tokens the user has.'),
    first_seen_at: z.string(),
    last_seen_at: z.string().describe('To the nearest few minutes.'),
  })
  .meta({ id: 'User' })

export type User = z.infer<typeof User>

export const UserList = z.object({ items: z.array(User) }).meta({ id: 'UserList' })

export const UserChange = z
  .strictObject({
    monthly_cap: MonthlyCap.nullable().optional(),
    monthly_images: MonthlyImages.nullable().optional(),
    models: ModelIds.describe('Ids of the models that the user may use; null: all.'),
    disabled: z
      .boolean()
      .optional()
      .describe('True: all sessions end and the tokens are refused, at once. What the user made stays.'),
  })
  .meta({
    id: 'UserChange',
    description:
      'Members left out stay as they are; null removes a limit. Name and role are those of the issuer, as of the last login.',
    examples: [{ monthly_cap: { amount: 80, currency: 'CNY' } }],
  })
