/** Time that passes at once, for whoever counts it by `performance.now()`; the clock stays as it is. */
import { onTestFinished, vi } from 'vitest'

export function passTime(ms: number) {
  const real = performance.now.bind(performance)
  const spy = vi.spyOn(performance, 'now').mockImplementation(() => real() + ms)
  onTestFinished(() => spy.mockRestore())
}
