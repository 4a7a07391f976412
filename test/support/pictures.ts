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

/** 64×64 pixels of one colour, as a phone writes them (made with heif-enc of libheif 1.15.1). */
export const heic = Buffer.from(
  'AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAUJtZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAAA5waXRtAAAAAAABAAAAImlsb2MAAAAAREAAAQABAAAAAAFmAAEAAAAAAAAAGQAAACNpaW5mAAAAAAABAAAAFWluZmUCAAAAAAEAAGh2YzEAAAAAwmlwcnAAAACkaXBjbwAAAHhodmNDAQNwAAAAAAAAAAAAHvAA/P34+AAADwMgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQCEAAQArQgEBA3AAAAMAkAAAAwAAAwAeoCCBBZbqSSmubgQEDAgAAAMACAAAAwAIQCIAAQAHRAHBcrAiQAAAABRpc3BlAAAAAAAAAEAAAABAAAAAEHBpeGkAAAAAAwgICAAAABZpcG1hAAAAAAAAAAEAAQOBAoMAAAAhbWRhdAAAABUoAa8ZgPd8hTe0xOH/qeC/yIFeLRw=',
  'base64',
)

/** Pixels from top to bottom, red, green and blue each. */
export function bmp(width: number, height: number, pixels: Buffer): Buffer {
  const rowBytes = Math.ceil((width * 3) / 4) * 4
  const head = Buffer.alloc(54)
  head.write('BM')
  head.writeUInt32LE(54 + rowBytes * height, 2)
  head.writeUInt32LE(54, 10)
  head.writeUInt32LE(40, 14)
  head.writeInt32LE(width, 18)
  head.writeInt32LE(height, 22)
  head.writeUInt16LE(1, 26)
  head.writeUInt16LE(24, 28)
  const rows = Array.from({ length: height }, (_, index) => {
    const row = Buffer.alloc(rowBytes)
    const y = height - 1 - index
    for (let x = 0; x < width; x++) {
      const [red = 0, green = 0, blue = 0] = pixels.subarray((y * width + x) * 3)
      row.set([blue, green, red], x * 3)
    }
    return row
  })
  return Buffer.concat([head, ...rows])
}
