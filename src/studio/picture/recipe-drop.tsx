/** A picture dropped anywhere on the page brings its recipe back into the form. */
import { useNavigate } from '@tanstack/react-router'
import { ImageDown } from 'lucide-react'
import { useEffect, useEffectEvent, useState } from 'react'
import { explain, uploadReference } from '../api.ts'
import { readRecipe } from '../recipe.ts'
import { useText } from '../text/text.ts'
import { toast } from '../ui/toast.tsx'

/**
 * Stands once in the page. A place with a use of its own for files, such as that of the references, takes the drop by calling
 * `preventDefault`.
 */
export function RecipeDrop() {
  const t = useText()
  const navigate = useNavigate()
  const [isOver, setOver] = useState(false)

  const take = useEffectEvent(async (file: File) => {
    const recipe = await readRecipe(file).catch(() => undefined)
    if (recipe) {
      // The form says that it has taken it.
      await navigate({ to: '/', search: {}, state: { recipe } })
      return
    }
    const isPicture = file.type.startsWith('image/')
    toast(t(isPicture ? 'picture.noRecipe' : 'picture.noPicture'), {
      action: isPicture ? { label: t('picture.useAsReference'), onSelect: () => void refer(file) } : undefined,
    })
  })

  async function refer(file: File) {
    try {
      const { id } = await uploadReference(file)
      await navigate({ to: '/', search: { reference: id } })
    } catch (error) {
      toast(explain(error), { look: 'bad' })
    }
  }

  useEffect(() => {
    // `dragleave` of a parent comes after `dragenter` of its child, so they are counted.
    let depth = 0
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false
    function enter(event: DragEvent) {
      if (!hasFiles(event)) return
      depth++
      setOver(true)
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
      const file = event.dataTransfer?.files[0]
      if (event.defaultPrevented || !file) return
      event.preventDefault()
      void take(file)
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
  return (
    <div
      aria-hidden
      className="pointer-events-none fixed inset-x-0 bottom-0 z-50 flex animate-appear justify-center p-4 pb-24 lg:pb-6"
    >
      <p className="flex items-center gap-3 rounded-2xl border border-seal border-dashed bg-raised px-5 py-3 shadow-float">
        <ImageDown className="size-5 shrink-0 text-seal-ink" />
        {t('picture.dropHint')}
      </p>
    </div>
  )
}
