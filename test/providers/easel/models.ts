import type { Model, SizeRule } from '../../../src/catalogue/model.ts'

const sizes: SizeRule = {
  exact: ['64x64', '128x64'],
  table: { '1K': { '1:1': '64x64', '2:1': '128x64' } },
  defaultTier: '1K',
  default: '64x64',
}

export const models: readonly Model[] = [
  {
    id: 'easel-1',
    name: 'Easel 1',
    family: 'easel',
    state: 'current',
    about: { en: 'Small pictures.', zh: '小图片。' },
    textToImage: true,
    promptRequired: true,
    references: {
      min: 0,
      max: 1,
      types: ['image/png'],
      alpha: true,
      maxEncodedBytes: 1_000_000,
      maxTotalEncodedBytes: 1_000_000,
      minSide: 1,
      maxSide: 1024,
    },
    sizes: { textToImage: sizes, withReferences: sizes },
    images: { max: 4, perCall: 1 },
    parameters: { texture: { type: 'string', enum: ['oil', 'chalk'], description: 'What it is painted with.' } },
    price: {
      currency: 'USD',
      image: [{ amount: 0.01 }],
      certainty: 'documented',
      source: 'made up',
      checked: '2026-11',
    },
    typicalSeconds: [1, 2],
    concurrency: 2,
    source: 'made up',
    checked: '2026-11',
  },
]

export const platforms = ['easel']

export function platformAt(baseUrl: string): string | undefined {
  return URL.parse(baseUrl)?.hostname === 'easel.example' ? 'easel' : undefined
}

export function unlisted(id: string, declared: boolean): Model | undefined {
  const [first] = models
  if (!first || (!declared && !id.startsWith('easel-'))) return undefined
  return { ...first, id, name: id, state: 'unlisted', price: undefined }
}
