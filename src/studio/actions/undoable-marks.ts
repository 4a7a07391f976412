/** Stars and rejections that can be undone, one after the other. */
import { useQueryClient } from '@tanstack/react-query'
import { useRef } from 'react'
import { findGeneration } from '../data/generations.ts'
import { markGenerations, type Place, type Rating, ratePictures } from './mark.ts'

export interface Marked extends Place {
  rating?: Rating
  /** Of the whole generation. */
  favorite?: boolean
}

interface Step {
  before: Marked[]
  undo(): void
}

const maxSteps = 500

export function useMarks() {
  const client = useQueryClient()
  const steps = useRef<Step[]>([])

  function write(marks: readonly Marked[]) {
    const rated = marks.flatMap(({ rating, ...place }) => (rating ? [{ ...place, rating }] : []))
    if (rated.length > 0) void ratePictures(client, rated)
    const favorites = new Map(
      marks.flatMap(({ generation, favorite }) =>
        favorite === undefined ? [] : [[generation.id, { generation, favorite }] as const],
      ),
    )
    for (const { generation, favorite } of favorites.values()) {
      void markGenerations(client, [generation], () => ({ favorite }))
    }
  }

  /** `undo` is called beside what it takes back, such as going to the picture again. */
  function mark(marks: readonly Marked[], undo: () => void = () => {}) {
    const before = marks.map(({ generation, image, rating, favorite }): Marked => {
      const now = findGeneration(client, generation.id) ?? generation
      const { stars, rejected } = now.images.find(({ index }) => index === image.index) ?? image
      return {
        generation,
        image,
        ...(rating ? { rating: { stars, rejected } } : {}),
        ...(favorite === undefined ? {} : { favorite: now.favorite }),
      }
    })
    steps.current = [...steps.current.slice(-maxSteps), { before, undo }]
    write(marks)
  }

  /** False when there is nothing left to undo. */
  function undo(): boolean {
    const step = steps.current.pop()
    if (!step) return false
    write(step.before)
    step.undo()
    return true
  }

  return { mark, undo }
}
