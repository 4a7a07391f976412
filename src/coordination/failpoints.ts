/**
 * The instants of a generation at which it matters what is on disk already. The running program only passes them; a test
 * hands in a `Reached` and dies there (`docs/recovery.md` has the table of instants and outcomes).
 */
export const failpoints = [
  'generation-written',
  'before-sending',
  'sending-written',
  'request-sent',
  'task-known-before-written',
  'task-written',
  'before-poll',
  'stream-part-read',
  'stream-begun',
  'stream-part-appended',
  'answer-read-before-kept',
  'answer-file-written',
  'answer-kept',
  'picture-fetched',
  'picture-put',
  'picture-written',
  'before-settled',
  'settled',
  'repeat-written',
  'before-finish',
  'finished',
] as const

export type Failpoint = (typeof failpoints)[number]

/** The same of an imported picture, which nobody has paid for here. */
export type ImportFailpoint = 'import-picture-put' | 'import-picture-written'

/** Called at every failpoint that a generation or an imported picture reaches; it waits for the promise. */
export type Reached = (point: Failpoint | ImportFailpoint, generationId: string) => Promise<void> | void
