/** What stands in the form. It is kept in this browser, so that nothing typed is lost. */
import { useCallback, useState } from 'react'
import type { Generation } from '../../api/generations.ts'
import type { Model } from '../../api/models.ts'
import type { TakenRecipe } from '../router.tsx'
import type { Wish } from './plan.ts'
import { choiceOf } from './sizes.ts'

export interface Draft extends Wish {
  /** Ids; several draw the same prompt side by side. Those that the server no longer knows are left out when it is shown. */
  models: readonly string[]
}

const storageKey = 'webimgui.draft'
const empty: Draft = { prompt: '', models: [], references: [], size: {}, count: 1, values: {} }

export function useDraft() {
  const [draft, setDraft] = useState(readDraft)
  const change = useCallback((change: Partial<Draft> | ((draft: Draft) => Partial<Draft>)) => {
    setDraft(before => {
      const next = { ...before, ...(typeof change === 'function' ? change(before) : change) }
      keepDraft(next)
      return next
    })
  }, [])
  return [draft, change] as const
}

function readDraft(): Draft {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(storageKey) ?? '{}')
    return typeof kept === 'object' && kept !== null ? sound(kept as Partial<Record<keyof Draft, unknown>>) : empty
  } catch {
    return empty
  }
}

/** Of another version of the page, or changed by hand: takes what has the right form. */
function sound(kept: Partial<Record<keyof Draft, unknown>>): Draft {
  const texts = (value: unknown) =>
    Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : []
  const record = (value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
  const size = record(kept.size)
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined)
  return {
    prompt: text(kept.prompt) ?? '',
    models: texts(kept.models),
    references: texts(kept.references),
    size: { ratio: text(size.ratio), tier: text(size.tier), pixels: text(size.pixels) },
    count: Number.isInteger(kept.count) && Number(kept.count) >= 1 ? Number(kept.count) : 1,
    values: record(kept.values),
  }
}

function keepDraft(draft: Draft) {
  try {
    localStorage.setItem(storageKey, JSON.stringify(draft))
  } catch {
    // A full or closed storage must not stand in the way of writing.
  }
}

/** The settings of a recipe in the form; `models` tells which of its sizes are listed ones. */
export function draftOf(recipe: TakenRecipe, models: readonly Model[]): Partial<Draft> {
  const { size, n, ...values } = recipe.parameters
  const model = models.find(({ id, aliases }) => id === recipe.model || aliases.includes(recipe.model ?? ''))
  const { text_to_image, with_references } = model?.sizes ?? {}
  return {
    prompt: recipe.prompt,
    ...(model ? { models: [model.id] } : {}),
    references: recipe.references.map(reference => reference.id),
    size: choiceOf(size, text_to_image ?? with_references ?? undefined),
    count: typeof n === 'number' && n >= 1 ? n : 1,
    values,
  }
}

export function recipeOf({ prompt, model, parameters, references }: Generation): TakenRecipe {
  return { prompt, model, parameters, references: references.map(({ id }) => ({ id })) }
}

/** The one that is chosen while nobody has chosen: it has a key and a known price, draws from text, and is not the slowest. */
export function standardModel(models: readonly Model[], preferred: readonly string[]): Model | undefined {
  const ready = models.filter(model => model.configured && model.state === 'current' && model.text_to_image)
  return (
    models.find(model => model.configured && preferred.includes(model.id)) ??
    ready.find(model => model.price?.certainty === 'documented' && model.typical_seconds[1] <= 60) ??
    ready[0] ??
    models.find(model => model.configured)
  )
}
