/** Making an ended generation again. */

import { Refusal } from '../errors.ts'
import { type GenerationRecord, hasEnded } from '../storage/records.ts'
import { findGeneration } from './history.ts'
import type { GenerationParts } from './parts.ts'
import type { GenerationRequest, RetryScope } from './services.ts'

/** The request that repeats an ended generation, or its missing images. */
export async function composeRetry(parts: GenerationParts, id: string, only: RetryScope): Promise<GenerationRequest> {
  const generation = await findGeneration(parts, id)
  if (!hasEnded(generation.status)) {
    throw new Refusal(
      'conflict',
      'This generation is still running. Wait for its end, or cancel it, before you make it again.',
    )
  }
  if (generation.model === null) {
    throw new Refusal(
      'conflict',
      `Nobody knows the model of this ${generation.importedFrom === null ? 'entry of an old database' : 'imported picture'}; send its prompt to POST /api/generate instead.`,
    )
  }
  const isForeign = generation.provider !== null && !parts.catalogue.findProvider(generation.provider)
  const parameters = isForeign ? translateImported(parts, generation) : { ...generation.parameters }
  if (only === 'missing' && generation.images.length > 0) {
    const missing = generation.failures.map(failure => failure.index)
    if (missing.length === 0) throw new Refusal('conflict', 'No picture of this generation is missing.')
    parameters.n = missing.length
    // Picture i of a seed is made with the seed + i; a negative seed means a random one.
    const { seed } = parameters
    if (typeof seed === 'number' && seed >= 0) parameters.seed = (seed + Math.min(...missing)) % 2 ** 31
  }
  // If the original named no configuration, neither does the repeat.
  const wasNamed = (await parts.store.calls.ofGeneration(id)).some(call => !call.mayMove)
  const isActive = (await parts.configurations.active()).some(configuration => configuration.id === generation.configId)
  return {
    prompt: generation.prompt,
    model: generation.model,
    provider: isForeign ? undefined : (generation.provider ?? undefined),
    configId: wasNamed && isActive ? (generation.configId ?? undefined) : undefined,
    parameters,
    references: generation.references.map(image => ({ text: image.id })),
  }
}

/** What is left of the parameters of another program where its model is one of ours. @throws Refusal `conflict` where it is not */
function translateImported(
  { catalogue, knownNames }: GenerationParts,
  { model, parameters, importedFrom }: GenerationRecord,
) {
  const found = model === null ? undefined : catalogue.find(model)
  if (!found || found.model.state === 'unlisted') {
    throw new Refusal(
      'conflict',
      `This picture was imported (${importedFrom}), and no model of this server is "${model}". Send its prompt to POST /api/generate with a model of your choice.`,
    )
  }
  return Object.fromEntries(Object.entries(parameters).filter(([name]) => knownNames.has(name)))
}
