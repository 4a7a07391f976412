/** What the simulated OpenAI knows about each model (public API reference, 2025). */
import { Refusal } from '../refusal.ts'
import type { TaskDialect } from './tasks.ts'

export interface ImageModel {
  id: string
  family: 'gpt-image' | 'dall-e-3' | 'dall-e-2' | 'generic'
  /** Beside `model`, `prompt` and `user`; anything else is unknown. */
  parameters: Readonly<Record<string, readonly string[] | 'size' | 'integer' | 'boolean'>>
  maxCount: number
  promptCharacters: number
  /** Pictures that one edit takes; 0 when the model cannot edit. */
  maxReferences: number
  seconds: number
  /** The dialect in which it answers with a task; absent: it answers with pictures. */
  tasks?: TaskDialect
}

const responseFormats = ['url', 'b64_json']

const gptImage = {
  family: 'gpt-image',
  parameters: {
    size: ['1024x1024', '1024x1536', '1536x1024', 'auto'],
    quality: ['low', 'medium', 'high', 'auto'],
    background: ['transparent', 'opaque', 'auto'],
    output_format: ['png', 'jpeg', 'webp'],
    output_compression: 'integer',
    moderation: ['low', 'auto'],
    stream: 'boolean',
  },
  maxCount: 10,
  promptCharacters: 32_000,
  maxReferences: 16,
  seconds: 20,
} as const satisfies Omit<ImageModel, 'id'>

const { moderation: _notInEdits, ...sharedWithEdits } = gptImage.parameters
/** Edits have no `moderation`, but a wish for how closely the input is kept. */
export const gptImageEdits = { ...sharedWithEdits, input_fidelity: ['low', 'high'] } as const

const generic = {
  family: 'generic',
  parameters: { size: 'size', response_format: responseFormats },
  maxCount: 4,
  promptCharacters: 4000,
  maxReferences: 4,
  seconds: 6,
} as const satisfies Omit<ImageModel, 'id'>

export const imageModels: readonly ImageModel[] = [
  { id: 'gpt-image-1', ...gptImage },
  { id: 'gpt-image-1-mini', ...gptImage, seconds: 12 },
  {
    id: 'dall-e-3',
    family: 'dall-e-3',
    parameters: {
      size: ['1024x1024', '1792x1024', '1024x1792'],
      quality: ['standard', 'hd'],
      style: ['vivid', 'natural'],
      response_format: responseFormats,
    },
    maxCount: 1,
    promptCharacters: 4000,
    maxReferences: 0,
    seconds: 12,
  },
  {
    id: 'dall-e-2',
    family: 'dall-e-2',
    parameters: {
      size: ['256x256', '512x512', '1024x1024'],
      quality: ['standard'],
      response_format: responseFormats,
    },
    maxCount: 10,
    promptCharacters: 1000,
    maxReferences: 1,
    seconds: 8,
  },
  { id: 'generic-image', ...generic },
  ...(['list', 'object', 'plain', 'location'] as const).map(tasks => ({
    id: `task-image-${tasks}`,
    ...generic,
    tasks,
  })),
]

export function findModel(id: string): ImageModel {
  const model = imageModels.find(each => each.id === id)
  if (model) return model
  const message = `The model '${id}' does not exist or you do not have access to it.`
  throw new Refusal(404, 'model_not_found', message, { param: 'model' })
}

export const listedModel = ({ id }: ImageModel) => ({
  id,
  object: 'model',
  created: 1_745_000_000,
  owned_by: 'system',
})
