/**
 * ComfyUI writes the whole graph that made a picture: `prompt` has the nodes that ran by id, each with `class_type` and `inputs`, where a
 * list of two is a link to an output of another node. Recipes have to be found in it: from a node that samples back to the texts, the seed
 * and the model. Source: comfyanonymous/ComfyUI, `nodes.py` (`SaveImage`, `KSampler`, `CLIPTextEncode`), read 2026-11. As WebP the graph
 * stands in EXIF, `Make` or `Model`, behind `prompt:`.
 */
import { asNumber, asObject, asText, cleanParameters, type FoundRecipe, formatSize, parseJson } from '../recipe.ts'

interface Node {
  type: string
  inputs: Record<string, unknown>
}

type Graph = Map<string, Node>

/** Graphs may have circles where a program wrote them wrong. */
const maxSteps = 200

export function parseComfyui(text: string): FoundRecipe | undefined {
  const graph = readGraph(parseJson(text))
  if (!graph) return undefined
  const sampler = findSampler(graph)
  const from = sampler ?? [...graph.values()][0]!
  const positive = findText(graph, from, ['positive', 'conditioning', 'guider'])
  const negative = findText(graph, from, ['negative'])
  const latent = findUpstream(graph, from, ({ inputs }) => formatSize(inputs.width, inputs.height) !== undefined)
  return {
    source: 'comfyui',
    prompt: positive ?? longestText(graph) ?? '',
    model: findModel(graph),
    parameters: cleanParameters({
      negative_prompt: negative === positive ? undefined : negative,
      seed: findNumber(graph, from, ['seed', 'noise_seed']),
      steps: findNumber(graph, from, ['steps']),
      cfg_scale: findNumber(graph, from, ['cfg', 'guidance']),
      sampler: asText(from.inputs.sampler_name),
      scheduler: asText(from.inputs.scheduler),
      size: latent && formatSize(latent.inputs.width, latent.inputs.height),
    }),
  }
}

function readGraph(value: unknown): Graph | undefined {
  const nodes = Object.entries(asObject(value) ?? {}).flatMap(([id, node]): [string, Node][] => {
    const { class_type, inputs } = asObject(node) ?? {}
    return typeof class_type === 'string' ? [[id, { type: class_type, inputs: asObject(inputs) ?? {} }]] : []
  })
  return nodes.length > 0 ? new Map(nodes) : undefined
}

/** The last that samples: those before it only prepare, such as a first pass. */
function findSampler(graph: Graph): Node | undefined {
  const samplers = [...graph.values()].filter(
    ({ type, inputs }) => /sampler/i.test(type) && ('positive' in inputs || 'guider' in inputs || 'noise' in inputs),
  )
  const isUsedBy = (node: Node) => samplers.some(other => other !== node && isUpstream(graph, other, node))
  return samplers.find(node => !isUsedBy(node)) ?? samplers.at(-1)
}

function follow(graph: Graph, value: unknown): Node | undefined {
  return Array.isArray(value) && value.length === 2 ? graph.get(String(value[0])) : undefined
}

/** Every node that this one depends on, nearest first, itself included. */
function* upstream(graph: Graph, from: Node, names?: readonly string[]): Generator<Node> {
  const seen = new Set<Node>()
  const waiting: Node[] = names ? names.flatMap(name => follow(graph, from.inputs[name]) ?? []) : [from]
  for (let node = waiting.shift(); node && seen.size < maxSteps; node = waiting.shift()) {
    if (seen.has(node)) continue
    seen.add(node)
    yield node
    for (const value of Object.values(node.inputs)) {
      const next = follow(graph, value)
      if (next) waiting.push(next)
    }
  }
}

function isUpstream(graph: Graph, from: Node, wanted: Node) {
  return [...upstream(graph, from)].some(node => node === wanted)
}

function findUpstream(graph: Graph, from: Node, matches: (node: Node) => boolean) {
  return [...upstream(graph, from)].find(matches)
}

const textNames = ['text', 'text_g', 'prompt', 'clip_l', 't5xxl', 'value', 'string', 'wildcard_text']

/** The first text behind one of these inputs. */
function findText(graph: Graph, from: Node, names: readonly string[]): string | undefined {
  for (const node of upstream(graph, from, names)) {
    // A loader of models or pictures names files.
    if (/loader|loadimage/i.test(node.type)) continue
    for (const name of textNames) {
      const text = asText(node.inputs[name])?.trim()
      if (text) return text
    }
  }
  return undefined
}

function findNumber(graph: Graph, from: Node, names: readonly string[]): number | undefined {
  for (const node of upstream(graph, from)) {
    for (const name of names) {
      const given = node.inputs[name]
      const number = asNumber(given) ?? asNumber(follow(graph, given)?.inputs.value)
      if (number !== undefined) return number
    }
  }
  return undefined
}

const modelNames = ['ckpt_name', 'unet_name', 'model_name', 'model']

function findModel(graph: Graph): string | null {
  for (const { type, inputs } of graph.values()) {
    if (!/checkpoint|unet|diffusion/i.test(type)) continue
    for (const name of modelNames) {
      const text = asText(inputs[name])
      if (text) return text.replace(/\.(?:safetensors|ckpt|gguf|pt|sft)$/i, '')
    }
  }
  return null
}

/** Where no node that we know samples. */
function longestText(graph: Graph): string | undefined {
  const texts = [...graph.values()].flatMap(({ type, inputs }) =>
    /text|prompt/i.test(type) ? textNames.flatMap(name => asText(inputs[name]) ?? []) : [],
  )
  return texts.sort((a, b) => b.length - a.length)[0]
}
