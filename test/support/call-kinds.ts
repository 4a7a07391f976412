/** Every kind of call that there is, as the smallest request that makes it. */
import type { Failpoint } from '../../src/coordination/failpoints.ts'

export interface CallKind {
  name: string
  provider: 'doubao' | 'qwen' | 'openai'
  request: { prompt: string; model: string; provider?: string; parameters: Record<string, unknown> }
  /** Paid requests and pictures of one generation. */
  calls: number
  pictures: number
  /** Parts of its stream; 0 for an answer that comes whole. */
  parts: number
  isTask: boolean
  /** The service has a list of tasks, where one whose id was lost is found. */
  isListed: boolean
  /** Its answer repeats the prompt, so that a task which was found is known to be its own. */
  isProven: boolean
  /** Its answer is too large for a row. */
  isLarge: boolean
}

const plain = { calls: 1, pictures: 1, parts: 0, isTask: false, isListed: false, isProven: false, isLarge: false }

export const callKinds: CallKind[] = [
  {
    ...plain,
    name: 'Ark, one picture',
    provider: 'doubao',
    request: { prompt: 'one boat', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } },
  },
  {
    ...plain,
    name: 'Ark, a group as a stream',
    provider: 'doubao',
    request: { prompt: 'three boats', model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960', n: 3 } },
    pictures: 3,
    // Three pictures, the end of the series, the end of the stream.
    parts: 5,
  },
  {
    ...plain,
    name: 'Ark, several calls',
    provider: 'doubao',
    request: { prompt: 'two boats', model: 'doubao-seedream-5-0-pro-260628', parameters: { size: '1024x1024', n: 2 } },
    calls: 2,
    pictures: 2,
  },
  {
    ...plain,
    name: 'DashScope, at once',
    provider: 'qwen',
    request: { prompt: 'one boat', model: 'qwen-image-2.0', parameters: { size: '512x512' } },
  },
  {
    ...plain,
    name: 'DashScope, task on the new route',
    provider: 'qwen',
    request: { prompt: 'two boats', model: 'wan2.7-image', parameters: { size: '768x768', n: 2 } },
    pictures: 2,
    isTask: true,
    isListed: true,
  },
  {
    ...plain,
    name: 'DashScope, task on the old route',
    provider: 'qwen',
    request: { prompt: 'two boats', model: 'wan2.2-t2i-flash', parameters: { size: '512x512', n: 2 } },
    pictures: 2,
    isTask: true,
    isListed: true,
    isProven: true,
  },
  {
    ...plain,
    name: 'OpenAI style, pictures in the answer',
    provider: 'openai',
    request: { prompt: 'one boat', model: 'gpt-image-1-mini', parameters: { size: '1024x1024' } },
    isLarge: true,
  },
  {
    ...plain,
    name: 'OpenAI style, a gateway with tasks',
    provider: 'openai',
    request: {
      prompt: 'one boat',
      model: 'task-image-list',
      provider: 'openai',
      parameters: { size: '1024x1024' },
    },
    isTask: true,
  },
]

/** How often a generation of this kind passes a point. */
export function countPassages(kind: CallKind, point: Failpoint): number {
  switch (point) {
    case 'generation-written':
    case 'before-finish':
    case 'finished':
      return 1
    case 'task-known-before-written':
    case 'task-written':
      return kind.isTask ? 1 : 0
    // The simulator at time scale 0 is busy at the first look and done at the second.
    case 'before-poll':
      return kind.isTask ? 2 : 0
    // Large answers go to disk while they come, like streams.
    case 'stream-begun':
      return kind.parts > 0 || kind.isLarge ? 1 : 0
    case 'stream-part-read':
    case 'stream-part-appended':
      return kind.parts
    case 'answer-file-written':
      return kind.isLarge ? 1 : 0
    case 'picture-fetched':
    case 'picture-put':
      return kind.pictures
    // The row of a single one is written with the end.
    case 'picture-written':
      return kind.pictures > 1 ? kind.pictures : 0
    default:
      return kind.calls
  }
}
