/** Small landscapes as SVG, decided by the words of the prompt and by chance. */
import type { Chance } from './chance.ts'

/** Lengths are in shorter sides of the picture, so that things keep their proportions in any format. */
interface Easel {
  width: number
  height: number
  palette: Palette
  chance: Chance
}

// ── Colours ─────────────────────────────────────────────────────────────────────────────────────────────────────────

type Palette = ReturnType<typeof palette>
function palette(words: RegExp, colours: string, dark = false) {
  const [skyTop = '', skyBottom = '', far = '', near = '', disc = '', accent = ''] = colours.split(' ')
  return { words, dark, skyTop, skyBottom, far, near, disc, accent }
}

const palettes = [
  palette(/ink|水墨|墨|calligraphy|tea|茶/i, '#f5eee0 #e6d9bf #bdb9aa #2b3538 #c3412b #c3412b'),
  palette(/dawn|morning|sunrise|晨|日出|pink|粉/i, '#f7d9d0 #fdf0dd #d3a7a9 #553349 #e9643f #d8475a'),
  palette(/jade|green|绿|春|spring|tea garden/i, '#e3efe4 #f5f3e2 #a4c4b3 #1d4a43 #e2a83a #d9683c'),
  palette(/night|moon|夜|月|star|星/i, '#0d1730 #3d5d88 #46648f #0a1224 #f7efd2 #f2b45c', true),
  palette(/dusk|evening|sunset|黄昏|晚|夕|purple|紫/i, '#34285a #e58a6b #8b587f #1d1331 #ffcf85 #ffb45e', true),
  palette(/blue|青|蓝|landscape|山水/i, '#f1e6c6 #dfcb97 #7fb0a4 #1b5570 #bb4a30 #bb4a30'),
  palette(/snow|winter|雪|冬|ice|冰/i, '#dde6ee #f4f5f3 #b6c5d2 #394a5c #dc5a4b #c9463b'),
  palette(/autumn|fall|秋|red|红|gold|金|maple|枫/i, '#f8e8c6 #efc489 #d49a68 #5c2a1d #b9321f #c8401f'),
]

function mix(from: string, to: string, share: number): string {
  const channel = (colour: string, at: number) => Number.parseInt(colour.slice(at, at + 2), 16)
  const mixed = [1, 3, 5].map(at => Math.round(channel(from, at) + (channel(to, at) - channel(from, at)) * share))
  return `#${mixed.map(value => value.toString(16).padStart(2, '0')).join('')}`
}

// ── Things: they stand on the origin, a hundred units high, in the colour of whoever places them ─────────────────────

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index)
const repeat = (count: number, draw: (index: number) => string) => numbers(count).map(draw).join('')

const things = {
  pine: `<path d="${repeat(6, t => `M0 ${t * 14 - 100}l${6 + 3.5 * t} 26H-${6 + 3.5 * t}z`)}M-1.500 0h3v-30h-3z"/>`,
  pagoda: `<path d="M-.8-82h1.600v-18h-1.600z"/>${repeat(
    5,
    t =>
      `<path d="M-${12 - t * 2} ${t * -16.4}v-16.600h${24 - t * 4}v16.600zM-${20.6 - t * 2.4} ${t * -16.4 - 11.4}q12-1 13-7h${15.2 - t * 4.8}q1 6 13 7z"/>`,
  )}`,
  windows: repeat(5, t => `<path d="M-2.400 ${t * -16.4 - 9.4}h4.800v6h-4.800z"/>`),
  hull: '<path d="M-58-8q58 23 116 0l-14 19h-88zM-1.500-8V-98H1.500V-8z"/>',
  sails: '<path d="M2-97q49 35 42 84H2z"/><path opacity=".8" d="M-3.500-80q-31 30-33 67h33z"/>',
  bird: '<path d="M-100-35q55-35 100 40q45-75 100-50q-60 0-100 75q-40-75-100-65z"/>',
  leaves: repeat(4, t => `<path transform="rotate(${8 + t * 22})" d="M0 0Q40-12 100 0Q40 12 0 0Z"/>`),
  blossom: `${repeat(5, t => `<circle transform="rotate(${t * 72})" cy="-31" r="26"/>`)}<circle r="13" fill="#8a2636"/>`,
}

function place(thing: keyof typeof things, x: number, y: number, size: number, colour: string, turn = ''): string {
  return `<g fill="${colour}" transform="translate(${x} ${y}) ${turn} scale(${size / 100})">${things[thing]}</g>`
}

// ── Parts of scenes ─────────────────────────────────────────────────────────────────────────────────────────────────

/** A gradient right where it is used; its name is made of its colours. */
function wash(from: string, to: string, [first, last] = [1, 1], kind: 'linear' | 'radial' = 'linear') {
  const id = [kind, from, to, first, last].join('').replace(/\W/g, '')
  const stop = (at: number, colour: string, opacity = 1) =>
    `<stop offset="${at}" stop-color="${colour}" stop-opacity="${opacity}"/>`
  const direction = kind === 'linear' ? ' x2="0" y2="1"' : ''
  const stops = stop(0, from, first) + stop(1, to, last)
  return { definition: `<${kind}Gradient id="${id}"${direction}>${stops}</${kind}Gradient>`, fill: `url(#${id})` }
}

function fill({ width, height }: Easel, top: number, { definition, fill }: ReturnType<typeof wash>): string {
  return `${definition}<rect y="${top}" width="${width}" height="${height - top}" fill="${fill}"/>`
}

function circle(x: number, y: number, radius: number, colour: string, opacity = 1): string {
  return `<circle cx="${x}" cy="${y}" r="${radius}" fill="${colour}" opacity="${opacity}"/>`
}

/** Sun or moon with its halo. */
function disc({ palette }: Easel, x: number, y: number, radius: number): string {
  const halo = wash(palette.disc, palette.disc, [palette.dark ? 0.5 : 0.35, 0], 'radial')
  return halo.definition + circle(x, y, radius * 3, halo.fill) + circle(x, y, radius, palette.disc)
}

/** A line of heights over the width, 0 … 1: one wave, or waves upon waves with peaks where it is rough. */
function skyline({ width, height, chance }: Easel, waves: number, isRough = false): (x: number) => number {
  const octaves = numbers(isRough ? 5 : 1).map(octave => ({
    turns: (waves * Math.max(0.6, width / height) * 2.1 ** octave * chance.between(2.5, 3.9)) / width,
    phase: chance.between(0, 6.3),
    weight: 0.44 ** octave,
  }))
  const total = octaves.reduce((sum, { weight }) => sum + weight, 0)
  const wave = (at: number) => (isRough ? 1 - Math.abs(Math.sin(at)) : 0.5 + Math.sin(at * 2) / 2)
  return x => octaves.reduce((sum, { turns, phase, weight }) => sum + weight * wave(x * turns + phase), 0) / total
}

/** Everything from a line of heights down to the foot. */
function below({ width, height }: Easel, y: (x: number) => number, style: string, foot = height + 0.01): string {
  const line = repeat(161, step => `L${(width * step) / 160} ${y((width * step) / 160).toFixed(4)}`)
  return `<path d="M0 ${foot}${line}V${foot}Z" ${style}/>`
}

/** One range of hills that stands in mist at its foot; `depth` from 0, far away, to 1. */
function hills(easel: Easel, crest: number, rise: number, depth: number, waves = 1.6, foot = 1.01): string {
  const { palette, height } = easel
  const line = skyline(easel, waves, true)
  const ink = mix(palette.far, palette.near, depth)
  const mist = wash(ink, mix(palette.skyBottom, ink, 0.12 + depth * 0.25), [0.96, 0.75])
  const y = (x: number) => height * (crest + rise * (0.5 - line(x)))
  return mist.definition + below(easel, y, `fill="${mist.fill}"`, height * foot)
}

function birds({ chance, width, height, palette }: Easel, x: number): string {
  const y = chance.between(0.17, 0.28)
  const bird = () => {
    const at = [width * (x + chance.between(-0.14, 0.14)), height * (y + chance.between(-0.07, 0.07))] as const
    return place('bird', ...at, chance.between(0.012, 0.024), palette.dark ? palette.disc : palette.near)
  }
  return repeat(chance.whole(3, 6), bird)
}

/** Water from the shore to the bottom, some ripples in the light of the disc, and a boat. */
function water(easel: Easel, shore: number, sun: number, boat: number, reflection = ''): string {
  const { chance, width, height, palette } = easel
  const ripples = (count: number, middle: number, half: number, colour: string) =>
    repeat(count, () => {
      // They narrow towards the shore.
      const nearness = chance.next() ** 1.4
      const x = width * (middle + chance.between(-half, half) * (0.3 + 0.7 * nearness))
      const radius = (0.02 + 0.12 * nearness) * chance.between(0.4, 1.2)
      const at = `translate(${x} ${shore + (height - shore) * nearness}) scale(1 .03)`
      return `<g transform="${at}">${circle(0, 0, radius, colour, chance.between(0.12, 0.55))}</g>`
    })
  const surface = wash(mix(palette.skyBottom, palette.far, 0.45), mix(palette.far, palette.near, 0.5))
  const at = [width * boat, shore + (height - shore) * chance.between(0.3, 0.55), chance.between(0.11, 0.16)] as const
  return [
    fill(easel, shore, surface) + reflection,
    ripples(60, 0.5, 0.6, mix(palette.near, palette.far, 0.4)),
    ripples(50, sun, 0.1, mix(palette.disc, '#ffffff', 0.35)),
    place('sails', ...at, palette.accent) + place('hull', ...at, palette.near),
  ].join('')
}

// ── Scenes ──────────────────────────────────────────────────────────────────────────────────────────────────────────

const scenes = [
  { words: /mountain|山|peak|峰|valley|hill|mist|雾|云|cloud/i, draw: mountains },
  { words: /sea|ocean|海|wave|浪|boat|ship|船|beach|island|岛|lighthouse/i, draw: sea },
  { words: /forest|bamboo|竹|林|tree|树|garden|panda|熊猫/i, draw: bamboo },
  { words: /flower|花|blossom|梅|樱|cherry|plum|branch|bird|鸟|spring|portrait|girl|woman|人/i, draw: blossoms },
  { words: /desert|沙|dune|sand|camel|fox|狐|horse|马/i, draw: dunes },
  { words: /lake|湖|river|江|河|temple|寺|pagoda|塔|city|城|castle|house|屋|reflection/i, draw: lake },
]

function mountains(easel: Easel): string {
  const { width, height, palette, chance } = easel
  const sun = chance.between(0.18, 0.82)
  const sky = disc(easel, width * sun, height * chance.between(0.16, 0.3), chance.between(0.055, 0.1))
  const range = (share: number) =>
    hills(easel, 0.42 + share * 0.46, 0.5 - share * 0.34, share ** 1.3 * 0.95, 1.1 + share * 1.2)
  const pine = () => {
    const x = width * (chance.next() < 0.5 ? chance.between(0, 0.28) : chance.between(0.72, 1))
    return place('pine', x, height * chance.between(0.97, 1.03), chance.between(0.07, 0.17), palette.near)
  }
  return sky + birds(easel, 1 - sun) + repeat(5, index => range(index / 4)) + repeat(9, pine)
}

function sea(easel: Easel): string {
  const { width, height, palette, chance } = easel
  const [horizon, sun] = [chance.between(0.5, 0.62), chance.between(0.25, 0.75)]
  const wave = (index: number) => {
    const line = skyline(easel, 4 + index)
    const style = `fill="${mix(palette.far, palette.near, 0.55 + index * 0.2)}" opacity=".9"`
    return below(easel, x => height * (0.88 + index * 0.05 + line(x) * 0.03), style)
  }
  return [
    disc(easel, width * sun, height * (horizon - chance.between(0.02, 0.16)), chance.between(0.08, 0.15)),
    hills(easel, horizon + 0.02, 0.14, 0.3, 1.5, horizon),
    water(easel, height * horizon, sun, chance.between(0.2, 0.8)),
    birds(easel, 1 - sun) + repeat(3, wave),
  ].join('')
}

function bamboo(easel: Easel): string {
  const { width, height, palette, chance } = easel
  const stalk = (share: number) => {
    // The nearest ones frame the picture and leave its middle open.
    const side = chance.next() < 0.5 ? chance.between(0.02, 0.24) : chance.between(0.76, 0.98)
    const x = width * (share === 1 ? side : chance.next())
    const colour = mix(palette.far, palette.near, 0.15 + share * 0.7)
    const [thick, piece] = [(0.008 + share * 0.022) * chance.between(0.8, 1.2), height * (0.1 + share * 0.04)]
    const pieces = repeat(Math.ceil(height / piece) + 1, index => {
      const y = index * piece
      const box = (wide: number) => `x="${x - thick / 2}" y="${y}" width="${wide}" height="${piece - thick * 0.18}"`
      const node = `<rect ${box(thick)} fill="${colour}"/><rect ${box(thick * 0.4)} fill="#fff" opacity=".2"/>`
      const turn = chance.pick(['', 'scale(-1 1)'])
      const hasLeaves = chance.next() < 0.5 && y < height * 0.7
      return hasLeaves ? node + place('leaves', x, y, 0.06 + share * 0.09, colour, turn) : node
    })
    return `<g transform="rotate(${chance.between(-3, 3)} ${x} ${height})">${pieces}</g>`
  }
  const [x, y] = [width * chance.between(0.3, 0.7), height * chance.between(0.25, 0.4)]
  const sky = disc(easel, x, y, chance.between(0.12, 0.18)) + birds(easel, 0.5) + hills(easel, 0.75, 0.2, 0.05)
  return sky + repeat(3, depth => repeat(Math.round((5 - depth) * width + 1), () => stalk(depth / 2)))
}

function blossoms(easel: Easel): string {
  const { width, height, palette, chance } = easel
  // On a red disc red flowers vanish, so they are light there.
  const petals = mix(palette.accent, '#ffffff', palette.dark ? 0.72 : 0.62)
  const colours = [petals, petals, mix(palette.accent, '#ffffff', 0.3)]
  const buds: string[] = []
  const branch = (x: number, y: number, heading: number, thick: number, steps: number): string => {
    if (steps < 1 || thick < 0.002) return ''
    const turned = heading + chance.between(-0.32, 0.32)
    const length = chance.between(0.042, 0.072)
    const end = [x + Math.cos(turned) * length, y + Math.sin(turned) * length] as const
    if (thick < 0.02 && chance.next() < 0.62) {
      const size = chance.between(0.03, 0.06)
      buds.push(place('blossom', ...end, size, chance.pick(colours), `rotate(${chance.whole(0, 72)})`))
    }
    const aside = turned + chance.pick([-1, 1]) * chance.between(0.5, 1.05)
    const twig = chance.next() < 0.4 ? branch(...end, aside, thick * 0.6, Math.floor(steps * 0.5)) : ''
    const stroke = `stroke="${palette.near}" stroke-width="${thick}" stroke-linecap="round"`
    return `<path d="M${x} ${y}L${end.join(' ')}" ${stroke}/>${twig}${branch(...end, turned, thick * 0.92, steps - 1)}`
  }
  const isLeft = chance.next() < 0.5
  const heading = isLeft ? chance.between(-0.55, -0.15) : Math.PI + chance.between(0.15, 0.55)
  const begin = [isLeft ? 0 : width, height * chance.between(0.72, 0.88)] as const
  const moonX = width * (isLeft ? 0.6 : 0.4)
  return [
    disc(easel, moonX, height * chance.between(0.36, 0.46), chance.between(0.22, 0.29)),
    hills(easel, 0.9, 0.16, 0.15),
    branch(...begin, heading, 0.034, Math.round(13 * width)) + buds.join(''),
    repeat(16, () => circle(chance.between(0, width), height * chance.between(0.3, 1), 0.007, petals, 0.8)),
  ].join('')
}

function dunes(easel: Easel): string {
  const { width, height, palette, chance } = easel
  const sun = chance.between(0.2, 0.8)
  const sky = disc(easel, width * sun, height * chance.between(0.2, 0.34), chance.between(0.1, 0.17))
  const dune = (index: number) => {
    const share = index / 5
    const line = skyline(easel, chance.between(0.5, 1.1))
    const y = (x: number) => height * (0.53 + share * 0.46 - 0.18 * line(x))
    const sunny = mix(mix(palette.far, palette.disc, 0.22), palette.near, share ** 1.5 * 0.75)
    // The lee side lies in shadow: the same crest, a little lower on one side.
    const lee = (x: number) => y(x) + height * 0.07 * line(x + width * 0.16)
    const sand = below(easel, y, `fill="${mix(sunny, palette.skyBottom, 0.2)}"`)
    const shadow = below(easel, lee, `fill="${mix(sunny, palette.near, 0.45)}" opacity=".25"`)
    const x = width * chance.between(0.2, 0.8)
    const tower = index === 3 ? place(chance.pick(['pagoda', 'pine']), x, y(x) + 0.012, 0.15, palette.near) : ''
    return sand + shadow + tower
  }
  return sky + birds(easel, 1 - sun) + repeat(6, dune)
}

function lake(easel: Easel): string {
  const { width, height, palette, chance } = easel
  const [shore, sun] = [chance.between(0.58, 0.66), chance.between(0.2, 0.8)]
  const side = sun < 0.5 ? chance.between(0.62, 0.82) : chance.between(0.18, 0.38)
  const [x, y] = [width * side, height * shore]
  const temple = [x, y - 0.09, chance.between(0.3, 0.38)] as const
  const range = (index: number) =>
    hills(easel, shore - 0.16 + index * 0.07, 0.34 - index * 0.08, 0.05 + index * 0.24, 1.2, shore)
  const pine = () => {
    const aside = chance.between(-0.3, 0.3)
    const foot = y - 0.08 + Math.abs(aside) / 4
    return place('pine', x + aside, foot, chance.between(0.05, 0.1), palette.near)
  }
  const island = 'M-.42 0q.22-.02.32-.1q.1-.04.2 0q.1.08.32.1z'
  const above = [
    disc(easel, width * sun, height * chance.between(0.16, 0.28), chance.between(0.06, 0.1)),
    repeat(3, range) + place('pagoda', ...temple, palette.near),
    palette.dark ? place('windows', ...temple, palette.accent) : '',
    `<path transform="translate(${x} ${y})" fill="${palette.near}" d="${island}"/>${repeat(7, pine)}`,
  ].join('')
  const mirrored = `<g transform="translate(0 ${y * 2}) scale(1 -1)" opacity=".42">${above}</g>`
  const clip = `<clipPath id="water"><rect y="${y}" width="${width}" height="${height}"/></clipPath>`
  const reflection = `${clip}<g clip-path="url(#water)">${mirrored}</g>`
  return above + water(easel, y, sun, 1 - side, reflection) + birds(easel, 1 - side)
}

/** The one that the prompt speaks of, otherwise any. Chance is asked either way, so that words do not shift the rest. */
function pickNamed<Item extends { words: RegExp }>(items: readonly Item[], prompt: string, chance: Chance): Item {
  const any = chance.pick(items)
  const meant = items.filter(item => item.words.test(prompt))
  return meant.length === 0 ? any : chance.pick(meant)
}

/** The inside of an SVG of this size in pixels. */
export function paintScene(pixels: { width: number; height: number }, prompt: string, chance: Chance): string {
  const palette = pickNamed(palettes, prompt, chance)
  const scene = pickNamed(scenes, prompt, chance)
  const unit = Math.min(pixels.width, pixels.height)
  const [width, height] = [pixels.width / unit, pixels.height / unit]
  const easel: Easel = { width, height, palette, chance }
  const star = () => {
    const y = height * chance.next() ** 1.6 * 0.6
    return circle(chance.between(0, width), y, chance.between(0.0008, 0.0026), '#fff8e0', chance.next())
  }
  const sky = fill(easel, 0, wash(palette.skyTop, palette.skyBottom)) + repeat(palette.dark ? 70 : 0, star)
  const edge = fill(easel, 0, wash(palette.near, palette.near, [0, 0.12], 'radial'))
  return `<g transform="scale(${unit})">${sky}${scene.draw(easel)}${edge}</g>`
}
