/** What must be true after the next start, for each instant and kind of call. The table in docs/recovery.md is made of this. */
import type { Failpoint } from '../../src/coordination/failpoints.ts'
import type { CallKind } from '../support/call-kinds.ts'

export interface Outcome {
  /** Pictures stored in the end. */
  images: number
  charge: 'charged' | 'unknown'
  /** Paid requests, before and after the restart together. */
  posts: number
}

/** Of a process that dies when a generation comes to `point` for the `from`th time; calls beside it that come there too die with it. */
export function outcomeOf(kind: CallKind, point: Failpoint, from: number): Outcome {
  const all: Outcome = { images: kind.pictures, charge: 'charged', posts: kind.calls }
  const before = from - 1
  const lost: Outcome = { images: before, charge: 'unknown', posts: kind.calls }
  switch (point) {
    case 'sending-written':
      // Nobody can tell that the request had not left yet.
      return { ...lost, posts: before }
    case 'request-sent':
    case 'task-known-before-written':
      if (!kind.isListed) return lost
      return kind.isProven ? all : { ...all, charge: 'unknown' }
    case 'answer-read-before-kept':
      // A task can be asked for again; a stream and a large answer are on disk.
      return kind.isTask || kind.parts > 0 || kind.isLarge ? all : lost
    case 'stream-part-read':
      return streamed(kind, before)
    case 'stream-begun':
      return streamed(kind, 0)
    case 'stream-part-appended':
      return streamed(kind, from)
    case 'repeat-written':
      return { ...all, posts: 2 * kind.calls }
    default:
      return all
  }
}

/** As many pictures as parts came; with the last of them nothing is missing any more. */
function streamed(kind: CallKind, parts: number): Outcome {
  const images = Math.min(parts, kind.pictures)
  return { images, charge: images === kind.pictures ? 'charged' : 'unknown', posts: 1 }
}

interface Instant {
  /** The point is passed … */
  at: string
  /** After the next start … */
  outcome: string
  charge: string
}

export const instants: Record<Failpoint, Instant> = {
  'generation-written': {
    at: 'the generation and its calls are written',
    outcome: 'the requests are sent',
    charge: 'charged',
  },
  'before-sending': { at: 'a request is about to be recorded as being sent', outcome: 'it is sent', charge: 'charged' },
  'sending-written': {
    at: 'it is recorded that the request is being sent',
    outcome: 'never sent again: nobody can tell whether it left. A task is looked up in the list of the service first',
    charge: 'unknown',
  },
  'request-sent': {
    at: 'the request is on its way',
    outcome:
      'never sent again. A task is found in the list of the service and followed, if it is the only one there that no row knows',
    charge: 'unknown; listed task whose answer repeats the prompt: charged',
  },
  'task-known-before-written': {
    at: 'the task id has arrived and is not written',
    outcome: 'the task is found in the list of the service and followed; a gateway has none: `outcome_unknown`',
    charge: 'charged where the answer repeats the prompt, otherwise unknown',
  },
  'task-written': { at: 'the task id is written', outcome: 'the task is followed on', charge: 'charged' },
  'before-poll': { at: 'the task is about to be polled', outcome: 'the task is followed on', charge: 'charged' },
  'stream-part-read': {
    at: 'a part of a stream has arrived and is not on disk',
    outcome: 'the pictures of the parts before it are stored; the others are failures with `outcome_unknown`',
    charge: 'unknown',
  },
  'stream-begun': {
    at: 'the file of a stream or of a large answer exists, still empty',
    outcome: 'nothing arrived: `outcome_unknown`',
    charge: 'unknown',
  },
  'stream-part-appended': {
    at: 'a part of a stream is on disk',
    outcome: 'its picture is stored too; those that had not arrived are failures with `outcome_unknown`',
    charge: 'unknown; last picture: charged',
  },
  'answer-read-before-kept': {
    at: 'the whole answer has arrived, and its row does not hold it',
    outcome: '`outcome_unknown`. A task is asked again; a stream and a large answer are on disk already',
    charge: 'unknown; task, stream, large answer: charged',
  },
  'answer-file-written': {
    at: 'a large answer is in its file, but its row does not say that it is complete',
    outcome: 'the file is parsed',
    charge: 'charged',
  },
  'answer-kept': { at: 'the answer is kept', outcome: 'it is parsed and its pictures are fetched', charge: 'charged' },
  'picture-fetched': {
    at: 'a picture is in a temporary file',
    outcome: 'the temporary file is removed, the picture is fetched again',
    charge: 'charged',
  },
  'picture-put': {
    at: 'a picture is in its place, without a row',
    outcome: 'the file is adopted as it is, even if its address has expired meanwhile',
    charge: 'charged',
  },
  'picture-written': {
    at: 'a picture of several has its row; that of a single one is written with the end',
    outcome: 'the others are fetched',
    charge: 'charged',
  },
  'before-settled': {
    at: 'all pictures of a call are stored',
    outcome: 'its answer is parsed again, and nothing is fetched',
    charge: 'charged',
  },
  settled: {
    at: 'a call is settled, the last one together with the end',
    outcome: 'the other calls go on',
    charge: 'charged',
  },
  'repeat-written': {
    at: 'a request was refused without cost, and its repeat is written',
    outcome: 'it is sent again after the pause that is written with it',
    charge: 'charged',
  },
  'before-finish': {
    at: 'the last call is about to be settled, and the end to be written with it',
    outcome: 'both are written',
    charge: 'charged',
  },
  finished: { at: 'the end is written', outcome: 'nothing is left to do', charge: 'charged' },
}

/** The rows of the table in docs/recovery.md. */
export function table(): string {
  const rows = Object.entries(instants).map(
    ([point, { at, outcome, charge }]) => `| \`${point}\` | ${at} | ${outcome} | ${charge} |`,
  )
  return ['| point | it dies when … | after the next start | charge |', '|---|---|---|---|', ...rows].join('\n')
}
