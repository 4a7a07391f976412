/** Masks as clients give them (transparent where to change), in the form that a model takes. */
import type { MaskForm } from '../catalogue/model.ts'
import { createDecoder, damagedImage, type ImageSource, inTurn, maxPixels, NotAnImage } from './facts.ts'
import { loadSharp } from './sharp.ts'

/** Less than half opaque is meant to change; soft edges belong to one side or the other. */
const halfOpaque = 128

/** A PNG of the same size. @throws NotAnImage when nothing of it is transparent */
export function convertMask(mask: ImageSource, marks: MaskForm['marks']): Promise<Buffer> {
  return inTurn(async () => {
    const { data, width, height } = await readOpacity(mask)
    let changes = false
    for (let place = 0; place < data.length; place++) {
      const isChanged = data[place]! < halfOpaque
      changes ||= isChanged
      data[place] = isChanged === (marks === 'white') ? 255 : 0
    }
    if (!changes) {
      throw new NotAnImage(
        'Nothing of it is transparent, so it says nothing about where to change the picture. Save it as PNG with the parts to change erased.',
      )
    }
    const sharp = await loadSharp()
    const plane = sharp(data, { raw: { width, height, channels: 1 } })
    if (marks === 'white') return plane.toColourspace('b-w').png().toBuffer()
    const black = { width, height, channels: 3, background: '#000000' } as const
    return sharp({ create: black })
      .joinChannel(data, { raw: { width, height, channels: 1 } })
      .png()
      .toBuffer()
  })
}

async function readOpacity(mask: ImageSource) {
  try {
    const decoder = await createDecoder(mask, { limitInputPixels: maxPixels, failOn: 'error' })
    const { data, info } = await decoder
      .autoOrient()
      .toColourspace('srgb')
      .ensureAlpha()
      .extractChannel('alpha')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true })
    return { data, width: info.width, height: info.height }
  } catch (error) {
    throw damagedImage(error)
  }
}
