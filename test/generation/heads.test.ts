/** What is told of a picture without the picture library is what that tells. */
import sharp, { type Sharp } from 'sharp'
import { expect, test } from 'vitest'
import { headBytes } from '../../src/images/facts.ts'
import { readPictureHead } from '../../src/images/heads.ts'

const noise = sharp({
  create: {
    width: 321,
    height: 123,
    channels: 3,
    background: 'red',
    noise: { type: 'gaussian', mean: 128, sigma: 30 },
  },
})

const plain: Record<string, (picture: Sharp) => Sharp> = {
  JPEG: picture => picture.jpeg(),
  'JPEG by steps': picture => picture.jpeg({ progressive: true, mozjpeg: true }),
  'grey JPEG': picture => picture.greyscale().jpeg(),
  'JPEG with a colour profile': picture => picture.withIccProfile('p3').jpeg(),
  PNG: picture => picture.png(),
  'PNG with a palette': picture => picture.png({ palette: true }),
  'PNG with a colour profile': picture => picture.withIccProfile('p3').png(),
}

test.each(Object.entries(plain))('%s', async (_name, encode) => {
  const bytes = await encode(noise.clone()).toBuffer()
  const { format, width, height } = await sharp(bytes).metadata()

  expect(readPictureHead(bytes.subarray(0, headBytes))).toEqual({ mimeType: `image/${format}`, width, height })
})

const turned = { IFD0: { Orientation: '6' } }
const left: Record<string, () => Promise<Buffer>> = {
  'a JPEG that may be turned': () => noise.clone().withExif(turned).jpeg().toBuffer(),
  'a PNG that may be turned': () => noise.clone().withExif(turned).png().toBuffer(),
  'a WebP': () => noise.clone().webp().toBuffer(),
  'a PNG with a wrong checksum': async () => {
    const bytes = await noise.clone().png().toBuffer()
    bytes[17]! ^= 1
    return bytes
  },
  'a JPEG that ends before its size': async () => (await noise.clone().jpeg().toBuffer()).subarray(0, 100),
  'a PNG that ends before its pixels': async () => (await noise.clone().png().toBuffer()).subarray(0, 40),
  'a page': async () => Buffer.from('<!doctype html><title>404</title>'),
  nothing: async () => Buffer.alloc(0),
}

test.each(Object.entries(left))('%s is left to the library', async (_name, make) => {
  expect(readPictureHead((await make()).subarray(0, headBytes))).toBeUndefined()
})
