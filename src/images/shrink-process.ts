/** The process that shrinks pictures; `shrinker.ts` starts it. It ends with its parent, also with one that was killed. */
import { shrink } from './shrink.ts'
import type { ShrinkAnswer, ShrinkOrder } from './shrinker.ts'

// Signals of a terminal or a service manager go to the whole group, and the parent still needs thumbnails while it drains.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
process.on('disconnect', () => process.exit())

process.on('message', ({ path, sides }: ShrinkOrder) => {
  shrink(path, sides).then(
    made => answer({ made }),
    error => answer({ reason: error instanceof Error ? error.message : String(error) }),
  )
})

function answer(what: ShrinkAnswer) {
  // The parent may be gone.
  process.send?.(what, undefined, undefined, () => {})
}
