/** Sends what was pressed once, however often it is pressed by mistake and whatever becomes of the answer. */
import { ApiError, type GenerateInput, type Generation, generate, newKey } from '../api.ts'

interface Press {
  body: string
  key: string
  /** Milliseconds since 1970. */
  at: number
  isAnswered?: boolean
}

const storageKey = 'webimgui.presses'
/** Nobody means a second picture this soon; a double click does. */
const doubleClickMs = 1500
/** As long as somebody may still press because of a lost answer. */
const forgetAfterMs = 10 * 60_000

/**
 * A press whose answer was lost keeps its key, so that pressing again asks for the same generation and not for another one.
 * @throws ApiError
 */
export async function press(body: GenerateInput): Promise<Generation> {
  const text = JSON.stringify(body)
  const now = Date.now()
  const earlier = read().filter(({ at, isAnswered }) => now - at < (isAnswered ? doubleClickMs : forgetAfterMs))
  const same = earlier.find(press => press.body === text)
  const sent: Press = same ?? { body: text, key: newKey(), at: now }
  write([...earlier.filter(press => press !== same), sent])
  try {
    const generation = await generate(body, sent.key)
    // Read again, because several are sent side by side.
    write(read().map(press => (press.key === sent.key ? { ...press, isAnswered: true } : press)))
    return generation
  } catch (error) {
    const isAnswered = error instanceof ApiError && error.status >= 400 && error.status < 500
    if (isAnswered) write(read().filter(press => press.key !== sent.key))
    throw error
  }
}

function read(): Press[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '[]')
    return Array.isArray(kept) ? kept.filter((press): press is Press => typeof press?.key === 'string') : []
  } catch {
    return []
  }
}

function write(presses: Press[]) {
  try {
    localStorage.setItem(storageKey, JSON.stringify(presses.slice(-20)))
  } catch {
    // Without storage a double click is still caught by the disabled button.
  }
}
