/** Pictures that tests give as references. */
import sharp from 'sharp'

export async function png(
  width: number,
  height: number,
  options: { transparent?: boolean; color?: string } = {},
): Promise<Buffer> {
  const background = options.transparent ? { r: 200, g: 120, b: 40, alpha: 0.4 } : (options.color ?? '#c87828')
  return sharp({ create: { width, height, channels: options.transparent ? 4 : 3, background } })
    .png()
    .toBuffer()
}

export async function jpeg(width: number, height: number): Promise<Buffer> {
  return sharp({ create: { width, height, channels: 3, background: '#28789c' } })
    .jpeg()
    .toBuffer()
}

export function dataUri(bytes: Buffer, type = 'image/png') {
  return `data:${type};base64,${bytes.toString('base64')}`
}
