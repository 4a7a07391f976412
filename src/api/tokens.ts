/** Named tokens, to share the server without its keys. */
import { z } from 'zod'
import { Money, MonthlyCap, MonthlyImages } from './caps.ts'

export const Role = z
  .enum(['admin', 'member'])
  .describe('A member sees and changes only what it made itself, and no keys. An admin may do everything.')

const members = {
  name: z.string().describe('Who or what it is for.'),
  role: Role,
  monthly_cap: MonthlyCap.nullable(),
  monthly_images: MonthlyImages.nullable(),
  models: z.array(z.string()).nullable().describe('Ids of the models that it may use; null: all.'),
}

export const Token = z
  .object({
    id: z.string(),
    ...members,
    created_at: z.string(),
    last_used_at: z.string().nullable().describe('To the nearest few minutes.'),
    user: z
      .object({ id: z.string(), name: z.string() })
      .nullable()
      .describe('The user that it belongs to; null: it stands for itself.'),
  })
  .meta({ id: 'Token' })

export type Token = z.infer<typeof Token>

export const TokenList = z.object({ items: z.array(Token) }).meta({ id: 'TokenList' })

const name = z.string().trim().min(1).max(200).describe('Who or what it is for.')
export const ModelIds = z
  .array(z.string().trim().min(1).max(200))
  .max(200)
  .transform(models => [...new Set(models)])
  .nullable()
  .optional()

export const NewToken = z
  .strictObject({
    name,
    role: Role.optional().describe('`member` when left out.'),
    monthly_cap: MonthlyCap.nullable().optional(),
    monthly_images: MonthlyImages.nullable().optional(),
    models: ModelIds.describe('Ids of the models that it may use; null or left out: all.'),
    own: z
      .boolean()
      .optional()
      .describe(
        'Makes it a token of the user who asks: it makes and sees what the user does, and counts in the caps of the user. Always so for users who are members.',
      ),
  })
  .meta({
    id: 'NewToken',
    examples: [
      { name: 'design team', role: 'member', monthly_cap: { amount: 50, currency: 'CNY' }, monthly_images: 300 },
    ],
  })

export const TokenChange = z
  .strictObject({
    name: name.optional(),
    monthly_cap: MonthlyCap.nullable().optional(),
    monthly_images: MonthlyImages.nullable().optional(),
    models: ModelIds.describe('Ids of the models that it may use; null: all.'),
  })
  .meta({
    id: 'TokenChange',
    description: 'Members left out stay as they are; null removes a limit. The role cannot be changed.',
    examples: [{ monthly_cap: { amount: 80, currency: 'CNY' } }],
  })

export const MadeToken = Token.extend({
  token: z.string().describe('What clients send. It is shown this once; only its hash is kept.'),
}).meta({ id: 'MadeToken' })

export type MadeToken = z.infer<typeof MadeToken>

export const Me = z
  .object({
    role: Role,
    name: z
      .string()
      .nullable()
      .describe('Of the user or the token. Null for the access token of the server, and where none is needed.'),
    user: z
      .object({ id: z.string(), email: z.string().nullable() })
      .nullable()
      .describe('Set for a user who logged in with OpenID Connect, and for tokens of users.'),
    manages_tokens: z
      .enum(['all', 'own', 'none'])
      .describe('Which tokens the caller may make, see and revoke: users do so for their own, in a session.'),
    monthly_cap: MonthlyCap.nullable(),
    monthly_images: MonthlyImages.nullable(),
    models: z.array(z.string()).nullable(),
    left: Money.nullable().describe('Of the cap in money; running generations count with their highest possible cost.'),
    left_images: z.int().nullable(),
    renews_at: z.string().nullable(),
    session_left: Money.nullable()
      .optional()
      .describe('Of the session that `x-session` names with `x-spending-cap`; left out without these headers.'),
    needs_token: z.boolean().describe('False where everyone who reaches the server is an admin without a token.'),
  })
  .meta({ id: 'Me', description: 'The caller of the request.' })

export type Me = z.infer<typeof Me>
