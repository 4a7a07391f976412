/** What the tools ask of a server, in the words of its API. In the server itself over its services, elsewhere over HTTP. */
import type { z } from 'zod'
import type { Money as MoneyOfApi } from '../api/caps.ts'
import type { Estimate } from '../api/estimate.ts'
import type { GenerateRequest, Generation } from '../api/generations.ts'
import type { HistoryPage } from '../api/history.ts'
import type { Image } from '../api/images.ts'
import type { Model } from '../api/models.ts'

export type GenerationInput = z.input<typeof GenerateRequest>

/** `from` and `to` are dates or times, inclusive. */
export interface HistoryFilter {
  q?: string
  model?: string
  status?: Generation['status']
  favorite?: boolean
  tag?: string
  from?: string
  to?: string
  limit?: number
  cursor?: string
}

export type Money = z.infer<typeof MoneyOfApi>

export interface Made {
  generation: Generation
  /** An equal request began it. */
  isJoined: boolean
}

export interface MakeOptions {
  /** The same key never makes a second generation. */
  key: string
  /** The caller's own key: it alone says what is a repeat. */
  isOwnKey: boolean
  /** Aborts when the call is over. */
  left: AbortSignal
}

/** Each throws an `ApiError` when the server refuses, or cannot be reached. */
export interface Operations {
  models(): Promise<Model[]>
  estimate(body: GenerationInput): Promise<Estimate>
  /**
   * The record at once; the pictures come later. What an equal request of the same token began is joined, as long as its end was not
   * delivered to anybody, or while nobody knows whether it was paid.
   */
  generate(body: GenerationInput, options: MakeOptions): Promise<Made>
  find(id: string): Promise<Generation>
  search(filter: HistoryFilter): Promise<z.infer<typeof HistoryPage>>
  cancel(id: string): Promise<Generation>
  retry(id: string, only: 'missing', options: MakeOptions): Promise<Made>
  /** Its end was told: an equal request from now on is another one. */
  noteDelivered(id: string): Promise<void>
  /** What the session may still spend, with what runs counted at the most that it may cost; undefined without a cap. */
  left(): Promise<Money | undefined>
  /** Tells the present state and every change, until the end or until `signal` aborts. */
  follow(id: string, signal: AbortSignal, tell: (generation: Generation) => void): Promise<void>
  /** A WebP of at most so many pixels a side. */
  thumbnail(imageId: string, size: 512 | 1024): Promise<Uint8Array>
  original(imageId: string): Promise<{ bytes: Uint8Array; mimeType: string }>
  /** Absolute; opens the original. */
  link(image: Pick<Image, 'id' | 'url'>): string
  /** Saves the original beside the client and returns its path. Absent where nobody asked for that. */
  save?(image: Pick<Image, 'id' | 'mime_type' | 'sha256'>): Promise<string>
  /** Stores a picture of this machine; returns its id. Absent where the tools run on another machine than the client. */
  uploadFile?(path: string): Promise<string>
}
