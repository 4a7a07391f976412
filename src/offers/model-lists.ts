/**
 * What the services' own lists say of their models, kept with its time: asked for by the test of a configuration, and once a day with
 * the active ones. Asking is free and makes nothing.
 */
import type { Logger } from 'pino'
import type { SeenLife } from '../catalogue/life.ts'
import type { ListedModel } from '../catalogue/model.ts'
import type { Access } from '../configurations/access.ts'
import type { ConfigurationRegistry } from '../configurations/configurations.ts'
import type { OutgoingHttp } from '../outgoing/http.ts'
import type { Catalogue } from '../providers/registry.ts'
import type { ListedModelRecord } from '../storage/records.ts'
import type { Store } from '../storage/store.ts'

export type Asked = Pick<Access, 'provider' | 'apiKey' | 'baseUrl'>

const hourMs = 3600 * 1000
/** An hour short of a day, so that an hourly check does not drift later each day. */
const freshMs = 23 * hourMs
const timeoutMs = 20_000
/** Far more than any service has; an answer of a foreign address must not fill the database. */
const maxModels = 500
const maxIdCharacters = 200
const maxToldCharacters = 2000

export type ModelLists = Awaited<ReturnType<typeof createModelLists>>

export async function createModelLists(parts: {
  store: Store
  http: OutgoingHttp
  catalogue: Pick<Catalogue, 'provider'>
  log: Logger
}) {
  const { store, http, catalogue, log } = parts
  const closing = new AbortController()
  const timers = new Set<NodeJS.Timeout>()
  const underWay = new Map<string, Promise<boolean>>()
  let round: Promise<void> = Promise.resolve()
  let known = await store.listedModels.all()
  let lists = await store.listedModels.lists()
  const at = (provider: string, address: string) => {
    const place = findListPlace(provider, address)
    return known.filter(one => one.provider === provider && one.place === place)
  }

  return {
    /** What the list at this address said of the first of these ids that it knows. */
    seen(provider: string, address: string, ids: readonly string[]): SeenLife | undefined {
      const here = at(provider, address)
      return ids.map(id => here.find(one => one.id === id)).find(one => one !== undefined)
    },

    /** What the newest list at this address offers to everybody. */
    offered(provider: string, address: string): readonly ListedModelRecord[] {
      const here = at(provider, address)
      const newest = here.map(({ seenAt }) => seenAt).toSorted()
      return here.filter(({ status, seenAt }) => status === 'offered' && seenAt === newest.at(-1))
    },

    /** Reads the list and stores it; false if none arrived. Errors of the service are not thrown. */
    ask,

    /** Asks once a day with the active configurations, the first time after `firstMs`. */
    start(configurations: Pick<ConfigurationRegistry, 'active' | 'access' | 'addressOf'>, firstMs: number) {
      const look = () => {
        round = round
          .then(() => askStale(configurations))
          .catch(error => {
            if (!closing.signal.aborted) log.error({ err: error }, 'the lists of models could not be read')
          })
      }
      timers.add(setTimeout(look, firstMs).unref())
      timers.add(setInterval(look, hourMs).unref())
    },

    /** Aborts what is in flight; nothing more is requested. */
    async close() {
      closing.abort()
      for (const timer of timers) clearInterval(timer)
      await round
      await Promise.allSettled(underWay.values())
    },
  }

  async function ask(access: Asked, signal: AbortSignal): Promise<boolean> {
    const key = `${access.provider} ${findListPlace(access.provider, access.baseUrl)}`
    // Concurrent requests would write the same rows.
    const known = underWay.get(key)
    if (known) return known
    const asking = askOnce(access, AbortSignal.any([signal, closing.signal])).finally(() => underWay.delete(key))
    underWay.set(key, asking)
    return asking
  }

  async function askOnce({ provider, apiKey, baseUrl }: Asked, signal: AbortSignal): Promise<boolean> {
    const { listModels } = catalogue.provider(provider)
    if (!listModels) return false
    const reference = () => Promise.reject(new Error('a list has no references'))
    const listed = await listModels({ apiKey, baseUrl, http, signal, reference }).catch(error => {
      if (signal.aborted) return undefined
      throw error
    })
    if (listed === undefined || closing.signal.aborted) return false
    await keep(provider, findListPlace(provider, baseUrl), listed)
    return listed !== null
  }

  async function keep(provider: string, place: string, listed: ListedModel[] | null) {
    const now = new Date().toISOString()
    const former = lists.find(list => list.provider === provider && list.place === place)
    const models = (listed ?? []).filter(({ id }) => id.length <= maxIdCharacters).slice(0, maxModels)
    const before = known
    const answeredAt = listed ? now : (former?.answeredAt ?? null)
    await store.listedModels.keepList(
      { provider, place, askedAt: now, answeredAt },
      models.map(({ id, status, word, told }) => ({
        provider,
        place,
        id,
        status,
        seenAt: now,
        word: word.slice(0, 100),
        told: JSON.stringify(told).length <= maxToldCharacters ? told : {},
      })),
    )
    known = await store.listedModels.all()
    lists = await store.listedModels.lists()
    for (const { id, status } of models) {
      const had = before.find(one => one.provider === provider && one.place === place && one.id === id)
      if (status !== 'offered' && had?.status !== status)
        log.warn({ provider, place, model: id, status }, 'the service says that a model ends')
    }
  }

  /** The list is the same for every key, so one that answers is enough for a place. */
  async function askStale(configurations: Parameters<ModelLists['start']>[0]) {
    const done = new Set<string>()
    for (const one of await configurations.active()) {
      if (closing.signal.aborted) return
      const provider = one.provider
      const place = findListPlace(provider, configurations.addressOf(one))
      const key = `${provider} ${place}`
      if (one.suspension || done.has(key) || !catalogue.provider(provider).listModels || isFresh(provider, place))
        continue
      try {
        const asked = await ask(await configurations.access(one.id), AbortSignal.timeout(timeoutMs))
        if (asked || isFresh(provider, place)) done.add(key)
      } catch (error) {
        log.warn({ configuration: one.id, err: error }, 'a list of models could not be read')
      }
    }
  }

  function isFresh(provider: string, place: string) {
    const list = lists.find(one => one.provider === provider && one.place === place)
    return list !== undefined && Date.now() - Date.parse(list.askedAt) < freshMs
  }

  /** The list is the same everywhere on a platform of the service; that of a reseller applies to its address alone. */
  function findListPlace(provider: string, address: string) {
    return catalogue.provider(provider).platformAt(address) ?? address.replace(/\/+$/, '')
  }
}
