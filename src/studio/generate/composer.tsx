/** Where the prompt is written, with the pictures it speaks of. */

import { type RefObject, useRef, useState } from 'react'
import { referenceTypes } from '../data/images.ts'
import { useText } from '../text/text.ts'
import { classes } from '../ui/classes.ts'
import type { Plan } from './plan.ts'
import { ReferenceStrip, type ReferenceUpload } from './references.tsx'

export interface ComposerProps {
  prompt: string
  references: readonly string[]
  plans: readonly Plan[]
  field: RefObject<HTMLTextAreaElement | null>
  upload: ReferenceUpload
  onPrompt(prompt: string): void
  onReferences(change: (references: readonly string[]) => readonly string[]): void
  onPress(): void
  /** Up and down through earlier drafts; false where there is none. */
  onWalk(step: -1 | 1): boolean
}

export function Composer(props: ComposerProps) {
  const { prompt, references, plans, field, upload, onPrompt, onReferences, onPress, onWalk } = props
  const t = useText()
  const [isOver, setOver] = useState(false)
  const isWalking = useRef(false)
  const limits = plans.map(plan => plan.model.references.max)
  const most = limits.length === 0 ? 0 : Math.min(...limits)
  const takesHeic = plans.length > 0 && plans.every(plan => plan.model.references.types.includes('image/heic'))
  const longest = plans
    .map(plan => plan.model.prompt.max_characters)
    .filter(limit => limit !== null)
    .sort((a, b) => a - b)[0]
  const length = [...prompt].length
  return (
    <section
      aria-label={t('generate.prompt')}
      onDragOver={event => {
        event.preventDefault()
        setOver(true)
      }}
      onDragLeave={event => !event.currentTarget.contains(event.relatedTarget as Node | null) && setOver(false)}
      onDrop={event => {
        setOver(false)
        upload.takeDrop(event)
      }}
      className={classes(
        'relative rounded-3xl border bg-raised shadow-card transition-colors focus-within:border-line-strong',
        isOver ? 'border-seal' : 'border-line',
      )}
    >
      <textarea
        ref={field}
        aria-label={t('generate.prompt')}
        placeholder={t('generate.promptPlaceholder')}
        value={prompt}
        rows={4}
        maxLength={100_000}
        onChange={event => onPrompt(event.target.value)}
        onKeyDown={event => {
          if (event.nativeEvent.isComposing) return
          const isCommand = event.ctrlKey || event.metaKey
          // Enter also ends the writing of a Chinese word; only together with Ctrl or ⌘ it means the picture.
          if (event.key === 'Enter' && isCommand) {
            event.preventDefault()
            onPress()
            return
          }
          const step = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : undefined
          // In a text of one's own the arrows move between its lines.
          const canWalk = step !== undefined && !isCommand && !event.shiftKey && !event.altKey
          isWalking.current = canWalk && (isWalking.current || prompt === '') && onWalk(step)
          if (isWalking.current) event.preventDefault()
        }}
        onPointerDown={() => {
          isWalking.current = false
        }}
        className="field-sizing-content block max-h-[45dvh] min-h-32 w-full max-md:max-h-[28dvh] max-md:min-h-14 resize-none rounded-3xl bg-transparent px-5 pt-4 pb-2 text-lg leading-relaxed outline-none"
      />
      <div className="flex items-end justify-between gap-3 px-3 pb-3">
        <ReferenceStrip
          references={references}
          upload={upload}
          most={most}
          types={referenceTypes(takesHeic)}
          onChange={onReferences}
        />
        <p className="shrink-0 pb-2 text-right text-ink-faint text-xs tabular-nums">
          {longest !== undefined && length > longest * 0.7 && t('generate.promptCount', { length, most: longest })}
        </p>
      </div>
      {references.length > 0 && (
        <p className="px-5 pb-3 text-ink-faint text-sm">
          {t('generate.referencesHint')}
          {most > 0 && <span className="block">{t('generate.referencesLimit', { most })}</span>}
        </p>
      )}
      {isOver && (
        <div className="pointer-events-none absolute inset-0 grid place-items-center rounded-3xl bg-seal-wash/90 font-medium text-lg text-seal-ink">
          {most === 0 ? t('generate.referencesNone') : t('generate.dropHere')}
        </div>
      )}
    </section>
  )
}
