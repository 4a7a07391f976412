/**
 * The Seedream models as the simulator serves them: capability table, pixel tables and models list of the Ark documents
 * (image API, models, 5.0 pro; state of 2026-11).
 */

export interface Family {
  name: '5.5' | '5.0-pro' | '5.0-flash' | '5.0-lite' | '4.5' | '4.0'
  maxReferences: number
  minArea: number
  maxArea: number
  group: boolean
  stream: boolean
  search: boolean
  /** First the default; null where the field is refused and everything is JPEG. */
  formats: readonly ('png' | 'jpeg')[] | null
  modes: readonly string[]
  /** Empty where the field is refused. */
  backgrounds: readonly string[]
  backgroundNeedsReference: boolean
  /** 0 where the field is refused. */
  maxLayers: number
  /** Another seed, another picture. Every other model takes one without effect. */
  honoursSeed: boolean
  /** HEIC and HEIF are documented from 5.0 pro on. */
  heic: boolean
  maxReferenceBytes: number
  /** Only answers of 5.0 pro, flash and 5.5 have what these two stand for. */
  countsInputs: boolean
  namesFormat: boolean
  /** The models answer about different fields first when several are wrong. */
  checkedFirst: 'size' | 'background'
  tiers: Readonly<Record<string, readonly string[]>>
  /** Seconds of one picture of a small and a large tier, and of each further one of a group. */
  seconds: { small: number; large: number; further: number }
}

// Recommended sizes per tier, 1:1 4:3 3:4 16:9 9:16 3:2 2:3 21:9.
const oneK = sizes('1024x1024 1152x864 864x1152 1280x720 720x1280 1248x832 832x1248 1512x648')
const oneKNew = sizes('1024x1024 1152x864 864x1152 1424x800 800x1424 1248x832 832x1248 1568x672')
const oneAndHalfK = sizes('1536x1536 1792x1344 1344x1792 2048x1152 1152x2048 1872x1248 1248x1872 2352x1008')
const twoKNew = sizes('2048x2048 2368x1776 1776x2368 2816x1584 1584x2816 2496x1664 1664x2496 3136x1344')
const twoK = sizes('2048x2048 2304x1728 1728x2304 2848x1600 1600x2848 2496x1664 1664x2496 3136x1344')
const threeK = sizes('3072x3072 3456x2592 2592x3456 4096x2304 2304x4096 3744x2496 2496x3744 4704x2016')
const fourK = sizes('4096x4096 4704x3520 3520x4704 5504x3040 3040x5504 4992x3328 3328x4992 6240x2656')
/** A tier lets the model choose, and what it chose was seen off the tables. */
export const offTable: Readonly<Record<string, readonly string[]>> = { '2K': sizes('2720x1536 1760x2368') }

const tensOfMegabytes = 10 * 2 ** 20

const fivePro: Family = {
  name: '5.0-pro',
  maxReferences: 10,
  minArea: 921_600,
  maxArea: 4_624_220,
  group: false,
  stream: false,
  search: false,
  formats: ['jpeg', 'png'],
  modes: ['standard', 'fast'],
  backgrounds: ['opaque', 'transparent'],
  backgroundNeedsReference: true,
  maxLayers: 16,
  honoursSeed: false,
  heic: true,
  maxReferenceBytes: 3 * tensOfMegabytes,
  countsInputs: true,
  namesFormat: true,
  checkedFirst: 'background',
  tiers: { '1K': oneKNew, '1.5K': oneAndHalfK, '2K': twoKNew },
  seconds: { small: 43, large: 80, further: 0 },
}

const fiveFlash: Family = {
  ...fivePro,
  name: '5.0-flash',
  modes: ['standard'],
  // Measured on flash only.
  honoursSeed: true,
  seconds: { small: 10, large: 15, further: 0 },
}

const fiveFive: Family = {
  ...fivePro,
  name: '5.5',
  formats: ['png', 'jpeg'],
  modes: ['standard'],
  backgrounds: ['auto', 'transparent', 'opaque'],
  backgroundNeedsReference: false,
  maxLayers: 99,
  seconds: { small: 16, large: 30, further: 0 },
}

const fiveLite: Family = {
  name: '5.0-lite',
  maxReferences: 14,
  minArea: 3_686_400,
  maxArea: 16_777_216,
  group: true,
  stream: true,
  search: true,
  formats: ['jpeg', 'png'],
  modes: ['standard'],
  // One report says that lite ignores `background`. Refusing it shows a client that sends it.
  backgrounds: [],
  backgroundNeedsReference: false,
  maxLayers: 0,
  honoursSeed: false,
  heic: false,
  maxReferenceBytes: 3 * tensOfMegabytes,
  countsInputs: false,
  namesFormat: false,
  checkedFirst: 'size',
  tiers: { '2K': twoK, '3K': threeK, '4K': fourK },
  seconds: { small: 27, large: 35, further: 20 },
}

const fourFive: Family = {
  ...fiveLite,
  name: '4.5',
  search: false,
  formats: null,
  maxReferenceBytes: tensOfMegabytes,
  tiers: { '2K': twoK, '4K': fourK },
  seconds: { small: 20, large: 30, further: 20 },
}

const fourZero: Family = {
  ...fourFive,
  name: '4.0',
  minArea: 921_600,
  modes: ['standard', 'fast'],
  tiers: { '1K': oneK, '2K': twoK, '4K': fourK },
  seconds: { small: 8, large: 13, further: 10 },
}

export interface ServedModel {
  id: string
  name: string
  version: string
  family: Family
  /** Served, but absent from the models list; the answer names `echo` instead. */
  echo?: string
}

function served(name: string, version: string, family: Family, echo?: string): ServedModel {
  return { id: `${name}-${version}`, name, version, family, echo }
}

export const arkModels: readonly ServedModel[] = [
  served('doubao-seedream-5-5', '261028', fiveFive),
  served('doubao-seedream-5-0-pro', '260628', fivePro),
  served('doubao-seedream-5-0-flash', '260915', fiveFlash),
  served('doubao-seedream-5-0', '260128', fiveLite),
  served('doubao-seedream-5-0-lite', '260128', fiveLite, 'doubao-seedream-5-0-260128'),
  served('doubao-seedream-4-5', '251128', fourFive),
  served('doubao-seedream-4-0', '250828', fourZero),
  served('doubao-seedream-4-0', '20260415', fourZero),
]

// Live in 2026-06, `tools` was refused there.
const liteWithoutSearch: Family = { ...fiveLite, search: false }

/** BytePlus ModelArk. Its own spellings; those of gateways are taken too. */
export const bytePlusModels: readonly ServedModel[] = [
  served('seedream-5-5', '261028', fiveFive),
  served('dola-seedream-5-5', '261028', fiveFive, 'seedream-5-5-261028'),
  served('dola-seedream-5-0-pro', '260628', fivePro),
  served('seedream-5-0-pro', '260628', fivePro, 'dola-seedream-5-0-pro-260628'),
  served('dola-seedream-5-0-flash', '260915', fiveFlash),
  served('seedream-5-0-flash', '260915', fiveFlash, 'dola-seedream-5-0-flash-260915'),
  served('seedream-5-0', '260128', liteWithoutSearch),
  served('seedream-5-0-lite', '260128', liteWithoutSearch, 'seedream-5-0-260128'),
  served('seedream-4-5', '251128', fourFive),
  served('seedream-4-0', '250828', fourZero),
  served('seedream-4-0', '20260415', fourZero),
]

/** One that came out today: it takes what the second build of 4.0 does. */
export function newModel(id: string): ServedModel {
  const [, name = id, version = ''] = /^(.+)-([^-]+)$/.exec(id) ?? []
  return served(name, version, fourZero)
}

/** What subscription keys may spell at `/api/plan/v3`, and the model meant: the date is no pin. */
export const planModels: Readonly<Record<string, string>> = {
  'doubao-seedream-5.0-pro': 'doubao-seedream-5-0-pro-260628',
  'doubao-seedream-5-0-pro': 'doubao-seedream-5-0-pro-260628',
  'doubao-seedream-5-0-pro-260628': 'doubao-seedream-5-0-pro-260628',
  'doubao-seedream-5.0-lite': 'doubao-seedream-5-0-lite-260128',
  'doubao-seedream-5-0-lite-260128': 'doubao-seedream-5-0-lite-260128',
}

// ── The list of models ──────────────────────────────────────────────────────────────────────────────────────────────

/** `Retiring`: only for who has it open. `Shutdown`: for nobody. */
export type ModelStatus = '' | 'Retiring' | 'Shutdown'

/** What `GET models` calls a model that makes no pictures; asked for one, it is refused by the name of the field. */
const others: readonly object[] = [
  listed('doubao-seed-2-0-pro', '260215', 'VLM', '', ['ImageQuestionAnswering'], ['text', 'image'], ['text']),
  listed('doubao-seed-1-6', '250615', 'LLM', 'Retiring', ['TextGeneration'], ['text'], ['text']),
  listed('doubao-embedding-large-text', '250515', 'Embedding', '', ['TextEmbedding'], ['text'], []),
  listed(
    'doubao-seedance-1-0-pro',
    '250528',
    'VideoGeneration',
    '',
    ['TextToVideo', 'ImageToVideo'],
    ['text', 'image'],
    ['video'],
  ),
]

export const otherModalities: ReadonlySet<string> = new Set(others.map(model => (model as { id: string }).id))

/** Listed, and not served to anybody that was seen. */
const gone = [
  { name: 'seedream-3-0-t2i', version: '250415', tasks: ['TextToImage'], onBytePlus: 'Retiring' },
  { name: 'seededit-3-0-i2i', version: '250628', tasks: ['ImageToImage'], onBytePlus: 'Shutdown' },
] as const

/** The answer of `GET models`: all modalities, retired models too, the same for every account. */
export function modelsList(models: readonly ServedModel[], statusOf: (id: string) => ModelStatus): object {
  const isBytePlus = models === bytePlusModels
  const images = models.filter(model => model.echo === undefined)
  return {
    object: 'list',
    data: [
      ...others,
      ...images.map(({ id, name, version }) =>
        listedImageModel(name, version, statusOf(id), ['TextToImage', 'ImageToImage']),
      ),
      ...gone.map(({ name, version, tasks, onBytePlus }) =>
        isBytePlus
          ? listedImageModel(name, version, onBytePlus, [...tasks])
          : listedImageModel(`doubao-${name}`, version, 'Shutdown', [...tasks]),
      ),
    ],
  }
}

function listedImageModel(name: string, version: string, status: string, tasks: string[]) {
  return listed(name, version, 'ImageGeneration', status, tasks, ['text', 'image'], ['image'])
}

function listed(
  name: string,
  version: string,
  domain: string,
  status: string,
  tasks: string[],
  input: string[],
  output: string[],
) {
  return {
    id: `${name}-${version}`,
    name,
    version,
    object: 'model',
    created: 1_764_300_000,
    domain,
    status,
    task_type: tasks,
    modalities: { input_modalities: input, output_modalities: output },
    features: {},
    token_limits: {},
  }
}

function sizes(text: string): readonly string[] {
  return text.split(' ')
}

export interface Size {
  width: number
  height: number
}

export function parseSize(size: string): Size | undefined {
  const found = /^([1-9]\d{0,5})x([1-9]\d{0,5})$/.exec(size)
  return found ? { width: Number(found[1]), height: Number(found[2]) } : undefined
}
