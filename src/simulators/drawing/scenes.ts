/** Small landscapes as SVG, decided by the words of the prompt and by chance. */
import type { Chance } from './chance.ts'

interface Easel {
  width: number
  height: number
  /** The shorter side, so that things keep their proportions in any format. */
  unit: number
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

// ── Things, drawn once: they stand on the origin, a hundred units high, in the colour of whoever places them ─────────

const tiers = [0, 1, 2, 3, 4, 5]
const things = {
  pine: `<path fill="currentColor" d="${tiers.map(t => `M0 ${t * 14 - 100}l${6 + 3.5 * t} 26H-${6 + 3.5 * t}z`).join('')}M-1.5 0h3v-30h-3z"/>`,
  pagoda: `<g fill="currentColor"><path d="M-.8-82h1.6v-18h-1.6z"/>${tiers
    .slice(1)
    .map(
      t =>
        `<path d="M-${14 - t * 2} ${t * -16.4 + 16.4}v-16.6h${28 - t * 4}v16.6zM-${23 - t * 2.4} ${t * -16.4 + 5}q12-1 13-7h${20 - t * 4.8}q1 6 13 7q-${23 - t * 2.4}-2-${46 - t * 4.8} 0z"/>`,
    )
    .join('')}</g>`,
  windows: `<path fill="currentColor" opacity=".9" d="${tiers
    .slice(1)
    .map(t => `M-2.4 ${t * -16.4 + 7}h4.8v6h-4.8z`)
    .join('')}"/>`,
  hull: '<path fill="currentColor" d="M-58-8q58 23 116 0l-14 19h-88zM-1.500-8V-98H1.500V-8z"/>',
  sails:
    '<path fill="currentColor" d="M2-97q49 35 42 84H2z"/><path fill="currentColor" opacity=".8" d="M-3.500-80q-31 30-33 67h33z"/>',
  bird: '<path fill="none" stroke="currentColor" stroke-opacity=".75" stroke-width="14" stroke-linecap="round" d="M-100-35q55-35 100 40q45-75 100-50"/>',
  leaves: `<g fill="currentColor" opacity=".88">${[8, 30, 52, 74].map(turn => `<path transform="rotate(${turn})" d="M0 0Q40-12 100 0Q40 12 0 0Z"/>`).join('')}</g>`,
  blossom: `<g>${[0, 72, 144, 216, 288].map(turn => `<circle transform="rotate(${turn})" cy="-31" r="26" fill="currentColor" stroke="#7a1f2d" stroke-opacity=".3" stroke-width="3"/>`).join('')}<circle r="13" fill="#8a2636"/></g>`,
}

function place(thing: keyof typeof things, at: { x: number; y: number; size: number; colour: string; turn?: string }) {
  return `<use href="#${thing}" color="${at.colour}" transform="translate(${round(at.x)} ${round(at.y)}) ${at.turn ?? ''} scale(${(at.size / 100).toFixed(4)})"/>`
}

// ── Parts of scenes ─────────────────────────────────────────────────────────────────────────────────────────────────

const round = (value: number) => value.toFixed(1)
const repeat = (count: number, draw: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => draw(i)).join('')

/** A gradient right where it is used; its name is made of its colours. */
function wash(from: string, to: string, { form = 'x2="0" y2="1"', opacities = [1, 1] } = {}) {
  const name = `w${[from, to, form, ...opacities].join('').replace(/\W/g, '')}`
  const kind = form === 'radial' ? 'radialGradient' : 'linearGradient'
  const stops = [from, to].map(
    (colour, at) => `<stop offset="${at}" stop-color="${colour}" stop-opacity="${opacities[at]}"/>`,
  )
  return {
    fill: `url(#${name})`,
    definition: `<${kind} id="${name}" ${kind === 'linearGradient' ? form : ''}>${stops.join('')}</${kind}>`,
  }
}

function rectangle({ width }: Easel, top: number, bottom: number, { fill, definition }: ReturnType<typeof wash>) {
  return `${definition}<rect y="${round(top)}" width="${width}" height="${round(bottom - top)}" fill="${fill}"/>`
}

/** Sun or moon with its halo. */
function disc({ palette }: Easel, x: number, y: number, radius: number): string {
  const halo = wash(palette.disc, palette.disc, { form: 'radial', opacities: [palette.dark ? 0.5 : 0.35, 0] })
  const circle = (r: number, fill: string) =>
    `<circle cx="${round(x)}" cy="${round(y)}" r="${round(r)}" fill="${fill}"/>`
  return halo.definition + circle(radius * 3, halo.fill) + circle(radius, palette.disc)
}

/** A line of heights over the width: layered noise, 0 … 1. */
function skyline({ width, chance }: Easel, roughness: number, waves: number): (x: number) => number {
  const octaves = [0, 1, 2, 3, 4].map(octave => {
    const frequency = waves * 2 ** octave
    return {
      frequency,
      weight: roughness ** octave,
      knots: Array.from({ length: Math.ceil(frequency) + 3 }, chance.next),
    }
  })
  const total = octaves.reduce((sum, { weight }) => sum + weight, 0)
  return x =>
    octaves.reduce((sum, { knots, frequency, weight }) => {
      const at = Math.max(0, Math.min(0.9999, x / width)) * frequency
      const left = Math.floor(at)
      const eased = (at - left) ** 2 * (3 - 2 * (at - left))
      return sum + (weight * (knots[left]! * (1 - eased) + knots[left + 1]! * eased)) / total
    }, 0)
}

function below({ width }: Easel, y: (x: number) => number, bottom: number): string {
  return `M-2 ${round(bottom)}${repeat(Math.ceil(width / 4) + 2, step => `L${step * 4 - 2} ${round(y(step * 4))}`)}V${round(bottom)}Z`
}

/** One range of hills that stands in mist at its foot; `depth` from 0, far away, to 1. All heights are shares of the picture's. */
function ridge(
  easel: Easel,
  {
    crest,
    rise,
    depth,
    foot = 1.02,
    waves = 3,
  }: { crest: number; rise: number; depth: number; foot?: number; waves?: number },
) {
  const { height, palette } = easel
  const line = skyline(easel, 0.48, waves)
  const ink = mix(palette.far, palette.near, depth)
  const { fill, definition } = wash(ink, mix(palette.skyBottom, ink, 0.12 + depth * 0.25), { opacities: [0.96, 0.75] })
  const path = below(easel, x => height * (crest + rise * (0.5 - line(x) ** 1.15)), height * foot)
  return `${definition}<path d="${path}" fill="${fill}" stroke="${mix(ink, palette.near, 0.5)}" stroke-opacity="${round(0.1 + depth * 0.2)}"/>`
}

function birds({ chance, unit, width, height, palette }: Easel, x: number, y: number): string {
  return repeat(chance.whole(3, 6), () =>
    place('bird', {
      x: x + chance.between(-0.14, 0.14) * width,
      y: y + chance.between(-0.07, 0.07) * height,
      size: unit * chance.between(0.012, 0.024),
      colour: palette.dark ? palette.disc : palette.near,
    }),
  )
}

function boat({ palette }: Easel, x: number, y: number, size: number): string {
  return place('sails', { x, y, size, colour: palette.accent }) + place('hull', { x, y, size, colour: palette.near })
}

/** Ripples that narrow towards the horizon. */
function ripples(
  { chance, height, unit }: Easel,
  horizon: number,
  colour: string,
  middle: number,
  half: number,
): string {
  return repeat(70, () => {
    const nearness = chance.next() ** 1.4
    const x = middle + chance.between(-half, half) * (0.3 + 0.7 * nearness)
    const radii = `rx="${round(unit * (0.02 + 0.15 * nearness) * chance.between(0.4, 1.2))}" ry="${(unit * (0.0012 + 0.0034 * nearness)).toFixed(2)}"`
    return `<ellipse cx="${round(x)}" cy="${round(horizon + (height - horizon) * nearness)}" ${radii} fill="${colour}" opacity="${chance.between(0.12, 0.55).toFixed(2)}"/>`
  })
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
  const { width, height, unit, palette, chance } = easel
  const sun = chance.between(0.18, 0.82)
  const ranges = repeat(5, range => {
    const share = range / 4
    const waves = (2 + share * 2.5) * Math.max(0.6, width / height)
    return ridge(easel, { crest: 0.4 + share * 0.46, rise: 0.5 - share * 0.34, depth: share ** 1.3 * 0.95, waves })
  })
  const pines = repeat(9, () => {
    const x = width * (chance.next() < 0.5 ? chance.between(0, 0.28) : chance.between(0.72, 1))
    return place('pine', {
      x,
      y: height * chance.between(0.97, 1.03),
      size: unit * chance.between(0.07, 0.17),
      colour: palette.near,
    })
  })
  const sky = disc(easel, width * sun, height * chance.between(0.16, 0.3), unit * chance.between(0.055, 0.1))
  return sky + birds(easel, width * (1 - sun), height * 0.28) + ranges + pines
}

function sea(easel: Easel): string {
  const { width, height, unit, palette, chance } = easel
  const horizon = height * chance.between(0.5, 0.62)
  const [sunX, radius] = [width * chance.between(0.25, 0.75), unit * chance.between(0.08, 0.15)]
  const water = wash(mix(palette.skyBottom, palette.far, 0.6), mix(palette.far, palette.near, 0.65))
  const waves = repeat(3, wave => {
    const line = skyline(easel, 0.35, 4 + wave)
    const fill = mix(palette.far, palette.near, 0.55 + wave * 0.2)
    return `<path d="${below(easel, x => height * (0.87 + wave * 0.055 - line(x) * 0.05), height + 2)}" fill="${fill}" fill-opacity=".9" stroke="#fff" stroke-opacity=".35"/>`
  })
  return (
    disc(easel, sunX, horizon - radius * chance.between(0.3, 1.6), radius) +
    ridge(easel, { crest: horizon / height, rise: 0.12, depth: 0.3, foot: horizon / height }) +
    rectangle(easel, horizon, height, water) +
    ripples(easel, horizon, mix(palette.near, palette.far, 0.3), width / 2, width * 0.6) +
    ripples(easel, horizon, mix(palette.disc, '#ffffff', 0.35), sunX, radius) +
    boat(
      easel,
      width * chance.between(0.2, 0.8),
      horizon + (height - horizon) * 0.35,
      unit * chance.between(0.1, 0.17),
    ) +
    birds(easel, width - sunX, height * 0.25) +
    waves
  )
}

function bamboo(easel: Easel): string {
  const { width, height, unit, palette, chance } = easel
  const stalk = (share: number) => {
    // The nearest ones frame the picture and leave its middle open.
    const side = chance.next() < 0.5 ? chance.between(0.02, 0.24) : chance.between(0.76, 0.98)
    const x = width * (share === 1 ? side : chance.next())
    const ink = mix(palette.far, palette.near, 0.15 + share * 0.7)
    const [thick, piece] = [unit * (0.008 + share * 0.022) * chance.between(0.8, 1.2), height * (0.1 + share * 0.04)]
    const { fill, definition } = wash(mix(ink, '#ffffff', 0.25), ink, { form: 'x2="1" y2="0"' })
    const pieces = repeat(Math.ceil(height / piece) + 1, index => {
      const y = index * piece
      const node = `<rect x="${round(x - thick / 2)}" y="${round(y)}" width="${round(thick)}" height="${round(piece - thick * 0.18)}" rx="${round(thick * 0.15)}" fill="${fill}"/>`
      const turn = chance.next() < 0.5 ? 'scale(-1 1)' : ''
      return chance.next() < 0.5 && y < height * 0.7
        ? node + place('leaves', { x, y, size: unit * (0.06 + share * 0.09), colour: ink, turn })
        : node
    })
    return `${definition}<g transform="rotate(${round(chance.between(-3, 3))} ${round(x)} ${height})">${pieces}</g>`
  }
  const sun = disc(
    easel,
    width * chance.between(0.3, 0.7),
    height * chance.between(0.25, 0.4),
    unit * chance.between(0.12, 0.18),
  )
  const grove = repeat(3, depth => repeat(Math.round(((5 - depth) * width) / unit + 1), () => stalk(depth / 2)))
  return sun + birds(easel, width / 2, height * 0.18) + ridge(easel, { crest: 0.75, rise: 0.2, depth: 0.05 }) + grove
}

function blossoms(easel: Easel): string {
  const { width, height, unit, palette, chance } = easel
  const buds: string[] = []
  // On a red disc red flowers vanish, so they are light there.
  const petals = mix(palette.accent, '#ffffff', palette.dark ? 0.72 : 0.62)
  const flower = (x: number, y: number, size: number) => {
    const colour = chance.next() < 0.7 ? petals : mix(palette.accent, '#ffffff', 0.3)
    buds.push(place('blossom', { x, y, size, colour, turn: `rotate(${chance.whole(0, 72)})` }))
  }
  const branch = (x: number, y: number, heading: number, thick: number, steps: number): string => {
    if (steps < 1 || thick < unit * 0.002) return ''
    const turned = heading + chance.between(-0.32, 0.32)
    const length = unit * 0.06 * chance.between(0.7, 1.2)
    const [endX, endY] = [x + Math.cos(turned) * length, y + Math.sin(turned) * length]
    if (thick < unit * 0.02 && chance.next() < 0.62) flower(endX, endY, unit * chance.between(0.03, 0.06))
    const side =
      chance.next() < 0.4
        ? branch(
            endX,
            endY,
            turned + chance.pick([-1, 1]) * chance.between(0.5, 1.05),
            thick * 0.6,
            Math.floor(steps * 0.5),
          )
        : ''
    const wood = `<path d="M${round(x)} ${round(y)}L${round(endX)} ${round(endY)}" stroke="${palette.near}" stroke-width="${thick.toFixed(2)}" stroke-linecap="round"/>`
    return wood + side + branch(endX, endY, turned, thick * 0.92, steps - 1)
  }
  const isLeft = chance.next() < 0.5
  const moonX = width * (isLeft ? 0.6 : 0.4)
  const heading = isLeft ? chance.between(-0.55, -0.15) : Math.PI + chance.between(0.15, 0.55)
  const wood = branch(
    isLeft ? 0 : width,
    height * chance.between(0.72, 0.88),
    heading,
    unit * 0.034,
    Math.round((13 * width) / unit),
  )
  const falling = repeat(
    16,
    () =>
      `<circle cx="${round(chance.between(0, width))}" cy="${round(chance.between(height * 0.3, height))}" r="${round(unit * 0.007)}" fill="${petals}" opacity=".8"/>`,
  )
  const moon = disc(easel, moonX, height * chance.between(0.36, 0.46), unit * chance.between(0.22, 0.29))
  return moon + ridge(easel, { crest: 0.9, rise: 0.16, depth: 0.15 }) + wood + buds.join('') + falling
}

function dunes(easel: Easel): string {
  const { width, height, unit, palette, chance } = easel
  const sunX = chance.between(0.2, 0.8)
  const sky = disc(easel, width * sunX, height * chance.between(0.2, 0.34), unit * chance.between(0.1, 0.17))
  const sand = repeat(6, dune => {
    const share = dune / 5
    const [phase, waves] = [chance.between(0, Math.PI * 2), chance.between(0.5, 1.1) * Math.max(0.7, width / height)]
    const wave = (x: number, shift = 0) => Math.sin(phase + shift + (x / width) * Math.PI * 2 * waves)
    const y = (x: number) => height * (0.44 + share * 0.46 - 0.09 * wave(x))
    const sunny = mix(mix(palette.far, palette.disc, 0.22), palette.near, share ** 1.5 * 0.75)
    // The lee side lies in shadow: the same crest, a little lower on one side.
    const lee = below(easel, x => y(x) + height * 0.035 * (1 + wave(x, 1.2)), height + 2)
    const shadow = `<path d="${lee}" fill="${mix(sunny, palette.near, 0.45)}" opacity=".25"/>`
    const [x, size] = [width * chance.between(0.2, 0.8), unit * 0.15]
    const tower =
      dune === 3
        ? place(chance.pick(['pagoda', 'pine']), { x, y: y(x) + unit * 0.012, size, colour: palette.near })
        : ''
    return `<path d="${below(easel, y, height + 2)}" fill="${mix(sunny, palette.skyBottom, 0.2)}"/>${shadow}${tower}`
  })
  return sky + birds(easel, width * (1 - sunX), height * 0.22) + sand
}

function lake(easel: Easel): string {
  const { width, height, unit, palette, chance } = easel
  const shore = height * chance.between(0.58, 0.66)
  const sunX = width * chance.between(0.2, 0.8)
  const x = width * (sunX < width / 2 ? chance.between(0.62, 0.82) : chance.between(0.18, 0.38))
  const foot = shore / height
  const ranges = repeat(3, range =>
    ridge(easel, {
      crest: foot - 0.16 + range * 0.07,
      rise: 0.34 - range * 0.08,
      depth: 0.05 + range * 0.24,
      waves: 2.2 + range,
      foot,
    }),
  )
  const hill = `<path transform="translate(${round(x)} ${round(shore)}) scale(${round(unit)})" fill="${palette.near}" d="M-.42 0q.22-.02.32-.1q.1-.04.2 0q.1.08.32.1z"/>`
  const temple = { x, y: shore - unit * 0.09, size: unit * chance.between(0.3, 0.38) }
  const pines = repeat(7, () => {
    const aside = chance.between(-0.3, 0.3)
    return place('pine', {
      x: x + unit * aside,
      y: shore - unit * 0.08 * (1 - Math.abs(aside) / 0.32),
      size: unit * chance.between(0.05, 0.1),
      colour: palette.near,
    })
  })
  const lit = palette.dark ? place('windows', { ...temple, colour: palette.accent }) : ''
  const above =
    disc(easel, sunX, height * chance.between(0.16, 0.28), unit * chance.between(0.06, 0.1)) +
    ranges +
    place('pagoda', { ...temple, colour: palette.near }) +
    lit +
    hill +
    pines
  const water = wash(mix(palette.skyBottom, palette.far, 0.35), mix(palette.far, palette.near, 0.4))
  return (
    `<clipPath id="water"><rect y="${round(shore)}" width="${width}" height="${height}"/></clipPath>${above}` +
    rectangle(easel, shore, height, water) +
    `<g clip-path="url(#water)"><g transform="translate(0 ${round(shore * 2)}) scale(1 -1)" opacity=".42">${above}</g></g>` +
    ripples(easel, shore, mix(palette.skyBottom, '#ffffff', 0.35), width / 2, width * 0.6) +
    boat(easel, width - x, shore + (height - shore) * chance.between(0.3, 0.6), unit * chance.between(0.11, 0.16)) +
    birds(easel, width - x, height * 0.2)
  )
}

/** The one that the prompt speaks of, otherwise any. Chance is asked either way, so that words do not shift the rest. */
function pickNamed<Item extends { words: RegExp }>(items: readonly Item[], prompt: string, chance: Chance): Item {
  const any = chance.pick(items)
  const meant = items.filter(item => item.words.test(prompt))
  return meant.length === 0 ? any : chance.pick(meant)
}

/** A whole SVG of this size in pixels. */
export function paintScene(width: number, height: number, prompt: string, chance: Chance): string {
  const palette = pickNamed(palettes, prompt, chance)
  const scene = pickNamed(scenes, prompt, chance)
  const easel: Easel = { width, height, unit: Math.min(width, height), palette, chance }
  const sky = rectangle(easel, 0, height, wash(palette.skyTop, palette.skyBottom))
  const stars = repeat(
    palette.dark ? 70 : 0,
    () =>
      `<circle cx="${round(chance.between(0, width))}" cy="${round(height * chance.next() ** 1.6 * 0.6)}" r="${(easel.unit * chance.between(0.0008, 0.0026)).toFixed(2)}" fill="#fff8e0" opacity="${chance.between(0.25, 0.9).toFixed(2)}"/>`,
  )
  const edge = wash(palette.near, palette.near, { form: 'radial', opacities: [0, 0.12] })
  const symbols = Object.entries(things).map(([name, shape]) => `<g id="${name}">${shape}</g>`)
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs>${symbols.join('')}</defs>${sky}${stars}${scene.draw(easel)}${rectangle(easel, 0, height, edge)}</svg>`
}
