/** Small landscapes as SVG, decided by the words of the prompt and by chance. */
import type { Chance } from './chance.ts'

type Range = readonly [from: number, to: number]

/** Lengths are in shorter sides of the picture, so that things keep their proportions in any format. */
interface Easel {
  width: number
  height: number
  chance: Chance
  colours: Readonly<Record<'top' | 'bottom' | 'far' | 'near' | 'disc' | 'accent', string>>
  /** Where sun or moon stands, in shares of the width. */
  sun: number
}

/** A part of a scene; `behind` is everything that stands behind it. */
type Layer = (easel: Easel, behind: string) => string

const repeat = (count: number, draw: (index: number) => string) =>
  Array.from({ length: count }, (_, index) => draw(index)).join('')
const along = ([from, to]: Range, share: number) => from + (to - from) * share
const gradient = (id: string, from: string, to: string) =>
  `<linearGradient id="${id}" x2="0" y2="1"><stop stop-color="${from}"/><stop offset="1" stop-color="${to}"/></linearGradient>`

function mix(from: string, to: string, share: number): string {
  const channels = (colour: string) => [1, 3, 5].map(at => Number.parseInt(colour.slice(at, at + 2), 16))
  const ends = channels(to)
  return `rgb(${channels(from).map((value, index) => Math.round(along([value, ends[index]!], share)))})`
}

/** Sky at the top and at the bottom, what is far and what is near, sun or moon, and what catches the eye. */
const palettes = [
  { words: /ink|水墨|墨|calligraphy|tea|茶/i, colours: '#f5eee0 #e6d9bf #bdb9aa #2b3538 #c3412b #c3412b' },
  { words: /dawn|morning|sunrise|晨|日出|pink|粉/i, colours: '#f7d9d0 #fdf0dd #d3a7a9 #553349 #e9643f #d8475a' },
  { words: /jade|green|绿|春|spring|tea garden/i, colours: '#e3efe4 #f5f3e2 #a4c4b3 #1d4a43 #e2a83a #d9683c' },
  { words: /night|moon|夜|月|star|星/i, colours: '#0d1730 #3d5d88 #46648f #0a1224 #f7efd2 #f2b45c' },
  { words: /dusk|evening|sunset|黄昏|晚|夕|purple|紫/i, colours: '#34285a #e58a6b #8b587f #1d1331 #ffcf85 #ffb45e' },
  { words: /blue|青|蓝|landscape|山水/i, colours: '#f1e6c6 #dfcb97 #7fb0a4 #1b5570 #bb4a30 #bb4a30' },
  { words: /snow|winter|雪|冬|ice|冰/i, colours: '#dde6ee #f4f5f3 #b6c5d2 #394a5c #dc5a4b #c9463b' },
  { words: /autumn|fall|秋|red|红|gold|金|maple|枫/i, colours: '#f8e8c6 #efc489 #d49a68 #5c2a1d #b9321f #c8401f' },
]

const shore = 0.6
const hills = ranges(1, [0.8, 0.8], [0.18, 0], [0.1, 0])
const cliffs = ranges(3, [0.46, 0.58], [0.34, 0.18], [0.05, 0.53])
const plum = (size: Range, x: Range) => scatter('plum', 1, [1, 1.05], size, { x })
const canes = (ink: number) => scatter('bamboo', 5, [1, 1.1], [ink + 0.15, ink + 0.3], { ink })

const mountains = [ranges(5, [0.42, 0.88], [0.5, 0.16], [0, 0.95]), scatter('pine', 9, [0.97, 1.03], [0.07, 0.17])]
const sea = [ranges(1, [0.63, 0.63], [0.14, 0], [0.3, 0]), water]
const forest = [hills, canes(0.15), canes(0.5), canes(0.85)]
const orchard = [hills, plum([0.75, 0.95], [0.1, 0.35]), plum([0.45, 0.65], [0.65, 0.9])]
const lake = [cliffs, scatter('island', 1, [shore, shore], [0.4, 0.5], { x: [0.6, 0.8] }), water]

/** `disc`: the height of sun or moon in shares of the picture, and its radius. */
const scenes: readonly { words: RegExp; disc: Range; layers: readonly Layer[] }[] = [
  { words: /mountain|山|peak|峰|valley|hill|mist|雾|云|cloud|desert/i, disc: [0.22, 0.08], layers: mountains },
  { words: /sea|ocean|海|wave|浪|boat|ship|船|beach|岛|lighthouse/i, disc: [0.5, 0.11], layers: sea },
  { words: /forest|bamboo|竹|林|tree|树|garden|panda|熊猫/i, disc: [0.32, 0.15], layers: forest },
  { words: /flower|花|blossom|梅|樱|plum|bird|鸟|spring|portrait|人/i, disc: [0.42, 0.25], layers: orchard },
  { words: /lake|湖|river|江|河|temple|寺|pagoda|塔|city|城|house|屋/i, disc: [0.22, 0.08], layers: lake },
]

const floor = 'M-12 0v-16.600h24v16.600zM-20.600-11.400q12-1 13-7h15.200q1 6 13 7z'
const pine = `<path d="${repeat(6, t => `M0 ${t * 14 - 100}l${6 + 3.5 * t} 26H-${6 + 3.5 * t}z`)}M-1.500 0h3v-30h-3z"/>`
const pagoda = `${repeat(5, t => `<path transform="translate(0 ${t * -16.4}) scale(${1 - t * 0.13} 1)" d="${floor}"/>`)}<path d="M-.8-82h1.600v-18h-1.600z"/>`
const windows = `<path fill="currentColor" d="${repeat(5, t => `M-2.400 ${t * -16.4 - 9.4}h4.800v6h-4.800z`)}"/>`
const leaves = repeat(4, t => `<path transform="rotate(${8 + t * 22}) scale(.15)" d="M0 0Q40-12 100 0Q40 12 0 0Z"/>`)
const cane = (t: number) => `<path d="M-1.400 0h2.800v-15.700h-2.800z"/>${t % 5 > 1 ? leaves : ''}`
const blossom = `${repeat(5, t => `<circle transform="rotate(${t * 72})" cy="-31" r="26"/>`)}<circle r="13" fill="#8a2636"/>`
const twigs =
  'M-3 0C-9-30 3-45 4-90C6-45-4-30 3 0ZM0-44C14-50 26-60 37-78C28-58 14-46 0-38ZM-2-28C-14-34-26-46-30-66C-22-46-12-36-1-22ZM3-64C-4-70-8-78-10-92C-5-80 0-74 4-60ZM24-58C32-58 40-56 46-50C40-54 32-55 24-55Z'
const flowers =
  '4,-90 5,-80 -10,-92 -8,-82 -3,-72 37,-78 33,-70 26,-61 46,-50 38,-55 -30,-66 -27,-55 -19,-43 15,-50 -8,-33'

/** Things to scatter: they stand on the origin, a hundred units high; the current colour is the accent. */
const things = {
  dot: '<circle r="50"/>',
  ripple: '<ellipse rx="50" ry="2" opacity=".35"/>',
  pine,
  island: `<path d="M-95 0q50-5 71-22q24-9 48 0q21 17 71 22z"/><g transform="translate(0 -20) scale(.8)">${pagoda}${windows}</g>`,
  boat: '<path fill="currentColor" d="M2-97q49 35 42 84H2zM-3.500-80q-31 30-33 67h33z"/><path d="M-58-8q58 23 116 0l-14 19h-88zM-1.500-8V-98H1.500V-8z"/>',
  bird: '<path d="M-100-35q55-35 100 40q45-75 100-50q-60 0-100 75q-40-75-100-65z"/>',
  bamboo: repeat(24, t => `<g transform="translate(0 ${t * -16}) scale(${t % 2 ? 1 : -1} 1)">${cane(t)}</g>`),
  plum: `<path d="${twigs}"/>${flowers.replace(/\S+/g, at => `<g fill="#f6dcdd" transform="translate(${at}) scale(.06)">${blossom}</g>`)}`,
}

/** Many of a thing; `x` and `y` in shares of the picture, `ink` from 0, as what is far, to 1. */
function scatter(
  thing: keyof typeof things,
  count: number,
  y: Range,
  size: Range,
  { x = [0, 1], fill, ink = 1 }: { x?: Range; fill?: string; ink?: number } = {},
): Layer {
  return ({ chance, width, height, colours }) =>
    repeat(count, () => {
      const at = `${width * chance.between(...x)} ${height * chance.between(...y)}`
      const turn = chance.pick(['', 'scale(-1 1)'])
      const colour = fill ?? mix(colours.far, colours.near, ink)
      return `<g fill="${colour}" color="${colours.accent}" transform="translate(${at}) ${turn} scale(${chance.between(...size) / 100})">${things[thing]}</g>`
    })
}

/** Land from far to near, each in mist at its foot: heights of the crests, what rises above them, how dark they are. */
function ranges(count: number, crest: Range, rise: Range, ink: Range): Layer {
  return ({ width, height, chance, colours }) =>
    repeat(count, index => {
      const share = index / Math.max(1, count - 1)
      const octaves = Array.from({ length: 5 }, (_, octave) => {
        const pace = (1.2 + share) * Math.max(0.6, width / height) * 2.1 ** octave * chance.between(2.5, 3.9)
        return { pace, phase: chance.between(0, 6.3), weight: 0.57 * 0.44 ** octave }
      })
      const points = repeat(161, step => {
        const at = (pace: number, phase: number) => 1 - Math.abs(Math.sin((step / 160) * pace + phase))
        const line = octaves.reduce((sum, { pace, phase, weight }) => sum + weight * at(pace, phase), 0)
        const y = height * (along(crest, share) + along(rise, share) * (0.5 - line))
        return `L${(width * step) / 160} ${y.toFixed(4)}`
      })
      const colour = mix(colours.far, colours.near, along(ink, share))
      const foot = mix(colours.bottom, colours.near, along(ink, share) * 0.5)
      const id = `land${count}${index}`
      return `${gradient(id, colour, foot)}<path d="M0 ${height}${points}V${height}Z" fill="url(#${id})"/>`
    })
}

/** From the shore to the bottom, with what is mirrored, ripples, and a boat. */
function water(easel: Easel, behind: string): string {
  const { width, height, colours, sun } = easel
  const y = height * shore
  const fill = mix(colours.disc, '#ffffff', 0.35)
  const onIt = [
    scatter('ripple', 60, [shore, 1], [0.05, 0.2], { ink: 0.6 }),
    scatter('ripple', 50, [shore, 1], [0.03, 0.2], { x: [sun - 0.1, sun + 0.1], fill }),
    scatter('boat', 1, [0.7, 0.8], [0.11, 0.16], { x: [0.9 - sun, 1.1 - sun] }),
  ]
  const surface = `y="${y}" width="${width}" height="${height - y}"`
  return `${gradient('water', mix(colours.bottom, colours.far, 0.45), mix(colours.far, colours.near, 0.5))}
    <clipPath id="surface"><rect ${surface}/></clipPath><rect ${surface} fill="url(#water)"/>
    <g clip-path="url(#surface)"><g transform="translate(0 ${y * 2}) scale(1 -1)" opacity=".42">${behind}</g></g>
    ${onIt.map(layer => layer(easel, '')).join('')}`
}

/** One that the prompt speaks of, otherwise any; chance is asked once either way. */
function pickNamed<Item extends { words: RegExp }>(items: readonly Item[], prompt: string, chance: Chance): Item {
  const meant = items.filter(item => item.words.test(prompt))
  return chance.pick(meant.length > 0 ? meant : items)
}

/** The inside of an SVG of this size in pixels. */
export function paintScene(pixels: { width: number; height: number }, prompt: string, chance: Chance): string {
  const palette = pickNamed(palettes, prompt, chance)
  const scene = pickNamed(scenes, prompt, chance)
  const unit = Math.min(pixels.width, pixels.height)
  const [width, height] = [pixels.width / unit, pixels.height / unit]
  const [top = '', bottom = '', far = '', near = '', disc = '', accent = ''] = palette.colours.split(' ')
  const isDark = top < '#8'
  const sun = chance.between(0.22, 0.78)
  const easel: Easel = { width, height, chance, sun, colours: { top, bottom, far, near, disc, accent } }
  const at = `cx="${width * sun}" cy="${height * (scene.disc[0] + chance.between(-0.07, 0.07))}"`
  const radius = scene.disc[1] * chance.between(0.75, 1.3)
  const layers = [
    scatter('dot', isDark ? 70 : 0, [0, 0.6], [0.001, 0.005], { fill: '#fff8e0' }),
    () => `<circle ${at} r="${radius * 3}" fill="url(#halo)"/><circle ${at} r="${radius}" fill="${disc}"/>`,
    scatter('bird', 5, [0.12, 0.3], [0.012, 0.024], { x: [0.9 - sun, 1.1 - sun], fill: isDark ? disc : near }),
    ...scene.layers,
  ]
  const painted = layers.reduce((behind, layer) => behind + layer(easel, behind), '')
  const faded = `<stop stop-color="${disc}" stop-opacity=".45"/><stop offset="1" stop-color="${disc}" stop-opacity="0"/>`
  return `${gradient('sky', top, bottom)}<radialGradient id="halo">${faded}</radialGradient>
    <g transform="scale(${unit})"><rect width="${width}" height="${height}" fill="url(#sky)"/>${painted}</g>`
}
