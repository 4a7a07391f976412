/** Whatever people combine: what is planned is taken by the service, as far as its documents tell, and what is not is never sent. */

import { expect, test } from 'vitest'
import { checkRequest } from '../../src/catalogue/checks.ts'
import type { JsonObject, JsonSchema, JsonValue, Model } from '../../src/catalogue/model.ts'
import { resolveSize } from '../../src/catalogue/sizes.ts'
import { InvalidRequest } from '../../src/catalogue/violation.ts'
import { doubao } from '../../src/providers/doubao/doubao.ts'
import { shipped } from '../../src/providers/index.ts'
import type { PlannedCall } from '../../src/providers/provider.ts'
import { arkModels, bytePlusModels } from '../../src/simulators/doubao/models.ts'
import { readOrder } from '../../src/simulators/doubao/requests.ts'
import { Refusal } from '../../src/simulators/refusal.ts'
import { knownNames } from '../support/names.ts'

const sizes = [undefined, '1k', '1.5K', '2K', '4K', 'auto', '16:9', '5:4', '1:16', '960x960', '2560x1440', '4096x4096']

test.each([...arkModels, ...bytePlusModels])('$id', served => {
  const model = shipped.find(served.id, 'doubao')!.model
  const refused: string[] = []
  let sent = 0
  for (const parameters of combinations(model)) {
    for (const references of [0, 1, 2, 10, 14]) {
      for (const transparent of references === 0 ? [false] : [false, true]) {
        for (const call of plannedCalls(model, served.id, { parameters, references, transparent })) {
          sent++
          const complaint = complaintAbout(call, served)
          if (complaint) refused.push(`${JSON.stringify(parameters)} with ${references}: ${complaint}`)
          expect(call.body.watermark).toBe(parameters.watermark === true)
        }
      }
    }
  }

  expect(refused).toEqual([])
  expect(sent).toBeGreaterThan(100)
})

function combinations(model: Model): JsonObject[] {
  let all: JsonObject[] = sizes.flatMap(size =>
    [undefined, 3, 15].map(n => ({ ...(size && { size }), ...(n !== undefined && { n }) })),
  )
  for (const [name, schema] of Object.entries(model.parameters)) {
    all = all.flatMap(one => [one, ...valuesOf(schema).map(value => ({ ...one, [name]: value }))])
  }
  return all
}

function valuesOf(schema: JsonSchema): JsonValue[] {
  if (Array.isArray(schema.enum)) return schema.enum
  return schema.type === 'boolean' ? [true] : [5]
}

/** Nothing where the request is refused here. */
function plannedCalls(
  model: Model,
  modelId: string,
  asked: { parameters: JsonObject; references: number; transparent: boolean },
): PlannedCall[] {
  const prompt = 'three boats'
  const checked = checkRequest(model, { prompt, ...asked }, knownNames)
  const resolved = checked.sizeRule ? resolveSize(checked.sizeRule, model.id, checked.size) : {}
  if (checked.violations.length > 0 || 'violation' in resolved) return []
  const mimeType = asked.transparent ? 'image/png' : 'image/jpeg'
  const reference = { mimeType, width: 1000, height: 800, transparent: asked.transparent }
  const references = Array.from({ length: asked.references }, () => reference)
  const { count, parameters } = checked
  try {
    return doubao.plan({ modelId, prompt, count, size: resolved.size, parameters, references }, model).calls
  } catch (error) {
    if (error instanceof InvalidRequest) return []
    throw error
  }
}

function complaintAbout({ body, images }: PlannedCall, served: (typeof arkModels)[number]): string | undefined {
  const picture = 'data:image/png;base64,AAAA'
  const { image, ...rest } = body
  const sent = Array.isArray(image)
    ? { image: image.map(() => picture) }
    : image === undefined
      ? {}
      : { image: picture }
  try {
    const order = readOrder({ ...rest, ...sent }, served)
    return order.images < images ? `at most ${order.images} of ${images}` : undefined
  } catch (error) {
    if (error instanceof Refusal) return error.message
    throw error
  }
}
