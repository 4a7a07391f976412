/** What stands in the form, and what stood there before. It is kept in this browser, so that nothing typed is lost. */

import { useEffect, useEffectEvent, useMemo, useRef, useState } from 'react'
import type { TakenRecipe } from '../data/generations.ts'
import { findModel, type Model } from '../data/models.ts'
import { createKept } from '../data/store.ts'
import { type FormValues, toCard } from './plan.ts'
import { readChoice } from './size-choice.ts'

export interface Draft extends FormValues {
  /** Ids; several draw the same prompt side by side. Those that the server no longer knows are left out when it is shown. */
  models: readonly string[]
}

export type DraftChange = Partial<Draft> | ((draft: Draft) => Partial<Draft>)

const empty: Draft = { prompt: '', models: [], references: [], size: {}, count: 1, values: {} }
const maxEarlier = 50
/** A change that takes so many characters away at once may be a slip. */
const slipCharacters = 20

export function useDrafts() {
  const [draft, setDraft] = useState(readDraft)
  const current = useRef(draft)
  const replaced = useRef<{ before: Draft; after: Draft }>(undefined)
  const walked = useRef<{ drafts: readonly Draft[]; at: number }>(undefined)

  const actions = useMemo(() => {
    function put(next: Draft) {
      current.current = next
      setDraft(next)
      keepDraft(next)
      return next
    }
    const changed = (change: DraftChange) => {
      return { ...current.current, ...(typeof change === 'function' ? change(current.current) : change) }
    }
    return {
      change(change: DraftChange) {
        const before = current.current
        const next = changed(change)
        if (before.prompt.length - next.prompt.length >= slipCharacters) rememberDraft(before)
        put(next)
      },
      /** Puts something else in its place, and keeps what stood there. The returned function brings that back. */
      replace(change: DraftChange) {
        const before = current.current
        rememberDraft(before)
        const after = put(changed(change))
        replaced.current = { before, after }
        return () => {
          rememberDraft(current.current)
          put(before)
        }
      },
      /** Keeps what stands there now among the earlier ones. */
      remember: () => rememberDraft(current.current),
      /** Shows the one before (-1) or after (1) what is shown; false where there is none, or where somebody is writing. */
      walk(step: -1 | 1) {
        const shown = walked.current?.drafts[walked.current.at]
        if (shown !== current.current) {
          if (step === 1 || current.current.prompt !== '') return false
          // The first is what stands there now, so that the way back leads to it.
          walked.current = { drafts: [current.current, ...keptEarlier.read()], at: 0 }
          rememberDraft(current.current)
        }
        const { drafts, at } = walked.current!
        const next = drafts[at - step]
        // At the oldest it stays.
        if (!next) return at > 0
        walked.current = { drafts, at: at - step }
        put(next)
        return true
      },
      /** Takes the last replacement back, unless somebody has written since. */
      undo() {
        if (!replaced.current || replaced.current.after !== current.current) return false
        put(replaced.current.before)
        return true
      },
    }
  }, [])

  // Another tab has a form of its own; only the last one of them is what a new tab begins with.
  const leave = useEffectEvent(() => {
    if (JSON.stringify(keptAnywhere.read()) !== JSON.stringify(current.current)) rememberDraft(current.current)
  })
  useEffect(() => {
    const listener = () => leave()
    addEventListener('pagehide', listener)
    return () => removeEventListener('pagehide', listener)
  }, [])

  return { draft, ...actions }
}

/** The form of this tab, as it was before a reload; in a new tab, the last one that was written anywhere. */
const kept = createKept('draft', parseDraft, { isOfTab: true })
const keptAnywhere = createKept('draft', parseDraft)
/** Earlier prompts that were replaced, emptied or sent; the newest first. */
const keptEarlier = createKept('drafts', json =>
  Array.isArray(json) ? json.map(parseDraft).filter(draft => draft !== undefined) : [],
)

function readDraft(): Draft {
  return kept.read() ?? keptAnywhere.read() ?? empty
}

function keepDraft(draft: Draft) {
  kept.write(draft)
  keptAnywhere.write(draft)
}

function rememberDraft(draft: Draft) {
  if (draft.prompt.trim() === '' && draft.references.length === 0) return
  const text = JSON.stringify(draft)
  let drafts = [draft, ...keptEarlier.read().filter(other => JSON.stringify(other) !== text)].slice(0, maxEarlier)
  // Long prompts may be more than a browser keeps for one page.
  while (!keptEarlier.write(drafts) && drafts.length > 1) drafts = drafts.slice(0, Math.ceil(drafts.length / 2))
}

/** Reads what another version of the page, or a person, may have written: takes what has the right form. */
function parseDraft(given: unknown): Draft | undefined {
  if (typeof given !== 'object' || given === null) return undefined
  const kept = given as Partial<Record<keyof Draft, unknown>>
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

/** The settings of a recipe in the form; `models` tells which of its sizes are listed ones. */
export function toDraft(recipe: TakenRecipe, models: readonly Model[]): Partial<Draft> {
  const { size, n, ...values } = recipe.parameters
  const model = findModel(models, recipe.model)
  const { textToImage, withReferences } = model ? toCard(model).sizes : {}
  return {
    prompt: recipe.prompt,
    ...(model ? { models: [model.id] } : {}),
    references: recipe.references.map(reference => reference.id),
    size: readChoice(size, textToImage ?? withReferences),
    count: typeof n === 'number' && n >= 1 ? n : 1,
    values,
  }
}

/** The one that is chosen while nobody has chosen: the one of a configuration, else the default of the first service that has a key. */
export function standardModel(models: readonly Model[], preferred: readonly string[]): Model | undefined {
  const ready = models.filter(model => model.configured && model.life.stage !== 'ended')
  return ready.find(model => preferred.includes(model.id)) ?? ready.find(model => model.is_default) ?? ready[0]
}
