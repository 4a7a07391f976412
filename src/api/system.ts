/** The server itself: health, state, access. */
import { z } from 'zod'
import { Values } from './generations.ts'
import { ModelLife } from './models.ts'

export const Health = z.object({ status: z.literal('ok') }).meta({ id: 'Health' })

const state = z.enum(['ok', 'failing'])

export const Status = z
  .object({
    status: z.enum(['ok', 'failing', 'draining']),
    version: z.string(),
    started_at: z.string(),
    uptime_seconds: z.int(),
    database: z.object({ state, kind: z.enum(['sqlite', 'postgresql']), detail: z.string().nullable() }),
    storage: z.object({
      state,
      kind: z.enum(['folder', 's3']),
      detail: z.string().nullable(),
      free_bytes: z.number().nullable(),
    }),
    check: z
      .object({
        state: z.enum(['waiting', 'running', 'done', 'failed']),
        images: z.int().describe('Stored images and references.'),
        checked: z.int(),
        missing: z.int().describe('Those whose file is not there.'),
      })
      .describe(
        'Whether the database is whole and every stored image has its file. This is looked over in the background after each start.',
      ),
    queue: z.object({
      state: z.enum(['ok', 'waiting', 'draining']),
      queued: z.int(),
      running: z.int(),
      waiting: z
        .array(z.object({ id: z.string(), reason: z.string(), code: z.string().nullable(), values: Values }))
        .describe(
          'Generations that are not progressing, and why: as their `waiting`, `waiting_code` and `waiting_values`.',
        ),
    }),
    providers: z.array(
      z.object({
        id: z.string(),
        name: z.string(),
        state: z.enum(['configured', 'not_configured']),
        active_configurations: z.int(),
        ready_configurations: z.int().describe('Active ones that are neither in cooldown nor suspended.'),
      }),
    ),
    ending: z
      .array(z.object({ provider: z.string(), id: z.string(), name: z.string(), life: ModelLife }))
      .describe('Models that end, or ended recently, at the address of an active configuration.'),
  })
  .meta({ id: 'Status' })

export type Status = z.infer<typeof Status>

export const ShortStatus = Status.pick({ status: true, version: true, started_at: true, uptime_seconds: true })
  .extend({
    providers: z.array(z.object({ id: z.string(), name: z.string(), state: z.enum(['configured', 'not_configured']) })),
  })
  .meta({ id: 'ShortStatus', description: 'For members.' })

export type ShortStatus = z.infer<typeof ShortStatus>

export const RecentErrorList = z
  .object({
    items: z
      .array(
        z.object({
          time: z.string(),
          message: z.string(),
          detail: z.string().nullable().describe('What the cause said.'),
          request_id: z.string().nullable(),
          generation_id: z.string().nullable(),
        }),
      )
      .describe('Newest first, 50 at most, since the server started.'),
  })
  .meta({ id: 'RecentErrorList' })

export type RecentErrorList = z.infer<typeof RecentErrorList>

export const Login = z.strictObject({ token: z.string().min(1).max(1000) }).meta({ id: 'Login' })
