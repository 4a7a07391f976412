/** Stored keys and addresses of the services. A key goes in and never comes out. */
import { z } from 'zod'
import { MonthlyCap, MonthlyImages } from './caps.ts'
import { ModelLife } from './models.ts'

const name = z.string().max(200)
const provider = z.string().max(50).describe('An id of `GET /api/providers`.')
const model = z.string().max(200).nullable().describe('The model that is used when a request names none.')
const baseUrl = z.string().max(2000).nullable().describe('Instead of the address that is usual for the provider.')
const weight = z
  .int()
  .refine(weight => weight >= 1 && weight <= 100, 'Use a weight from 1 to 100.')
  .describe('Its share of the work beside other configurations of the same service at the same address.')
const maxRunning = z
  .int()
  .refine(count => count >= 1 && count <= 1000, 'Use a number from 1 to 1000, or null for no limit.')
  .nullable()
  .describe('Concurrent paid requests; null: as many as the models take, 64 at most.')
const requestsPerMinute = z
  .int()
  .refine(count => count >= 1 && count <= 100_000, 'Use a number from 1 to 100000, or null for no limit.')
  .nullable()
  .describe('Paid requests that are begun in any minute; null: no limit of our own.')
const apiKey = z.string().max(10_000).meta({ writeOnly: true })

export const Configuration = z
  .object({
    id: z.string(),
    name: z.string(),
    provider: z.string(),
    model: z.string().nullable(),
    base_url: z.string().nullable(),
    is_active: z.boolean(),
    source: z.enum(['stored', 'environment']).describe('Those from the environment are read-only.'),
    is_local: z.boolean().describe('Its requests go to the machine of this server and nowhere else.'),
    has_key: z.boolean(),
    key_hint: z.string().nullable().describe('The last four characters of the key.'),
    monthly_cap: MonthlyCap.nullable(),
    monthly_images: MonthlyImages.nullable(),
    weight,
    most_running: maxRunning,
    requests_per_minute: requestsPerMinute,
    state: z
      .object({
        status: z
          .enum(['ready', 'resting', 'taken_out', 'off'])
          .describe(
            '`resting`: in cooldown, because its service asked to slow down. `taken_out`: suspended, because its service refused the key or the balance is empty; it is tried again automatically, and a passing test or another key reinstates it at once.',
          ),
        until: z.string().nullable().describe('The end of a cooldown, or when a suspended one may be tried again.'),
        since: z.string().nullable().describe('The last refusal by its service.'),
        code: z.string().nullable().describe('Why it was suspended: a code of failed generations.'),
        detail: z.string().nullable(),
        running: z.int().describe('Its paid requests in flight.'),
      })
      .meta({ id: 'ConfigurationState' }),
    life: ModelLife.nullable().describe('Of its model, at its address; null where it names none.'),
    created_at: z.string().nullable(),
    updated_at: z.string().nullable(),
  })
  .meta({ id: 'Configuration' })

export type Configuration = z.infer<typeof Configuration>

export const ConfigurationList = z.object({ items: z.array(Configuration) }).meta({ id: 'ConfigurationList' })

/** What a member may see. */
const ShortConfiguration = Configuration.pick({
  id: true,
  name: true,
  provider: true,
  model: true,
  is_active: true,
  is_local: true,
}).meta({
  id: 'ShortConfiguration',
})

export const ShortConfigurationList = z
  .object({ items: z.array(ShortConfiguration) })
  .meta({ id: 'ShortConfigurationList', description: 'For members.' })

/** What people enter; members left out of a change stay as they are. */
const Entered = z
  .strictObject({
    name,
    provider,
    model,
    base_url: baseUrl,
    api_key: apiKey,
    is_active: z.boolean(),
    monthly_cap: MonthlyCap.nullable(),
    monthly_images: MonthlyImages.nullable(),
    weight,
    most_running: maxRunning,
    requests_per_minute: requestsPerMinute,
  })
  .partial()

export const NewConfiguration = z
  .strictObject({ ...Entered.shape, provider, api_key: apiKey })
  .meta({ id: 'NewConfiguration' })

/** Members of answers, which a client that sends the whole configuration back may leave in. */
const readOnly = z.unknown().optional().meta({ readOnly: true })

export const ConfigurationChange = Entered.extend({
  id: readOnly,
  source: readOnly,
  is_local: readOnly,
  has_key: readOnly,
  key_hint: readOnly,
  state: readOnly,
  life: readOnly,
  created_at: readOnly,
  updated_at: readOnly,
})
  .transform(({ id, source, is_local, has_key, key_hint, state, life, created_at, updated_at, ...change }) => change)
  .meta({
    id: 'ConfigurationChange',
    description: 'Members left out stay as they are; those that only answers carry are ignored.',
  })

const tested = Entered.pick({ name: true, provider: true, model: true, base_url: true, api_key: true, is_active: true })

export const ConfigurationTest = z
  .strictObject({
    id: z.string().min(1).max(200).optional().describe('A stored configuration; then nothing else is given.'),
    ...tested.shape,
  })
  .refine(
    test => test.id === undefined || Object.values(test).filter(value => value !== undefined).length === 1,
    'Give either "id" alone, or the members of an unsaved configuration.',
  )
  .refine(test => test.id !== undefined || test.provider !== undefined, {
    path: ['provider'],
    message: 'Give "id", or "provider" and "api_key".',
  })
  .meta({ id: 'ConfigurationTest' })

export const ConfigurationTestResult = z
  .object({
    ok: z.boolean(),
    code: z.enum([
      'ok',
      'provider_key_rejected',
      'wrong_address',
      'provider_access_denied',
      'provider_quota_exhausted',
      'provider_unavailable',
    ]),
    detail: z.string(),
    latency_ms: z.number(),
  })
  .meta({ id: 'ConfigurationTestResult' })

export type ConfigurationTestResult = z.infer<typeof ConfigurationTestResult>
