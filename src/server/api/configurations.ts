/** Stored configurations of the services. */
import { z } from 'zod'
import {
  Configuration,
  ConfigurationChange,
  ConfigurationList,
  ConfigurationTest,
  ConfigurationTestResult,
  NewConfiguration,
  ShortConfigurationList,
} from '../../api/configurations.ts'
import { NoBody } from '../../api/history.ts'
import type { ConfigurationInput } from '../../configurations/input.ts'
import { isLoopback } from '../../settings.ts'
import type { ConfigurationRecord } from '../../storage/records.ts'
import { getCaller } from '../access/access.ts'
import type { Parts } from '../parts.ts'
import type { App } from '../route.ts'
import { readId } from '../route.ts'
import { presentConfiguration, presentShortConfiguration } from './present/configurations.ts'

export function configurationRoutes(app: App, { services, prefix }: Parts) {
  const { configurations, pool, lives, catalogue } = services
  const isLocal = (record: ConfigurationRecord) => {
    const url = URL.parse(configurations.addressOf(record))
    return url !== null && isLoopback(url.hostname.replace(/^\[|\]$/g, ''))
  }
  const findLife = (record: ConfigurationRecord) => {
    const found = record.model === null ? undefined : catalogue.find(record.model, record.provider)
    return found && lives.at(found, { modelId: record.model ?? undefined, address: configurations.addressOf(record) })
  }
  const presented = (record: ConfigurationRecord) =>
    presentConfiguration(record, pool.stateOf(record), findLife(record), isLocal(record))
  const short = (record: ConfigurationRecord) => presentShortConfiguration(record, isLocal(record))
  const tags = ['Configurations']

  app.get(
    '/api/config',
    {
      config: { access: 'member' },
      schema: {
        tags,
        summary: 'List configurations',
        description: 'A member sees which ones exist, without keys and addresses.',
        response: { 200: z.union([ConfigurationList, ShortConfigurationList]) },
      },
    },
    async request => {
      const all = await configurations.list()
      const isAdmin = getCaller(request).role === 'admin'
      return isAdmin ? { items: all.map(presented) } : { items: all.map(short) }
    },
  )

  app.post(
    '/api/config',
    {
      config: { access: 'admin', answers: { 201: { headers: ['Location'] } } },
      schema: { tags, summary: 'Store a configuration', body: NewConfiguration, response: { 201: Configuration } },
    },
    async (request, reply) => {
      const record = await configurations.add(toInput(request.body))
      return reply
        .code(201)
        .header('location', `${prefix}/api/config/${encodeURIComponent(record.id)}`)
        .send(presented(record))
    },
  )

  app.put(
    '/api/config/:id',
    {
      config: { access: 'admin', problems: ['read_only', 'conflict'] },
      schema: {
        tags,
        summary: 'Change a configuration',
        description: 'Members left out stay as they are.',
        body: ConfigurationChange,
        response: { 200: Configuration },
      },
    },
    async request => presented(await configurations.change(readId(request), toInput(request.body))),
  )

  app.delete(
    '/api/config/:id',
    {
      config: { access: 'admin', problems: ['read_only', 'conflict'] },
      schema: { tags, summary: 'Delete a configuration', body: NoBody, response: { 204: z.null().describe('Done.') } },
    },
    async (request, reply) => {
      await configurations.remove(readId(request))
      return reply.code(204).send(null)
    },
  )

  app.post(
    '/api/config/test',
    {
      config: { access: 'admin', problems: ['not_found'] },
      schema: {
        tags,
        summary: 'Test a configuration without paying',
        body: ConfigurationTest,
        response: { 200: ConfigurationTestResult },
      },
    },
    async request => {
      const { id, ...unsaved } = request.body
      const { code, detail, latencyMs } = await configurations.test(id === undefined ? toInput(unsaved) : { id })
      return { ok: code === 'ok', code, detail, latency_ms: latencyMs }
    },
  )
}

/** Translates the names of the HTTP API into those of the service. */
function toInput(body: Omit<z.infer<typeof ConfigurationChange>, 'id'>): ConfigurationInput {
  const { name, provider, model, weight } = body
  return {
    name,
    provider,
    model,
    weight,
    baseUrl: body.base_url,
    apiKey: body.api_key,
    isActive: body.is_active,
    monthlyCap: body.monthly_cap,
    monthlyImages: body.monthly_images,
    maxRunning: body.most_running,
    requestsPerMinute: body.requests_per_minute,
  }
}
