export type JsonValue = string | number | boolean | null | JsonValue[] | { [name: string]: JsonValue }

export type JsonObject = { [name: string]: JsonValue }

export type JsonSchema = { [keyword: string]: unknown }

// ── Models: data, not code ──────────────────────────────────────────────────────────────────────────────────────────

export interface Model {
  id: string
  name: string
  /** Models of one family share limits, e.g. `seedream-4.5`. */
  family: string
  /** Other ids that mean the same model. */
  aliases?: readonly string[]
  /** By platform, the alias that it is called there, where the platform does not know `id`. */
  idAt?: Readonly<Record<string, string>>
  /** `legacy`: a newer one does the same. Whether it is still there is a matter of its platform: see `life`. */
  state: 'current' | 'legacy' | 'unlisted'
  /** The platforms of its service, as `Provider.platformAt` names them, that are known to serve it or to have served it. Absent: all. */
  platforms?: readonly string[]
  /** What is known of its end; the first entry that names the platform counts, then one without platforms. Absent: no end is known. */
  life?: readonly ModelLife[]
  /** One sentence each, for people. */
  about: { en: string; zh: string }
  /** False for models that only edit. */
  textToImage: boolean
  /** False: a series that `images.group.askedBy` asks for needs no prompt, or, without one, no request does. */
  promptRequired: boolean
  /** The service silently cuts what is longer, so we warn. In characters. */
  promptMaxCharacters?: number
  references: ReferenceLimits
  /** Absent: it takes no mask. */
  mask?: MaskForm
  sizes: { textToImage?: SizeRule; withReferences?: SizeRule; group?: SizeRule }
  images: ImageCount
  /**
   * The parameters that the model honours beside `size` and `n`, as JSON Schema (draft 2020-12) each, with `description`, and `default`
   * where we send one. A name of another model that is missing here becomes a warning; one that no model knows is refused.
   */
  parameters: Readonly<Record<string, JsonSchema>>
  /** Price at the default address of the provider. */
  price?: Price
  /** Why there is no price anywhere, to follow "No price is known: "; each model of the catalogue has this or a price on one list. */
  unpriced?: string
  /** Price at the other address that has a price list of its own; absent where none is known. */
  priceAbroad?: Price
  /** Seconds from request to picture that users saw, [fast, slow]. */
  typicalSeconds: readonly [number, number]
  /** Paid requests in flight per configuration. */
  concurrency: number
  /** Where the facts come from and when they were checked (`YYYY-MM`). */
  source: string
  checked: string
}

/** How a model ends on some platforms of its service. Times are ISO 8601 with their offset. */
export interface ModelLife {
  /** Platforms as `Provider.platformAt` names them; absent: all. */
  platforms?: readonly string[]
  /** When the service announced the end; its rate limits may shrink from then on. */
  announcedAt?: string
  /** From this time on, accounts that never opened it cannot open it any more. */
  closedToNewAt?: string
  /** From this time on, requests are refused. */
  endsAt?: string
  /** Ended at an unknown time. */
  hasEnded?: boolean
  /** Ids that do the same on these platforms, the best first; empty or absent where there is none. */
  successors?: readonly string[]
  certainty: 'documented' | 'reported' | 'inferred'
  source: string
  /** `YYYY-MM` or `YYYY-MM-DD`. */
  checked: string
}

/** What the list of a service says of one of its image models. */
export interface ListedModel {
  id: string
  /** `retiring`: available only to accounts that already use it. */
  status: 'offered' | 'retiring' | 'ended'
  /** The service's own word for it. */
  word: string
  /** What else the list says, such as the name and the input and output types. */
  told: JsonObject
}

export interface ReferenceLimits {
  min: number
  max: number
  /** Types the service takes, e.g. `image/png`; others are re-encoded to the first fitting one. */
  types: readonly string[]
  /** May an image with transparent pixels be sent unchanged? Otherwise it is flattened onto white. */
  alpha: boolean
  /** Limits of the base64 text of one reference and of all together, in bytes. */
  maxEncodedBytes: number
  maxTotalEncodedBytes: number
  /** Limits of the sides in pixels. Larger pictures are shrunk, smaller ones refused. */
  minSide: number
  maxSide: number
  maxArea?: number
  /** Long side over short side, at most. */
  maxRatio?: number
}

/** How an edit with a mask is asked for. The mask is the last reference, as large as the first. */
export interface MaskForm {
  /** What the pixels to change are in it. */
  marks: 'white' | 'transparent'
  /** These say that it is a mask. */
  parameters: JsonObject
}

export interface SizeRule {
  /** Tiers that the service itself understands and that are sent as words, e.g. `2K`. */
  keywords?: readonly string[]
  /** Bounds of a free W×H, all inclusive, in pixels; absent when only `exact` or `keywords` are taken. */
  free?: {
    minArea?: number
    maxArea?: number
    minSide?: number
    maxSide?: number
    /** Width over height. */
    minRatio?: number
    maxRatio?: number
  }
  /** The only W×H taken, e.g. `1664x928`. */
  exact?: readonly string[]
  /** Recommended sizes: tier → ratio → `WxH`. A ratio asked for is looked up under `defaultTier`, then computed. */
  table: Readonly<Record<string, Readonly<Record<string, string>>>>
  defaultTier?: string
  /** Sent by default: a keyword, a tier of the table or `WxH`; nothing is sent when it is absent. */
  default?: string
  /** A tier that is not a keyword takes the ratio of the last reference instead of 1:1. */
  followsLastReference?: boolean
}

export interface ImageCount {
  /** The most that one generation may ask for. */
  max: number
  /** The most that one call makes, if the service has a count parameter; more become several calls. */
  perCall: number
  /** One call makes a coherent series, and the model decides how many pictures it has. */
  group?: {
    limit: number
    /** References take places of `limit`. */
    countsReferences: boolean
    /** The boolean parameter that asks for a series; without it, any count above one is one. */
    askedBy?: string
    /** Without references it is one unless `askedBy` is false: nothing else can be made of text alone. */
    isImplied?: boolean
    maxReferences?: number
    /** Come on top of the pictures of each call, and each is billed. */
    maxLayers?: number
  }
}

/** `home` is `Model.price`, `abroad` is `Model.priceAbroad`; `unknown`: the service sells there at unknown prices. */
export type PriceList = 'home' | 'abroad' | 'unknown'

export interface Price {
  currency: 'CNY' | 'USD'
  /** By area of the picture made, ascending; the last step has no `upToArea`. Amount per picture. */
  image: readonly { upToArea?: number; amount: number }[]
  /** The same for extra layers. */
  layer?: readonly { upToArea?: number; amount: number }[]
  /** Per reference after the first `free`. */
  reference?: { amount: number; free: number }
  /** The amount is multiplied when this parameter is true. */
  factorWhen?: { parameter: string; factor: number }
  certainty: 'documented' | 'reported' | 'inferred'
  source: string
  checked: string
}

export type Size = { width: number; height: number } | { keyword: string }

/** A reference after it was oriented, shrunk and re-encoded for the model. */
export interface ReferenceFacts {
  mimeType: string
  width: number
  height: number
  /** Has at least one pixel that is not opaque. */
  transparent: boolean
}

export interface Warning {
  code: WarningCode
  parameter: string
  message: string
  /** Values in the sentence beside the model and the parameter. */
  values?: Record<string, string | number>
}

/** Each has a text of the studio in every language, and a row in docs/api.md. */
export type WarningCode =
  | 'left_out'
  | 'size_fitted'
  | 'prompt_cut'
  | 'negative_prompt_cut'
  | 'series_number'
  | 'size_of_reference'
  | 'story_without_reference'
  | 'story_writes_itself'
  | 'needs_rewriting'
  | 'needs_plain_text'
  | 'needs_reference'
  | 'needs_one_reference'
  | 'layers_without_seed'
  | 'edit_without_moderation'
  | 'model_retired'
  | 'task_not_proven'
  | 'picture_damaged'
  | 'picture_not_shown'
  | 'model_ending'
  | 'cap_without_price'
  | 'cap_in_other_currency'
