/** References made fit for the model that gets them: upright, in sRGB, of an allowed type, within every limit. */
import { readFile } from 'node:fs/promises'
import type { ReferenceLimits } from '../catalogue/model.ts'
import { InvalidRequest } from '../catalogue/violation.ts'
import { type Dimensions, decodedPixels, encodedWithin, hasTransparentPixel, shrunk } from './encoding.ts'
import {
  createDecoder,
  type ImageFacts,
  type ImageSource,
  inTurn,
  isDecodable,
  maxPixels,
  NotAnImage,
  readImageFacts,
} from './facts.ts'
import { toViolation } from './references.ts'

/** The image as it is sent. */
export interface PreparedReference {
  bytes: Buffer
  mimeType: string
  width: number
  height: number
  /** Has at least one pixel that is not opaque. */
  transparent: boolean
}

/**
 * All references of a call: turned upright, in sRGB, of an allowed type, within every limit. Pictures that had the same
 * size keep the same size, as a picture and its mask have to. The same input always gives the same bytes.
 * @throws InvalidRequest with the violations of all of them
 */
export async function prepareReferences(
  images: readonly ImageSource[],
  limits: ReferenceLimits,
): Promise<PreparedReference[]> {
  const prepareAll = async (sizes: (Dimensions | undefined)[]) => {
    const outcomes = await Promise.allSettled(
      images.map((image, position) =>
        prepareReference(image, limits, { references: images.length, position, size: sizes[position] }),
      ),
    )
    const failed = outcomes.filter(outcome => outcome.status === 'rejected').map(outcome => outcome.reason as unknown)
    const other = failed.find(reason => !(reason instanceof InvalidRequest))
    if (other !== undefined) throw other
    if (failed.length > 0) throw new InvalidRequest(failed.flatMap(reason => (reason as InvalidRequest).violations))
    return outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  }

  let all = await prepareAll([])
  for (;;) {
    // One image of a pair may have had to shrink further to fit the byte limit; the other follows.
    const sizes = all.map(({ originalSize }) => {
      const twins = all.filter(twin => twin.originalSize === originalSize)
      return twins.reduce((least, twin) => (twin.width * twin.height < least.width * least.height ? twin : least))
    })
    const agree = all.every(
      ({ width, height }, position) => sizes[position]!.width === width && sizes[position]!.height === height,
    )
    if (agree) return all.map(withoutSize)
    all = await prepareAll(sizes.map(({ width, height }) => ({ width, height })))
  }
}

function withoutSize({
  originalSize: _,
  ...reference
}: PreparedReference & { originalSize: string }): PreparedReference {
  return reference
}

interface Sized extends PreparedReference {
  /** Identifies images that belong together. */
  originalSize: string
}

interface PrepareOptions {
  /** Number of references that share the total limit. */
  references: number
  position: number
  /** To shrink to, instead of the largest that fits. */
  size?: Dimensions
}

async function prepareReference(image: ImageSource, limits: ReferenceLimits, options: PrepareOptions): Promise<Sized> {
  try {
    return await inTurn(() => prepared(image, limits, options))
  } catch (error) {
    throw toViolation(error, options.position)
  }
}

async function prepared(image: ImageSource, limits: ReferenceLimits, options: PrepareOptions): Promise<Sized> {
  const facts = await readImageFacts(image, maxPixels)
  const target = options.size ?? fittingSize(facts, limits)
  const originalSize = `${facts.width}x${facts.height}`
  const maxEncoded = Math.min(limits.maxEncodedBytes, Math.floor(limits.maxTotalEncodedBytes / options.references))
  // The text around the base64, "data:image/jpeg;base64,", counts for some services.
  const maxBytes = Math.floor((maxEncoded - 40) / 4) * 3
  const isSameSize = target.width === facts.width && target.height === facts.height
  if (!isDecodable(facts.mimeType)) {
    if (!limits.types.includes(facts.mimeType)) throw notConvertible(facts, limits)
    const bytes = await readContent(image)
    if (!isSameSize || bytes.length > maxBytes) throw notShrinkable(facts)
    return { bytes, mimeType: facts.mimeType, ...target, transparent: false, originalSize }
  }

  const metadata = await (await createDecoder(image, { limitInputPixels: maxPixels })).metadata()
  const isPlain =
    facts.mimeType !== 'image/bmp' &&
    (metadata.orientation ?? 1) === 1 &&
    (metadata.pages ?? 1) === 1 &&
    metadata.depth === 'uchar' &&
    (metadata.space === 'srgb' || metadata.space === 'b-w') &&
    (metadata.icc === undefined || isSrgbProfile(metadata.icc)) &&
    // Location and author of a photograph are not sent to the service.
    metadata.exif === undefined &&
    metadata.xmp === undefined &&
    (limits.alpha || !metadata.hasAlpha)
  if (isPlain && isSameSize && limits.types.includes(facts.mimeType) && (metadata.size ?? 0) <= maxBytes) {
    const bytes = await readContent(image)
    if (bytes.length <= maxBytes) {
      const transparent = metadata.hasAlpha === true && (await hasTransparentPixel(image))
      return { bytes, mimeType: facts.mimeType, ...target, transparent, originalSize }
    }
  }

  // Transparency can only be kept if a type that supports it is accepted.
  const keepsAlpha = limits.alpha && (limits.types.includes('image/png') || limits.types.includes('image/webp'))
  const pixels = await decodedPixels(image, target, keepsAlpha)
  const result = await encodedWithin(pixels, facts.mimeType, limits, maxBytes)
  return { ...result, transparent: pixels.transparent, originalSize }
}

/**
 * The largest size of the same shape within the limits; depends on the size alone.
 * @throws NotAnImage when there is none
 */
function fittingSize(size: Dimensions, limits: ReferenceLimits): Dimensions {
  const long = Math.max(size.width, size.height)
  const short = Math.min(size.width, size.height)
  const shown = `${size.width}×${size.height}`
  const { minSide, maxSide, maxRatio, maxArea = Number.POSITIVE_INFINITY } = limits
  if (short < minSide) {
    throw new NotAnImage(`It is ${shown} pixels, and the model takes no side under ${minSide}. Give a larger picture.`)
  }
  if (maxRatio !== undefined && long > short * maxRatio) {
    throw new NotAnImage(`It is ${shown} pixels, and the model takes at most ${maxRatio}:1. Crop it to that.`)
  }
  const fitting = shrunk(size, Math.min(1, maxSide / long, Math.sqrt(maxArea / (long * short))), maxRatio)
  if (Math.min(fitting.width, fitting.height) < minSide) {
    throw new NotAnImage(
      `It is ${shown} pixels; shrunk to the ${maxSide} that the model takes, one side would be under ${minSide}. Crop it.`,
    )
  }
  return fitting
}

/** HEIC, as phones make it, is passed on unchanged or not at all. */
function notConvertible({ mimeType }: ImageFacts, { types }: ReferenceLimits): NotAnImage {
  const taken = types.map(type => type.replace('image/', '').toUpperCase()).join(', ')
  return new NotAnImage(
    `It is ${mimeType}, which the model does not take and which cannot be converted here. It takes ${taken}; save it as JPEG first.`,
  )
}

function notShrinkable({ mimeType, width, height }: ImageFacts): NotAnImage {
  return new NotAnImage(
    `It is ${mimeType} of ${width}×${height} pixels, larger than the model takes, and cannot be shrunk here. Save it as JPEG first.`,
  )
}

/** The description of a profile is text in 8 or 16 bits. */
function isSrgbProfile(profile: Buffer): boolean {
  return profile.includes('sRGB') || profile.includes('s\0R\0G\0B')
}

async function readContent(image: ImageSource): Promise<Buffer> {
  if (typeof image !== 'string') return image
  return readFile(image)
}
