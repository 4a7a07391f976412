/**
 * One line of a terminal that is drawn again and again. The bar of @clack/prompts takes Ctrl-C for itself and ends the process with 0,
 * before anything can say that the work goes on and how to collect it.
 */
export interface Progress {
  show(done: number, all: number, text: string): void
  /** What is written stays above it. */
  above(write: () => void): void
  end(): void
}

const width = 20

/** Draws only where both outputs are a terminal. */
export function createProgress(): Progress {
  const isDrawn = process.stdout.isTTY === true && process.stderr.isTTY === true
  if (!isDrawn) return { show() {}, above: write => write(), end() {} }
  const startedAt = performance.now()
  let line = ''

  function draw() {
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    process.stderr.write(`\r\x1b[2K${line} ${seconds} s`.slice(0, (process.stderr.columns || 80) + 4))
  }

  function clear() {
    process.stderr.write('\r\x1b[2K')
  }

  const timer = setInterval(draw, 1000)
  timer.unref()
  return {
    show(done, all, text) {
      const filled = all === 0 ? 0 : Math.min(width, Math.floor((done / all) * width))
      line = `[${'#'.repeat(filled)}${'-'.repeat(width - filled)}] ${done}/${all}  ${text}`
      draw()
    },
    above(write) {
      clear()
      write()
      if (line !== '') draw()
    },
    end() {
      clearInterval(timer)
      clear()
    },
  }
}
