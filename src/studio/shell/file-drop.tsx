/** A file dropped anywhere on the page is a reference; one with a recipe of ours inside fills the form. */

import { useNavigate } from '@tanstack/react-router'
import { ImagePlus, ScrollText } from 'lucide-react'
import { type ReactNode, useEffect, useEffectEvent, useState } from 'react'
import { giveReferences } from '../data/dropped-files.ts'
import { readRecipe } from '../data/read-recipe.ts'
import { useText } from '../text/text.ts'
import { classes } from '../ui/classes.ts'
import { toast } from '../ui/toast.tsx'

type Target = 'reference' | 'recipe'

/** Stands once in the page. A place with a use of its own for files takes the drop by calling `preventDefault`. */
export function FileDrop() {
  const t = useText()
  const navigate = useNavigate()
  const [isOver, setOver] = useState(false)
  const [target, setTarget] = useState<Target>()

  const take = useEffectEvent(async (files: readonly File[], wanted: Target | undefined) => {
    const image = files.find(({ type }) => type.startsWith('image/'))
    if (!image) {
      toast(t('picture.noPicture'), { look: 'bad' })
      return
    }
    const recipe = wanted === 'reference' ? undefined : await readRecipe(image).catch(() => undefined)
    if (recipe) {
      // The form says that it has taken it.
      await navigate({ to: '/', search: {}, state: { recipe } })
      return
    }
    if (wanted === 'recipe') toast(t('picture.noRecipe'))
    giveReferences(files)
    await navigate({ to: '/' })
  })

  useEffect(() => {
    // `dragleave` of a parent comes after `dragenter` of its child, so they are counted.
    let depth = 0
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    const targetOf = (event: DragEvent) =>
      (event.target as Element | null)?.closest?.<HTMLElement>('[data-drop]')?.dataset.drop as Target | undefined
    function enter(event: DragEvent) {
      if (!hasFiles(event)) return
      depth++
      setOver(true)
      setTarget(targetOf(event))
    }
    function leave(event: DragEvent) {
      if (hasFiles(event) && --depth <= 0) end()
    }
    function over(event: DragEvent) {
      // Without it the browser would open the file in place of the page.
      if (hasFiles(event)) event.preventDefault()
    }
    function drop(event: DragEvent) {
      end()
      const files = [...(event.dataTransfer?.files ?? [])]
      if (event.defaultPrevented || files.length === 0) return
      event.preventDefault()
      void take(files, targetOf(event))
    }
    function end() {
      depth = 0
      setOver(false)
    }
    const listeners = { dragenter: enter, dragleave: leave, dragover: over, drop, dragend: end }
    const entries = Object.entries(listeners) as [keyof typeof listeners, (event: DragEvent) => void][]
    for (const [name, listener] of entries) document.addEventListener(name, listener)
    return () => {
      for (const [name, listener] of entries) document.removeEventListener(name, listener)
    }
  }, [])

  if (!isOver) return null
  const place = (name: Target, size: string, icon: ReactNode, words: ReactNode) => (
    <div
      data-drop={name}
      className={classes(
        'flex flex-col items-center justify-center gap-2 rounded-3xl border-2 border-dashed p-4 text-center [&>svg]:shrink-0',
        target === name ? 'border-seal bg-seal-wash text-seal-ink' : 'border-line-strong bg-raised text-ink-soft',
        size,
      )}
    >
      {icon}
      {words}
    </div>
  )
  return (
    <div aria-hidden className="fixed inset-0 z-50 flex animate-appear flex-col gap-4 bg-paper/85 p-4 pb-24 sm:p-10">
      {place(
        'reference',
        'flex-1 font-medium text-ink text-xl',
        <ImagePlus className="size-10" />,
        <span>{t('picture.dropReference')}</span>,
      )}
      {place(
        'recipe',
        'mx-auto w-full max-w-sm text-sm',
        <ScrollText className="size-5" />,
        <span>{t('picture.dropRecipe')}</span>,
      )}
    </div>
  )
}
