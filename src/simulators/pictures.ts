/**
 * The pictures that the simulators paint: small landscapes, decided by the words of the prompt and a hash of it. They are drawn
 * as SVG with a long side of `canvasSide` and enlarged, which suits washes of ink and keeps a 4096² picture cheap.
 */
import { createHash } from 'node:crypto'
import sharp, { type OverlayOptions } from 'sharp'

export interface PictureOptions {
  /** Exact, in pixels. */
  width: number
  height: number
  type: 'png' | 'jpeg'
  prompt: string
  seed?: number
  /** Position in its group; another index is another picture. */
  index: number
  /** A visible mark at the bottom right. */
  watermark?: boolean
  /** PNG only: the scene in a round window, nothing around it. */
  transparent?: boolean
  /** Encoded pictures that show up in the result: as photographs lying on it, at most four. */
  references?: Buffer[]
  /** One colour in place of the landscape, for whoever needs many pictures and looks at none. */
  plain?: boolean
}

const canvasSide = 512
/** The surroundings of a picture are processes that wait; two threads draw fast enough without taking the machine. */
sharp.concurrency(2)
sharp.cache({ files: 0, items: 50, memory: 32 })

/** The same options give the same bytes. Undecodable references are left out. */
export async function drawPicture(options: PictureOptions): Promise<Buffer> {
  const { width, height, type, index, prompt } = options
  const chance = chanceOf(JSON.stringify([prompt, options.seed ?? -1, index]))
  let picture = options.plain ? oneColour(width, height, chance) : await landscape(width, height, prompt, chance)

  const layers: OverlayOptions[] = await photographs(options.references ?? [], width, height, chance)
  const transparent = options.transparent === true && type === 'png'
  if (transparent) {
    picture = picture.ensureAlpha()
    layers.push({ input: Buffer.from(roundWindow(width, height)), blend: 'dest-in' })
  }
  if (options.watermark) layers.push(mark(width, height))
  if (layers.length > 0) picture = picture.composite(layers)
  if (type === 'jpeg') return picture.jpeg({ quality: 88 }).toBuffer()
  if (!transparent) picture = picture.removeAlpha()
  return picture.png({ compressionLevel: 2, adaptiveFiltering: false }).toBuffer()
}

/** A copy small enough to be kept beside a picture that is drawn later; undefined when it cannot be decoded. */
export async function thumbnailOf(reference: Buffer): Promise<Buffer | undefined> {
  try {
    return await sharp(reference)
      .rotate()
      .resize(480, 480, { fit: 'inside', withoutEnlargement: true })
      .png({ compressionLevel: 3 })
      .toBuffer()
  } catch {
    return undefined
  }
}

function oneColour(width: number, height: number, chance: Chance) {
  const background = { r: chance.whole(0, 255), g: chance.whole(0, 255), b: chance.whole(0, 255) }
  return sharp({ create: { width, height, channels: 3, background } })
}

async function landscape(width: number, height: number, prompt: string, chance: Chance) {
  const shrink = Math.min(1, canvasSide / Math.max(width, height))
  const canvas = { width: Math.max(1, Math.round(width * shrink)), height: Math.max(1, Math.round(height * shrink)) }
  const scene = paint(canvas, prompt, chance)
  const { data, info } = await sharp(Buffer.from(scene)).removeAlpha().raw().toBuffer({ resolveWithObject: true })
  grain(data, info.width, info.height, info.channels, chance)
  const raw = { width: info.width, height: info.height, channels: info.channels }
  return sharp(data, { raw }).resize(width, height, { fit: 'fill', kernel: 'linear' })
}

// ── Chance and colour ───────────────────────────────────────────────────────────────────────────────────────────────

interface Chance {
  /** 0 ≤ x < 1 */
  next(): number
  between(low: number, high: number): number
  whole(low: number, high: number): number
  pick<Item>(items: readonly Item[]): Item
}

function chanceOf(text: string): Chance {
  let state = createHash('sha256').update(text).digest().readUInt32LE()
  // mulberry32: small, well distributed, the same everywhere.
  const next = () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const between = (low: number, high: number) => low + (high - low) * next()
  return {
    next,
    between,
    whole: (low, high) => Math.floor(between(low, high + 1)),
    pick: items => items[Math.floor(next() * items.length)]!,
  }
}

interface Palette {
  words: RegExp
  dark?: boolean
  /** Top and bottom of the sky, or of the paper. */
  sky: [string, string]
  far: string
  near: string
  disc: string
  accent: string
}

const palettes: readonly Palette[] = [
  {
    words: /ink|水墨|墨|calligraphy|tea|茶/i,
    sky: ['#f5eee0', '#e6d9bf'],
    far: '#bdb9aa',
    near: '#2b3538',
    disc: '#c3412b',
    accent: '#c3412b',
  },
  {
    words: /dawn|morning|sunrise|晨|日出|pink|粉/i,
    sky: ['#f7d9d0', '#fdf0dd'],
    far: '#d3a7a9',
    near: '#553349',
    disc: '#e9643f',
    accent: '#d8475a',
  },
  {
    words: /jade|green|绿|春|spring|tea garden/i,
    sky: ['#e3efe4', '#f5f3e2'],
    far: '#a4c4b3',
    near: '#1d4a43',
    disc: '#e2a83a',
    accent: '#d9683c',
  },
  {
    words: /night|moon|夜|月|star|星/i,
    dark: true,
    sky: ['#0d1730', '#3d5d88'],
    far: '#46648f',
    near: '#0a1224',
    disc: '#f7efd2',
    accent: '#f2b45c',
  },
  {
    words: /dusk|evening|sunset|黄昏|晚|夕|purple|紫/i,
    dark: true,
    sky: ['#34285a', '#e58a6b'],
    far: '#8b587f',
    near: '#1d1331',
    disc: '#ffcf85',
    accent: '#ffb45e',
  },
  {
    words: /blue|青|蓝|landscape|山水/i,
    sky: ['#f1e6c6', '#dfcb97'],
    far: '#7fb0a4',
    near: '#1b5570',
    disc: '#bb4a30',
    accent: '#bb4a30',
  },
  {
    words: /snow|winter|雪|冬|ice|冰/i,
    sky: ['#dde6ee', '#f4f5f3'],
    far: '#b6c5d2',
    near: '#394a5c',
    disc: '#dc5a4b',
    accent: '#c9463b',
  },
  {
    words: /autumn|fall|秋|red|红|gold|金|maple|枫/i,
    sky: ['#f8e8c6', '#efc489'],
    far: '#d49a68',
    near: '#5c2a1d',
    disc: '#b9321f',
    accent: '#c8401f',
  },
]

interface Canvas {
  width: number
  height: number
}

interface Easel extends Canvas {
  /** The shorter side, so that things keep their proportions in any format. */
  unit: number
  palette: Palette
  chance: Chance
  /** Defines a gradient or another resource and returns `url(#…)` for it. */
  define(element: (id: string) => string): string
}

type Scene = (easel: Easel) => string

const scenes: readonly { words: RegExp; draw: Scene }[] = [
  { words: /mountain|山|peak|峰|valley|hill|mist|雾|云|cloud/i, draw: mountains },
  { words: /sea|ocean|海|wave|浪|boat|ship|船|beach|island|岛|lighthouse/i, draw: sea },
  { words: /forest|bamboo|竹|林|tree|树|garden|panda|熊猫/i, draw: bamboo },
  { words: /flower|花|blossom|梅|樱|cherry|plum|branch|bird|鸟|spring|portrait|girl|woman|人/i, draw: blossoms },
  { words: /desert|沙|dune|sand|camel|fox|狐|horse|马/i, draw: dunes },
  { words: /lake|湖|river|江|河|temple|寺|pagoda|塔|city|城|castle|house|屋|reflection/i, draw: lake },
]

function paint(canvas: Canvas, prompt: string, chance: Chance): string {
  const palette = named(palettes, prompt, chance)
  const scene = named(scenes, prompt, chance)
  const definitions: string[] = []
  const easel: Easel = {
    ...canvas,
    unit: Math.min(canvas.width, canvas.height),
    palette,
    chance,
    define(element) {
      const id = `d${definitions.length}`
      definitions.push(element(id))
      return `url(#${id})`
    },
  }
  const shapes = background(easel) + scene.draw(easel) + vignette(easel)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${canvas.width}" height="${canvas.height}"><defs>${definitions.join('')}</defs>${shapes}</svg>`
}

/** The one that the prompt speaks of, otherwise any. Chance is asked either way, so that words do not shift the rest. */
function named<Item extends { words: RegExp }>(items: readonly Item[], prompt: string, chance: Chance): Item {
  const any = chance.pick(items)
  const meant = items.filter(item => item.words.test(prompt))
  return meant.length === 0 ? any : meant[Math.floor(chance.next() * meant.length)]!
}

function mix(from: string, to: string, share: number): string {
  const channel = (colour: string, at: number) => Number.parseInt(colour.slice(at, at + 2), 16)
  const mixed = [1, 3, 5].map(at => Math.round(channel(from, at) + (channel(to, at) - channel(from, at)) * share))
  return `#${mixed.map(value => value.toString(16).padStart(2, '0')).join('')}`
}

const round = (value: number) => value.toFixed(1)

// ── Parts of scenes ─────────────────────────────────────────────────────────────────────────────────────────────────

function verticalWash(easel: Easel, top: string, bottom: string, opacities: [number, number] = [1, 1]): string {
  return easel.define(
    id =>
      `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${top}" stop-opacity="${opacities[0]}"/>` +
      `<stop offset="1" stop-color="${bottom}" stop-opacity="${opacities[1]}"/></linearGradient>`,
  )
}

function glow(easel: Easel, colour: string, opacity: number): string {
  return easel.define(
    id =>
      `<radialGradient id="${id}"><stop offset="0" stop-color="${colour}" stop-opacity="${opacity}"/><stop offset=".45" stop-color="${colour}" stop-opacity="${opacity * 0.35}"/>` +
      `<stop offset="1" stop-color="${colour}" stop-opacity="0"/></radialGradient>`,
  )
}

function background(easel: Easel): string {
  const { width, height, palette, chance } = easel
  let drawn = `<rect width="${width}" height="${height}" fill="${verticalWash(easel, ...palette.sky)}"/>`
  // Clouds of wash, wide and faint.
  for (let count = 0; count < 5; count++) {
    const fill = glow(easel, chance.pick([palette.far, palette.sky[0], palette.disc]), 0.18)
    drawn += ellipse(
      chance.between(0, width),
      chance.between(0, height * 0.6),
      width * chance.between(0.25, 0.6),
      height * chance.between(0.06, 0.22),
      fill,
    )
  }
  if (palette.dark) {
    for (let count = 0; count < 70; count++) {
      const radius = easel.unit * chance.between(0.0008, 0.0026)
      drawn += `<circle cx="${round(chance.between(0, width))}" cy="${round(height * chance.next() ** 1.6 * 0.6)}" r="${radius.toFixed(2)}" fill="#fff8e0" opacity="${chance.between(0.25, 0.9).toFixed(2)}"/>`
    }
  }
  return drawn
}

function ellipse(x: number, y: number, radiusX: number, radiusY: number, fill: string, more = ''): string {
  return `<ellipse cx="${round(x)}" cy="${round(y)}" rx="${round(radiusX)}" ry="${round(radiusY)}" fill="${fill}" ${more}/>`
}

/** Sun or moon with its halo. */
function disc(easel: Easel, x: number, y: number, radius: number): string {
  const { palette } = easel
  const light = mix(palette.disc, '#ffffff', palette.dark ? 0.25 : 0.08)
  const face = easel.define(
    id =>
      `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${light}"/><stop offset="1" stop-color="${palette.disc}" stop-opacity="${palette.dark ? 1 : 0.82}"/></linearGradient>`,
  )
  return (
    ellipse(x, y, radius * 3.2, radius * 3.2, glow(easel, palette.disc, palette.dark ? 0.55 : 0.4)) +
    ellipse(x, y, radius, radius, face)
  )
}

/** A line of heights over the width: layered noise, 0 … 1. */
function skyline(easel: Easel, roughness: number, waves: number): (x: number) => number {
  const octaves = Array.from({ length: 5 }, (_, octave) => {
    const knots = Array.from({ length: Math.ceil(waves * 2 ** octave) + 3 }, () => easel.chance.next())
    return { knots, frequency: waves * 2 ** octave, weight: roughness ** octave }
  })
  const total = octaves.reduce((sum, { weight }) => sum + weight, 0)
  return x => {
    let height = 0
    for (const { knots, frequency, weight } of octaves) {
      const at = Math.max(0, Math.min(0.9999, x / easel.width)) * frequency
      const left = Math.floor(at)
      const share = at - left
      const eased = share * share * (3 - 2 * share)
      height += weight * (knots[left]! * (1 - eased) + knots[left + 1]! * eased)
    }
    return height / total
  }
}

function outline(easel: Easel, y: (x: number) => number, bottom: number, step = 4): string {
  let path = `M-2 ${round(bottom)}`
  for (let x = -2; x <= easel.width + step; x += step) path += `L${round(x)} ${round(y(x))}`
  return `${path}L${round(easel.width + step)} ${round(bottom)}Z`
}

/** One range of hills that stands in mist at its foot. */
function ridge(
  easel: Easel,
  options: { crest: number; rise: number; depth: number; roughness: number; waves: number; foot: number },
): string {
  const { height, palette } = easel
  const line = skyline(easel, options.roughness, options.waves)
  const ink = mix(palette.far, palette.near, options.depth)
  const mist = mix(palette.sky[1], ink, 0.12 + options.depth * 0.25)
  const y = (x: number) => height * (options.crest + options.rise * (0.5 - line(x) ** 1.15))
  const path = outline(easel, y, height * options.foot)
  const edge = `<path d="${path}" fill="none" stroke="${mix(ink, palette.near, 0.5)}" stroke-opacity="${0.12 + options.depth * 0.2}" stroke-width="${round(easel.unit * 0.002)}"/>`
  return `<path d="${path}" fill="${verticalWash(easel, ink, mist, [0.96, palette.dark ? 0.9 : 0.72])}"/>${edge}`
}

function birds(easel: Easel, x: number, y: number, count: number): string {
  const { chance, unit } = easel
  const colour = easel.palette.dark ? easel.palette.disc : easel.palette.near
  let drawn = ''
  for (let bird = 0; bird < count; bird++) {
    const span = unit * chance.between(0.012, 0.026)
    const left = x + chance.between(-0.14, 0.14) * easel.width
    const top = y + chance.between(-0.07, 0.07) * easel.height
    drawn += `<path d="M${round(left - span)} ${round(top - span * 0.35)}q${round(span * 0.55)} ${round(-span * 0.35)} ${round(span)} ${round(span * 0.4)}q${round(span * 0.45)} ${round(-span * 0.75)} ${round(span)} ${round(-span * 0.5)}" fill="none" stroke="${colour}" stroke-opacity=".75" stroke-width="${(unit * 0.0032).toFixed(2)}" stroke-linecap="round"/>`
  }
  return drawn
}

function boat(easel: Easel, x: number, y: number, length: number): string {
  const ink = mix(easel.palette.near, '#000000', 0.2)
  const sail = mix(easel.palette.accent, easel.palette.sky[0], 0.15)
  const hull = `<path d="M${round(x - length / 2)} ${round(y - length * 0.07)}q${round(length / 2)} ${round(length * 0.2)} ${round(length)} 0l${round(-length * 0.12)} ${round(length * 0.16)}h${round(-length * 0.76)}z" fill="${ink}"/>`
  const mast = `<path d="M${round(x)} ${round(y)}V${round(y - length * 0.85)}" stroke="${ink}" stroke-width="${round(Math.max(0.8, length * 0.025))}"/>`
  const cloth = `<path d="M${round(x + length * 0.02)} ${round(y - length * 0.84)}q${round(length * 0.42)} ${round(length * 0.3)} ${round(length * 0.36)} ${round(length * 0.72)}h${round(-length * 0.36)}z" fill="${sail}"/>`
  const second = `<path d="M${round(x - length * 0.03)} ${round(y - length * 0.7)}q${round(-length * 0.26)} ${round(length * 0.26)} ${round(-length * 0.28)} ${round(length * 0.58)}h${round(length * 0.28)}z" fill="${sail}" opacity=".8"/>`
  return (
    ellipse(x, y + length * 0.13, length * 0.6, length * 0.045, ink, 'opacity=".25"') + mast + cloth + second + hull
  )
}

function pine(easel: Easel, x: number, foot: number, height: number, ink: string): string {
  let path = ''
  const tiers = 6
  for (let tier = 0; tier < tiers; tier++) {
    const top = foot - height + (height * 0.86 * tier) / tiers
    const half = height * (0.06 + 0.035 * tier) * easel.chance.between(0.85, 1.15)
    path += `M${round(x)} ${round(top)}L${round(x + half)} ${round(top + height * 0.25)}L${round(x - half)} ${round(top + height * 0.25)}Z`
  }
  return `<path d="${path}M${round(x - height * 0.015)} ${round(foot)}h${round(height * 0.03)}v${round(-height * 0.3)}h${round(-height * 0.03)}z" fill="${ink}"/>`
}

function pagoda(easel: Easel, x: number, foot: number, height: number, ink: string): string {
  const storeys = 5
  let drawn = `<path d="M${round(x)} ${round(foot - height * 1.22)}V${round(foot - height)}" stroke="${ink}" stroke-width="${round(Math.max(0.8, height * 0.018))}"/>`
  for (let storey = 0; storey < storeys; storey++) {
    const share = (storeys - storey) / storeys
    const bottom = foot - (height * storey) / storeys
    const half = height * 0.12 * (0.4 + share * 0.7)
    const tall = height / storeys
    const eaves = half * 1.3 + height * 0.08
    drawn += `<rect x="${round(x - half)}" y="${round(bottom - tall)}" width="${round(half * 2)}" height="${round(tall + 0.5)}" fill="${ink}"/>`
    drawn += `<path d="M${round(x - eaves)} ${round(bottom - tall * 0.72)}q${round(eaves * 0.7)} ${round(-tall * 0.06)} ${round(eaves * 0.75)} ${round(-tall * 0.42)}h${round(eaves * 0.5)}q${round(eaves * 0.05)} ${round(tall * 0.36)} ${round(eaves * 0.75)} ${round(tall * 0.42)}q${round(-eaves)} ${round(-tall * 0.1)} ${round(-eaves * 2)} 0z" fill="${ink}"/>`
    if (easel.palette.dark) {
      const pane = half * 0.5
      drawn += `<rect x="${round(x - pane / 2)}" y="${round(bottom - tall * 0.55)}" width="${round(pane)}" height="${round(tall * 0.4)}" fill="${easel.palette.accent}" opacity=".9"/>`
    }
  }
  return drawn
}

/** Ripples that narrow towards the horizon. */
function ripples(
  easel: Easel,
  horizon: number,
  colour: string,
  count: number,
  spread: (y: number) => [number, number],
): string {
  const { chance, height, unit } = easel
  let drawn = ''
  for (let count_ = 0; count_ < count; count_++) {
    const nearness = chance.next() ** 1.4
    const y = horizon + (height - horizon) * nearness
    const [middle, half] = spread(y)
    const length = unit * (0.02 + 0.16 * nearness) * chance.between(0.4, 1.3)
    drawn += ellipse(
      middle + chance.between(-half, half),
      y,
      length,
      unit * (0.0012 + 0.0034 * nearness),
      colour,
      `opacity="${chance.between(0.12, 0.6).toFixed(2)}"`,
    )
  }
  return drawn
}

function vignette(easel: Easel): string {
  const fill = easel.define(
    id =>
      `<radialGradient id="${id}" r=".78"><stop offset=".62" stop-color="${easel.palette.near}" stop-opacity="0"/><stop offset="1" stop-color="${easel.palette.near}" stop-opacity=".22"/></radialGradient>`,
  )
  return `<rect width="${easel.width}" height="${easel.height}" fill="${fill}"/>`
}

// ── Scenes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

function mountains(easel: Easel): string {
  const { width, height, unit, palette, chance } = easel
  const sunX = width * chance.between(0.18, 0.82)
  let drawn = disc(easel, sunX, height * chance.between(0.16, 0.3), unit * chance.between(0.055, 0.1))
  const ranges = chance.whole(4, 6)
  for (let range = 0; range < ranges; range++) {
    const share = range / (ranges - 1)
    drawn += ridge(easel, {
      crest: 0.4 + share * 0.46,
      rise: 0.5 - share * 0.34,
      depth: share ** 1.3 * 0.95,
      roughness: 0.5,
      waves: (2 + share * 2.5) * Math.max(0.6, width / height),
      foot: Math.min(1.02, 0.66 + share * 0.4),
    })
    if (range === ranges - 3) drawn += birds(easel, width - sunX, height * 0.3, chance.whole(3, 7))
  }
  const ink = mix(palette.near, '#000000', 0.15)
  for (let tree = 0; tree < 9; tree++) {
    const left = chance.next() < 0.5 ? chance.between(0, 0.28) : chance.between(0.72, 1)
    drawn += pine(easel, width * left, height * chance.between(0.97, 1.03), unit * chance.between(0.07, 0.17), ink)
  }
  return drawn
}

function sea(easel: Easel): string {
  const { width, height, unit, palette, chance } = easel
  const horizon = height * chance.between(0.5, 0.62)
  const sunX = width * chance.between(0.25, 0.75)
  const radius = unit * chance.between(0.08, 0.15)
  let drawn = disc(easel, sunX, horizon - radius * chance.between(0.3, 1.6), radius)
  for (let island = 0; island < 2; island++) {
    const x = width * chance.between(0, 1)
    const half = width * chance.between(0.1, 0.22)
    const tall = unit * chance.between(0.04, 0.12)
    drawn += `<path d="M${round(x - half)} ${round(horizon)}q${round(half * 0.5)} ${round(-tall * 0.3)} ${round(half * 0.8)} ${round(-tall)}q${round(half * 0.3)} ${round(-tall * 0.1)} ${round(half * 0.5)} ${round(tall * 0.5)}t${round(half * 0.7)} ${round(tall * 0.5)}z" fill="${mix(palette.far, palette.near, 0.3)}"/>`
  }
  const water = verticalWash(
    easel,
    mix(palette.sky[1], palette.far, 0.6),
    mix(palette.far, palette.near, palette.dark ? 0.75 : 0.6),
  )
  drawn += `<rect y="${round(horizon)}" width="${width}" height="${round(height - horizon)}" fill="${water}"/>`
  drawn += ripples(easel, horizon, mix(palette.near, palette.far, 0.3), 90, () => [width / 2, width * 0.6])
  drawn += ripples(easel, horizon, mix(palette.sky[1], '#ffffff', 0.4), 50, () => [width / 2, width * 0.6])
  const light = mix(palette.disc, '#ffffff', 0.35)
  drawn += ripples(easel, horizon, light, 70, y => [sunX, radius * (0.3 + (y - horizon) / (height - horizon))])
  drawn += boat(
    easel,
    width * chance.between(0.2, 0.8),
    horizon + (height - horizon) * chance.between(0.2, 0.45),
    unit * chance.between(0.1, 0.17),
  )
  drawn += birds(easel, width - sunX, height * 0.25, chance.whole(3, 6))
  // Waves in the foreground, one behind the other.
  for (let wave = 0; wave < 3; wave++) {
    const line = skyline(easel, 0.35, 4 + wave)
    const y = (x: number) => height * (0.87 + wave * 0.055 - line(x) * 0.05)
    const fill = verticalWash(
      easel,
      mix(palette.far, palette.near, 0.45 + wave * 0.22),
      mix(palette.near, palette.far, 0.1),
      [0.8, 0.95],
    )
    drawn += `<path d="${outline(easel, y, height + 2)}" fill="${fill}" stroke="#ffffff" stroke-opacity=".35" stroke-width="${(unit * 0.003).toFixed(2)}"/>`
  }
  return drawn
}

function bamboo(easel: Easel): string {
  const { width, height, unit, palette, chance } = easel
  let drawn = disc(
    easel,
    width * chance.between(0.3, 0.7),
    height * chance.between(0.25, 0.4),
    unit * chance.between(0.12, 0.18),
  )
  drawn += ridge(easel, { crest: 0.72, rise: 0.2, depth: 0.05, roughness: 0.45, waves: 3, foot: 1.02 })
  for (let depth = 0; depth < 3; depth++) {
    const share = depth / 2
    const ink = mix(palette.far, palette.near, 0.15 + share * 0.7)
    const stalks = Math.round(((5 - depth) * width) / unit + 1)
    for (let stalk = 0; stalk < stalks; stalk++) drawn += bambooStalk(easel, ink, share)
    drawn += ellipse(
      width / 2,
      height * (0.98 + depth * 0.02),
      width * 0.8,
      height * 0.13,
      glow(easel, palette.sky[1], 0.65 - share * 0.35),
    )
  }
  return drawn + birds(easel, width * 0.5, height * 0.18, 3)
}

function bambooStalk(easel: Easel, ink: string, share: number): string {
  const { width, height, unit, chance } = easel
  const thick = unit * (0.008 + share * 0.022) * chance.between(0.8, 1.2)
  const lean = chance.between(-0.09, 0.09) * unit
  // The nearest ones frame the picture and leave its middle open.
  const x =
    share === 1
      ? width * (chance.next() < 0.5 ? chance.between(0.02, 0.24) : chance.between(0.76, 0.98))
      : width * chance.next()
  const shade = easel.define(
    id =>
      `<linearGradient id="${id}"><stop offset="0" stop-color="${mix(ink, '#000000', 0.15)}"/><stop offset=".35" stop-color="${mix(ink, '#ffffff', 0.28)}"/><stop offset="1" stop-color="${ink}"/></linearGradient>`,
  )
  const piece = height * (0.1 + share * 0.04)
  let drawn = ''
  for (let bottom = height * 1.03; bottom > -piece; bottom -= piece) {
    const at = (y: number) => x + lean * (1 - y / height)
    const top = bottom - piece + thick * 0.18
    drawn += `<path d="M${round(at(bottom) - thick / 2)} ${round(bottom)}Q${round(at(bottom) - thick * 0.4)} ${round((bottom + top) / 2)} ${round(at(top) - thick / 2)} ${round(top)}H${round(at(top) + thick / 2)}Q${round(at(bottom) + thick * 0.4)} ${round((bottom + top) / 2)} ${round(at(bottom) + thick / 2)} ${round(bottom)}Z" fill="${shade}"/>`
    if (bottom < height * 0.75 && chance.next() < 0.5) drawn += leaves(easel, at(top), top, ink, share)
  }
  return drawn
}

function leaves(easel: Easel, x: number, y: number, ink: string, share: number): string {
  const { unit, chance } = easel
  const side = chance.pick([-1, 1])
  let drawn = ''
  for (let leaf = 0; leaf < chance.whole(3, 6); leaf++) {
    const length = unit * (0.06 + share * 0.08) * chance.between(0.6, 1.2)
    const angle = (side > 0 ? chance.between(5, 75) : chance.between(105, 175)).toFixed(0)
    const wide = length * 0.12
    drawn += `<path transform="translate(${round(x)} ${round(y)}) rotate(${angle})" d="M0 0Q${round(length * 0.4)} ${round(-wide)} ${round(length)} 0Q${round(length * 0.4)} ${round(wide)} 0 0Z" fill="${ink}" opacity=".88"/>`
  }
  return drawn
}

function blossoms(easel: Easel): string {
  const { width, height, unit, palette, chance } = easel
  const side = chance.pick([-1, 1])
  const moonX = width * (0.5 + side * chance.between(0.05, 0.16))
  let drawn = disc(easel, moonX, height * chance.between(0.36, 0.46), unit * chance.between(0.22, 0.29))
  drawn += ridge(easel, { crest: 0.86, rise: 0.16, depth: 0.08, roughness: 0.45, waves: 3, foot: 1.02 })
  drawn += ridge(easel, { crest: 0.93, rise: 0.12, depth: 0.25, roughness: 0.45, waves: 3, foot: 1.02 })
  const buds: { x: number; y: number; size: number }[] = []
  const bark = mix(palette.near, '#000000', 0.2)
  const startX = side > 0 ? -0.03 * width : 1.03 * width
  const heading = side > 0 ? chance.between(-0.55, -0.15) : Math.PI + chance.between(0.15, 0.55)
  drawn += branch(easel, {
    x: startX,
    y: height * chance.between(0.72, 0.88),
    heading,
    thick: unit * 0.034,
    steps: Math.round((13 * width) / unit),
    bark,
    buds,
  })
  // On a red disc red flowers vanish, so they are light there.
  const petals = mix(palette.accent, '#ffffff', palette.dark ? 0.72 : 0.62)
  for (const bud of buds)
    drawn += blossom(easel, bud, chance.next() < 0.7 ? petals : mix(palette.accent, '#ffffff', 0.3))
  for (let petal = 0; petal < 16; petal++) {
    const size = unit * chance.between(0.006, 0.012)
    const turn = chance.whole(0, 180)
    drawn += `<ellipse transform="translate(${round(chance.between(0, width))} ${round(chance.between(height * 0.3, height))}) rotate(${turn})" rx="${round(size)}" ry="${round(size * 0.55)}" fill="${petals}" opacity=".8"/>`
  }
  return drawn
}

function branch(
  easel: Easel,
  start: {
    x: number
    y: number
    heading: number
    thick: number
    steps: number
    bark: string
    buds: { x: number; y: number; size: number }[]
  },
): string {
  const { unit, chance } = easel
  let { x, y, heading, thick } = start
  let drawn = ''
  for (let step = 0; step < start.steps && thick > unit * 0.002; step++) {
    const length = unit * 0.06 * chance.between(0.7, 1.2)
    heading += chance.between(-0.32, 0.32)
    const nextX = x + Math.cos(heading) * length
    const nextY = y + Math.sin(heading) * length
    drawn += `<path d="M${round(x)} ${round(y)}L${round(nextX)} ${round(nextY)}" stroke="${start.bark}" stroke-width="${thick.toFixed(2)}" stroke-linecap="round"/>`
    x = nextX
    y = nextY
    thick *= 0.92
    if (thick < unit * 0.02 && chance.next() < 0.62) {
      start.buds.push({
        x: x + chance.between(-1, 1) * unit * 0.02,
        y: y + chance.between(-1, 1) * unit * 0.02,
        size: unit * chance.between(0.014, 0.03),
      })
    }
    if (step > 1 && start.steps > 3 && chance.next() < 0.42) {
      const turned = heading + chance.pick([-1, 1]) * chance.between(0.5, 1.05)
      drawn += branch(easel, {
        ...start,
        x,
        y,
        heading: turned,
        thick: thick * 0.6,
        steps: Math.floor(start.steps * 0.5),
      })
    }
  }
  start.buds.push({ x, y, size: unit * chance.between(0.012, 0.022) })
  return drawn
}

function blossom(easel: Easel, { x, y, size }: { x: number; y: number; size: number }, colour: string): string {
  const turn = easel.chance.between(0, 72)
  let drawn = ''
  for (let petal = 0; petal < 5; petal++) {
    const angle = ((turn + petal * 72) * Math.PI) / 180
    drawn += `<circle cx="${round(x + Math.cos(angle) * size * 0.62)}" cy="${round(y + Math.sin(angle) * size * 0.62)}" r="${(size * 0.52).toFixed(2)}" fill="${colour}" stroke="${mix(colour, easel.palette.accent, 0.5)}" stroke-width="${(size * 0.05).toFixed(2)}"/>`
  }
  return `${drawn}<circle cx="${round(x)}" cy="${round(y)}" r="${(size * 0.26).toFixed(2)}" fill="${mix(easel.palette.accent, '#5a1020', 0.45)}"/>`
}

function dunes(easel: Easel): string {
  const { width, height, unit, palette, chance } = easel
  const sunX = width * chance.between(0.2, 0.8)
  let drawn = disc(easel, sunX, height * chance.between(0.2, 0.34), unit * chance.between(0.1, 0.17))
  drawn += birds(easel, width - sunX, height * 0.22, 4)
  const count = 6
  for (let dune = 0; dune < count; dune++) {
    const share = dune / (count - 1)
    const phase = chance.between(0, Math.PI * 2)
    const waves = chance.between(0.5, 1.1) * Math.max(0.7, width / height)
    const y = (x: number) =>
      height * (0.44 + share * 0.46) -
      height *
        (0.1 - share * 0.02) *
        Math.sin(phase + (x / width) * Math.PI * 2 * waves) *
        (0.7 + 0.3 * Math.sin(x / width + phase))
    const sunny = mix(mix(palette.far, palette.disc, 0.22), palette.near, share ** 1.5 * 0.75)
    drawn += `<path d="${outline(easel, y, height + 2)}" fill="${verticalWash(easel, mix(sunny, palette.sky[1], 0.32), mix(sunny, palette.near, 0.35))}"/>`
    // The lee side lies in shadow: the same crest, a little lower on one side.
    const lee = (x: number) => y(x) + height * 0.035 * (1 + Math.sin(phase + 1.2 + (x / width) * Math.PI * 2 * waves))
    drawn += `<path d="${outline(easel, lee, height + 2)}" fill="${mix(sunny, palette.near, 0.45)}" opacity="${(0.16 + share * 0.14).toFixed(2)}"/>`
    if (dune === 3) {
      const ink = mix(palette.near, '#000000', 0.25)
      const x = width * chance.between(0.2, 0.8)
      drawn +=
        chance.next() < 0.5
          ? pagoda(easel, x, y(x) + unit * 0.012, unit * 0.16, ink)
          : pine(easel, x, y(x) + unit * 0.01, unit * 0.13, ink)
    }
  }
  return drawn
}

function lake(easel: Easel): string {
  const { width, height, unit, palette, chance } = easel
  const shore = height * chance.between(0.58, 0.66)
  const sunX = width * chance.between(0.2, 0.8)
  const radius = unit * chance.between(0.06, 0.1)
  let above = disc(easel, sunX, height * chance.between(0.16, 0.28), radius)
  for (let range = 0; range < 3; range++) {
    above += ridge(easel, {
      crest: shore / height - 0.16 + range * 0.07,
      rise: 0.34 - range * 0.08,
      depth: 0.05 + range * 0.24,
      roughness: 0.48,
      waves: 2.2 + range,
      foot: shore / height + 0.002,
    })
  }
  const ink = mix(palette.near, '#000000', 0.15)
  const hillX = width * (sunX < width / 2 ? chance.between(0.62, 0.82) : chance.between(0.18, 0.38))
  const hill = `<path d="M${round(hillX - unit * 0.42)} ${round(shore)}q${round(unit * 0.22)} ${round(-unit * 0.02)} ${round(unit * 0.32)} ${round(-unit * 0.1)}q${round(unit * 0.1)} ${round(-unit * 0.04)} ${round(unit * 0.2)} 0q${round(unit * 0.1)} ${round(unit * 0.08)} ${round(unit * 0.32)} ${round(unit * 0.1)}z" fill="${ink}"/>`
  above += pagoda(easel, hillX, shore - unit * 0.1, unit * chance.between(0.26, 0.34), ink) + hill
  for (let tree = 0; tree < 7; tree++) {
    const aside = chance.between(-0.3, 0.3)
    above += pine(
      easel,
      hillX + unit * aside,
      shore - unit * 0.085 * (1 - Math.abs(aside) / 0.32),
      unit * chance.between(0.05, 0.1),
      ink,
    )
  }
  const water = mix(palette.sky[1], palette.far, 0.35)
  const mirror = `<g transform="translate(0 ${round(shore * 2)}) scale(1 -1)" opacity=".42">${above}</g>`
  const clip = easel.define(
    id =>
      `<clipPath id="${id}"><rect y="${round(shore)}" width="${width}" height="${round(height - shore)}"/></clipPath>`,
  )
  let drawn = `${above}<g clip-path="${clip}"><rect y="${round(shore)}" width="${width}" height="${round(height - shore)}" fill="${verticalWash(easel, water, mix(palette.far, palette.near, 0.4))}"/>${mirror}</g>`
  drawn += ripples(easel, shore, mix(palette.sky[1], '#ffffff', 0.35), 70, () => [width / 2, width * 0.6])
  drawn += ripples(easel, shore, palette.near, 40, () => [width / 2, width * 0.6])
  drawn += boat(
    easel,
    width - hillX,
    shore + (height - shore) * chance.between(0.3, 0.6),
    unit * chance.between(0.11, 0.16),
  )
  return drawn + birds(easel, width - hillX, height * 0.2, chance.whole(3, 6))
}

// ── On top of the scene ─────────────────────────────────────────────────────────────────────────────────────────────

/** Paper: a little unevenness in every dot and in the fibres, which enlarging turns into mottling. */
function grain(data: Buffer, width: number, height: number, channels: number, chance: Chance): void {
  let state = Math.floor(chance.next() * 2 ** 32) | 1
  const fibres = Float32Array.from({ length: height }, () => chance.between(-1.6, 1.6))
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      // xorshift32; one step serves the dot's three channels.
      state ^= state << 13
      state ^= state >>> 17
      state ^= state << 5
      const shift = ((state & 255) / 255 - 0.5) * 9 + fibres[y]!
      for (let channel = 0; channel < 3; channel++)
        data[at + channel] = Math.max(0, Math.min(255, data[at + channel]! + shift))
      at += channels
    }
  }
}

async function photographs(
  references: readonly Buffer[],
  width: number,
  height: number,
  chance: Chance,
): Promise<OverlayOptions[]> {
  const unit = Math.min(width, height)
  const side = Math.max(4, Math.round(unit * 0.24))
  const layers: OverlayOptions[] = []
  for (const reference of references.slice(0, 4)) {
    const angle = chance.between(-9, 9)
    try {
      const border = Math.max(1, Math.round(side * 0.05))
      const photograph = await sharp(reference)
        .rotate()
        .resize(side, side, { fit: 'cover' })
        .flatten({ background: '#fdfaf2' })
        .extend({ top: border, left: border, right: border, bottom: border * 3, background: '#fdfaf2' })
        .png({ compressionLevel: 0 })
        .toBuffer()
      const turned = await sharp(photograph)
        .rotate(angle, { background: '#00000000' })
        .resize({ width, height, fit: 'inside', withoutEnlargement: true })
        .png({ compressionLevel: 0 })
        .toBuffer({ resolveWithObject: true })
      const step = (width - unit * 0.12 - turned.info.width) / 3
      const left = Math.round(unit * 0.05 + layers.length * Math.min(step, turned.info.width * 1.02))
      const top = Math.round(height - turned.info.height - unit * 0.06)
      layers.push({
        input: turned.data,
        left: Math.max(0, Math.min(left, width - turned.info.width)),
        top: Math.max(0, top),
      })
    } catch {
      // A reference that sharp cannot read was accepted by the service all the same; its picture goes without it.
    }
  }
  return layers
}

/** Stands for the label that the services print: a pale plate with a spark and three strokes. */
function mark(width: number, height: number): OverlayOptions {
  const tall = Math.min(height, Math.max(6, Math.round(Math.min(width, height) * 0.05)))
  const wide = Math.min(width, Math.round(tall * 2.6))
  const middle = tall / 2
  const spark = tall * 0.55
  const radius = tall * 0.32
  const waist = radius * 0.2
  let strokes = ''
  for (let stroke = 0; stroke < 3; stroke++) {
    const left = tall * (1.05 + stroke * 0.47)
    strokes += `<rect x="${left}" y="${tall * 0.28}" width="${tall * 0.3}" height="${tall * 0.44}" rx="${tall * 0.06}" fill="#1b2530"/>`
  }
  const star = [
    [0, -radius],
    [waist, -waist],
    [radius, 0],
    [waist, waist],
    [0, radius],
    [-waist, waist],
    [-radius, 0],
    [-waist, -waist],
  ].map(([x, y]) => `${spark + x!},${middle + y!}`)
  const plate = `<rect width="${wide}" height="${tall}" rx="${tall * 0.24}" fill="#ffffff" fill-opacity=".82"/>`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${tall}">${plate}<polygon points="${star.join(' ')}" fill="#c3412b"/>${strokes}</svg>`
  const margin = Math.round(tall * 0.4)
  return { input: Buffer.from(svg), left: Math.max(0, width - wide - margin), top: Math.max(0, height - tall - margin) }
}

function roundWindow(width: number, height: number): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><ellipse cx="${width / 2}" cy="${height / 2}" rx="${width * 0.46}" ry="${height * 0.46}" fill="#fff"/></svg>`
}
