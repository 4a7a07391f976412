/** Lays the books of the services beside what the program left on its disk, and beside what it told its clients. */
import { findWrongSums, type GenerationRow, type Rows, readRows, sha256 } from '../test/support/stored.ts'
import type { Facts, Told } from './facts.ts'
import type { Follower } from './follower.ts'
import { type Exchange, halfOf } from './services/books.ts'
import type { Disk } from './world/disk.ts'

type Row = Rows['calls'][number] & { config_id: string; slot: number; error: string | null; was_found: number }
type Generation = GenerationRow & { token_id: string | null; timestamp: string; retry_of: string | null }

/** What reached the program so long before it died is kept by then. */
const graceMs = 3_000
const dayMs = 24 * 3600_000

export function audit(facts: Facts, disk: Disk, orders: readonly Told[], follower: Follower | undefined): string[] {
  const rows = readRows(disk.root)
  const calls = new Map((rows.calls as Row[]).map(call => [call.id, call]))
  const generations = rows.generations as Generation[]
  const violations: string[] = []
  const say = (text: string) => violations.push(text)
  const removed = new Set(orders.flatMap(told => [...told.removed]))
  const isGone = (exchange: Exchange) => {
    const told = orders.find(({ order }) => order.name === exchange.order)
    return (told?.removed.size ?? 0) > 0
  }

  checkRequests()
  checkPictures()
  checkGenerations()
  checkClients()
  checkFiles()
  checkMoney()
  // What a failing disk did not confirm is told nevertheless, and may come otherwise after a power cut.
  if (follower && facts.plan.diskTroubles.length === 0) checkFollower(follower)
  return violations

  /** Did it live on, undisturbed, for a while after this came? */
  function wasThereFor(life: number, at: number) {
    const crash = facts.crashes.get(life)
    return !crash || (!crash.isTroubled && crash.at - at > graceMs)
  }

  /** Everything that there was to know came and stayed. */
  function isKept({ task, wholeAt, wholeIn, isClear }: Exchange) {
    if (task) return task.toldAt !== undefined && wasThereFor(task.toldIn, task.toldAt)
    return isClear && wholeAt !== undefined && wasThereFor(wholeIn, wholeAt)
  }

  /** The service forgets its tasks after a day. */
  function mayBeForgotten({ task }: Exchange) {
    return task !== undefined && facts.plan.ends.some(({ downMs }) => downMs >= dayMs)
  }

  function checkRequests() {
    const seen = new Set<string>()
    for (const exchange of facts.books.exchanges) {
      const { number, order, callId, billed } = exchange
      const name = `request ${number} for ${order}`
      const call = callId === undefined ? undefined : calls.get(callId)
      if (callId !== undefined && seen.has(callId)) say(`${name}: the row ${callId} was sent twice`)
      if (callId !== undefined) seen.add(callId)
      if (!call) {
        if (!isGone(exchange)) say(`${name}: no row tells of it`)
        continue
      }
      if (billed > 0 && call.charge === 'none')
        say(`${name}: billed ${billed}, and its row says that nothing was charged`)
      if (billed === 0 && call.charge === 'charged') say(`${name}: not billed, and its row says that it was charged`)
      if (billed > 0 && isKept(exchange) && call.charge !== 'charged' && !mayBeForgotten(exchange))
        say(`${name}: its answer came and was clear, and its row says ${call.outcome}, ${call.charge}`)
    }
    const billed = new Map<string, number>()
    for (const exchange of facts.books.exchanges) {
      const call = calls.get(exchange.callId ?? '')
      if (!call || exchange.billed === 0) continue
      const slot = `${call.generation_id} ${call.slot}`
      billed.set(slot, (billed.get(slot) ?? 0) + 1)
    }
    for (const [slot, times] of billed) if (times > 1) say(`PAID TWICE: ${slot} was billed ${times} times`)
    for (const told of orders) {
      const ofOrder = facts.books.exchanges.filter(({ order, billed }) => order === told.order.name && billed > 0)
      const slots = new Set(
        [...calls.values()]
          .filter(call => generations.some(one => one.id === call.generation_id && isOf(one, told)))
          .map(call => `${call.generation_id} ${call.slot}`),
      )
      if (told.removed.size === 0 && ofOrder.length > slots.size)
        say(`PAID TWICE: ${told.order.name} was billed ${ofOrder.length} times for ${slots.size} calls`)
    }
  }

  function checkPictures() {
    const stored = new Set(rows.images.map(image => image.sha256))
    checkOwners()
    for (const exchange of facts.books.exchanges) {
      if (exchange.billed === 0 || isGone(exchange)) continue
      // That nothing is missing is also what `charged` says.
      const isTold = calls.get(exchange.callId ?? '')?.charge === 'charged'
      const isWhole = isTold || (isKept(exchange) && !mayBeForgotten(exchange))
      for (const [index, picture] of exchange.pictures.entries()) {
        const namedAt = exchange.named[index] ?? -1
        const isNamed = !exchange.task && namedAt >= 0 && wasThereFor(exchange.life, namedAt)
        if ((isWhole || isNamed) && !picture.isOutOfReach && !stored.has(picture.sha256))
          say(`LOST: picture ${index + 1} of request ${exchange.number} for ${exchange.order}`)
      }
    }
  }

  /** Nobody gets the picture of somebody else. */
  function checkOwners() {
    const owners = new Map<string, Set<string>>()
    const own = (sum: string, order: string) => owners.set(sum, (owners.get(sum) ?? new Set()).add(order))
    for (const { order, pictures } of facts.books.exchanges)
      for (const picture of pictures) {
        own(picture.sha256, order)
        // Its most complete copy is kept: the half that was given out, which small pictures may have in common.
        if (picture.isOutOfReach) own(sha256(halfOf(picture)), order)
      }
    const prompts = new Map(generations.map(({ id, prompt }) => [id, prompt]))
    for (const { id, call_id, generation_id, sha256: sum } of rows.images) {
      // Its task may stand in the list where one of ours was lost; then nobody says that it is ours.
      if (facts.books.foreign.has(sum) && calls.get(call_id ?? '')?.was_found === 1) continue
      const orders = [...(owners.get(sum) ?? [])]
      const prompt = prompts.get(generation_id ?? '')
      if (orders.length === 0) say(`picture ${id} was made by no service`)
      else if (!orders.some(order => prompt?.startsWith(`${order} `)))
        say(`picture ${id} of ${orders.join(' or ')} is at "${prompt}"`)
    }
  }

  function checkGenerations() {
    for (const generation of generations) {
      const { id, status, charge, waiting } = generation
      const name = `generation ${id}`
      const own = [...calls.values()].filter(call => call.generation_id === id)
      if (status === 'queued' || status === 'running') {
        if (waiting === null) say(`${name} is ${status} and does not say why`)
        continue
      }
      const images = rows.images.filter(image => image.generation_id === id)
      for (const call of own)
        if (call.state !== 'settled') say(`${name} has ended, and its call ${call.id} is ${call.state}`)
      const latest = own.filter(call => !own.some(other => other.slot === call.slot && other.attempt > call.attempt))
      for (const { id, outcome } of latest) if (outcome === 'repeated') say(`${name}: the repeat of ${id} is not there`)
      const expected = ['unknown', 'charged', 'none'].find(word => latest.some(call => call.charge === word)) ?? 'none'
      if (charge !== expected) say(`${name} says ${charge}, and its calls say ${expected}`)
      if ((status === 'succeeded') !== images.length > 0) say(`${name} is ${status} with ${images.length} pictures`)
      const positions = new Set(images.map(image => image.position))
      if (positions.size < images.length) say(`${name} has two pictures at one position`)
    }
  }

  function checkClients() {
    const byId = new Map(generations.map(one => [one.id, one]))
    for (const told of orders) {
      const { order, ids, ends, repeats } = told
      const own = generations.filter(one => isOf(one, told) && one.retry_of === null)
      if (ids.size > 1) say(`${order.name} was told ${ids.size} generations for one key`)
      if (own.length > 1) say(`${order.name} has ${own.length} generations`)
      const again = generations.filter(one => isOf(one, told) && one.retry_of !== null)
      if (again.length > repeats.size + told.lostRepeats) say(`${order.name} was repeated ${again.length} times`)
      for (const id of [...ids, ...repeats])
        if (!byId.has(id) && !removed.has(id)) say(`${order.name} was accepted as ${id}, which is not there`)
      for (const end of ends) {
        const now = byId.get(end.id)
        if (!now || removed.has(end.id)) continue
        const isSame = now.status === end.status && now.charge === end.charge
        if (!isSame) say(`${order.name} was told ${end.status}, ${end.charge}; now it is ${now.status}, ${now.charge}`)
        const stored = rows.images.filter(image => image.generation_id === end.id).length
        if (stored < end.images.length) say(`${order.name} was told ${end.images.length} pictures; ${stored} are there`)
      }
      for (const { id, at, sent } of told.cancels) {
        const late = facts.books.exchanges.find(({ writtenAt, callId = '' }) => {
          return writtenAt > at && calls.get(callId)?.generation_id === id && !sent.has(callId)
        })
        if (late) say(`${order.name} was cancelled, and request ${late.number} was sent after that`)
      }
      const { caps } = facts.plan
      const isCapped = caps.all !== undefined || caps.token !== undefined || caps.configuration !== undefined
      if (!facts.plan.isCalm || isCapped) continue
      const [made] = own
      if (made?.status !== 'succeeded' || made.charge !== 'charged')
        say(`${order.name} was asked for on a calm day and is ${made?.status}, ${made?.charge} (${told.refusals})`)
    }
  }

  /** Who follows the changes knows everything in the end. */
  function checkFollower({ known, violations }: Follower) {
    for (const violation of violations) say(violation)
    for (const { id, status, charge } of generations) {
      const told = known.get(id)
      const images = rows.images.filter(image => image.generation_id === id).length
      const isSame = told?.status === status && told.charge === charge && told.images.length === images
      if (!isSame)
        say(
          `${id} is ${status}, ${charge}, ${images}; a follower knows ${told?.status}, ${told?.charge}, ${told?.images.length}`,
        )
    }
    const ids = new Set(generations.map(({ id }) => id))
    for (const id of known.keys()) if (!ids.has(id)) say(`a follower was not told that ${id} is removed`)
  }

  function checkFiles() {
    const files = disk.filesIn('images')
    const ids = new Set(rows.images.map(image => image.id))
    for (const image of rows.images) {
      const bytes = files.get(image.file)
      files.delete(image.file)
      if (!bytes) say(`LOST: the file of picture ${image.id}`)
      else if (bytes.length !== image.bytes || sha256(bytes) !== image.sha256)
        say(`LOST: ${image.file} holds other bytes`)
    }
    for (const file of files.keys()) {
      // Where the disk was in trouble, those that could not be removed wait for the next sweep.
      if (file.startsWith('.temporary/') && facts.plan.diskTroubles.length > 0) continue
      const thumbnail = /^thumbnails\/(.*)\.webp$/.exec(file)?.[1]
      if (thumbnail === undefined || !ids.has(thumbnail)) say(`the file ${file} has no row`)
    }
    // Of one whose generation was deleted just before a crash, the next week takes care.
    for (const file of disk.filesIn('answers').keys())
      if (!calls.has(file.split('.')[0] ?? '') && removed.size === 0) say(`the answer ${file} has no row`)
  }

  function checkMoney() {
    const { spending } = rows
    for (const wrong of findWrongSums(rows)) say(wrong)
    for (const { id, charge, status, imported_from } of generations) {
      if (status === 'queued' || status === 'running' || imported_from !== null) continue
      const own = spending.filter(row => row.generation_id === id)
      const images = own.reduce((sum, row) => sum + Number(row.images), 0)
      if (own.length === 0) say(`generation ${id} reserved nothing`)
      if (own.some(row => row.state !== 'settled')) say(`the reservation of ${id} is left`)
      const stored = rows.images.filter(image => image.generation_id === id).length
      if (charge === 'none' && images > 0) say(`${id} cost nothing and counts ${images}`)
      if (charge === 'unknown' && !own.some(row => row.is_unknown === 1)) say(`${id} has its uncertain money back`)
      if (charge === 'charged' && images < stored) say(`${id} counts ${images} of ${stored} pictures`)
    }
    const { caps } = facts.plan
    const scopes: { name: string; cap: number | undefined; holds(call: Row, generation: Generation): boolean }[] = [
      { name: 'all', cap: caps.all, holds: () => true },
      { name: 'the token', cap: caps.token, holds: (_, { token_id }) => token_id === facts.ownerId },
      { name: 'a configuration', cap: caps.configuration, holds: call => call.config_id === facts.configIds[0] },
      { name: 'the second key', cap: caps.configuration, holds: call => call.config_id === facts.configIds[1] },
    ]
    for (const { name, cap, holds } of scopes) {
      if (cap === undefined) continue
      const months = new Map<string, number>()
      for (const exchange of facts.books.exchanges) {
        const call = calls.get(exchange.callId ?? '')
        const generation = generations.find(({ id }) => id === call?.generation_id)
        if (!call || !generation || !holds(call, generation)) continue
        const month = generation.timestamp.slice(0, 7)
        // What a service makes beyond what it was asked for is its own affair.
        months.set(month, (months.get(month) ?? 0) + Math.min(exchange.billed, call.images))
      }
      for (const [month, sum] of months)
        if (sum > cap) say(`the cap of ${name} is ${cap}, and ${sum} were billed in ${month}`)
    }
  }
}

function isOf({ prompt }: Generation, { order }: Told) {
  return prompt.startsWith(`${order.name} `)
}
