/** `models`: what pictures can be made with, and what each model takes. */
import type { Model } from '../../api/models.ts'
import { commandLine } from '../arguments.ts'
import { attemptAtServer, exitCodes } from './end.ts'
import { plain, print, printJson, printTable, say } from './output.ts'
import { openServer } from './server.ts'

export async function models() {
  const { values, positionals } = commandLine('models')
  await attemptAtServer(async () => {
    const all = await openServer(values).client.models()
    const words = positionals.map(word => word.toLowerCase())
    const exact = all.find(
      ({ id, aliases }) => words.length === 1 && [id, ...aliases].some(name => name.toLowerCase() === words[0]),
    )
    const found = exact ? [exact] : all.filter(model => isMeant(model, words, values.all ?? false))
    if (values.json) for (const model of found) printJson(model)
    else if (exact) describe(exact)
    else if (found.length > 0) printTable(found.map(toRow))
    if (found.length > 0) return exitCodes.done
    say('No model was found. `webimgui models --all` shows all. 没有找到模型，webimgui models --all 列出全部。')
    return words.length > 0 ? exitCodes.refused : exitCodes.done
  })
}

function isMeant(
  { id, name, provider, provider_name, aliases, configured, state }: Model,
  words: string[],
  isAll: boolean,
) {
  if (words.length === 0) return isAll || (configured && state !== 'retired')
  const text = [id, name, provider, provider_name, ...aliases].join('\n').toLowerCase()
  return words.every(word => text.includes(word))
}

function toRow(model: Model) {
  return [model.id, spellPrice(model), takes(model), `${model.name} (${model.provider})${spellState(model)}`]
}

function takes({ images, references }: Model) {
  return `n ≤ ${images.max}, ${references.max === 0 ? 'no references' : `references ≤ ${references.max}`}`
}

function spellPrice({ price }: Model) {
  if (!price) return '?'
  const amounts = price.image.map(({ amount }) => amount)
  const [min, max] = [Math.min(...amounts), Math.max(...amounts)]
  return `${min === max ? min : `${min}–${max}`} ${price.currency}`
}

function spellState({ configured, state, is_default: isDefault }: Model) {
  const facts = [
    ...(isDefault ? ['default 默认'] : []),
    ...(configured ? [] : ['no key 未配置密钥']),
    ...(state === 'retired' ? ['retired 已下线'] : []),
  ]
  return facts.length > 0 ? `, ${facts.join(', ')}` : ''
}

function describe(model: Model) {
  const {
    id,
    about,
    sizes,
    parameters,
    price,
    typical_seconds: [fast, slow],
  } = model
  print(`${id}  ${model.name} (${model.provider})${spellState(model)}`)
  print(`${plain(about.en)}\n${plain(about.zh)}`)
  const size = sizes.text_to_image ?? sizes.with_references
  const known = [
    ...new Set([...(size?.keywords ?? []), ...(size?.exact ?? []), ...Object.keys(size?.recommended ?? {})]),
  ]
  printTable([
    ['price 单价', `${spellPrice(model)}${price ? ` (${price.checked})` : ''}`],
    ['takes 支持', takes(model)],
    ['size 尺寸', [...known.slice(0, 24), ...(size?.free ? ['WxH'] : [])].join(' ')],
    ['seconds 用时', `${fast}–${slow}`],
  ])
  const { properties = {} } = parameters as { properties?: Record<string, Record<string, unknown>> }
  printTable(Object.entries(properties).map(([name, schema]) => [`--param ${name}=`, describeParameter(schema)]))
}

function describeParameter({ type, enum: values, minimum, maximum, default: usual }: Record<string, unknown>) {
  const range = minimum === undefined && maximum === undefined ? '' : `${minimum ?? ''}…${maximum ?? ''}`
  const kind = Array.isArray(values) ? values.join(' | ') : [type, range].filter(Boolean).join(' ')
  return usual === undefined ? kind : `${kind}  (${JSON.stringify(usual)})`
}
