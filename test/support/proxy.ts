/** Stands between a program and PostgreSQL, and cuts where a network would. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TcpProxy {
  /** The URL of a database, by way of this proxy. */
  through(url: string): string
  /** Cuts every connection; how many there were. */
  cut(): number
  /** From now on nothing comes through the connections that are open, and nobody is told. */
  freeze(): void
  /**
   * From now on the connection of every `every`th transaction is cut when it is committed: `before` PostgreSQL hears of it, or `after`
   * it has done it, before its word gets back. Null ends it. Counts from here; `times` at most.
   */
  cutCommits(rule: CommitRule | null): void
  /** How many commits it has cut since `cutCommits`. */
  cutCount(): number
  close(): Promise<void>
}

interface CommitRule {
  every: number
  when: 'before' | 'after'
  times?: number
}

/** COMMIT as the driver sends it: a simple query, which is a message of its own. */
const commit = Buffer.from('\0\0\0\x0bcommit\0')

export async function startProxy(target: { port: number }): Promise<TcpProxy> {
  const open = new Set<{ near: Socket; far: Socket; isFrozen: boolean }>()
  let rule: CommitRule | null = null
  let commits = 0
  let cuts = 0

  const server = createServer(near => {
    const far = connect(target.port, '127.0.0.1')
    const pair = { near, far, isFrozen: false }
    let isWordDue = false
    open.add(pair)
    const end = () => {
      open.delete(pair)
      near.destroy()
      far.destroy()
    }
    const cut = () => {
      cuts++
      end()
    }
    for (const socket of [near, far]) socket.setNoDelay().on('error', end).on('close', end)
    near.on('data', bytes => {
      if (pair.isFrozen) return
      if (
        rule &&
        cuts < (rule.times ?? Number.POSITIVE_INFINITY) &&
        bytes.includes(commit) &&
        ++commits % rule.every === 0
      ) {
        if (rule.when === 'before') return cut()
        isWordDue = true
      }
      far.write(bytes)
    })
    far.on('data', bytes => {
      if (pair.isFrozen) return
      if (isWordDue) cut()
      else near.write(bytes)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  return {
    through(url) {
      const changed = new URL(url)
      changed.port = String(port)
      return changed.href
    },
    cut() {
      const count = open.size
      for (const { near, far } of open) {
        near.resetAndDestroy()
        far.destroy()
      }
      open.clear()
      return count
    },
    freeze() {
      for (const pair of open) pair.isFrozen = true
    },
    cutCommits(next) {
      rule = next
      commits = 0
      cuts = 0
    },
    cutCount: () => cuts,
    async close() {
      for (const { near, far } of open) {
        near.destroy()
        far.destroy()
      }
      server.close()
      await once(server, 'close')
    },
  }
}
