/** Writing tags: those that are there, one field for more, and the ones used before to pick from. */
import { Plus, X } from 'lucide-react'
import { type ReactNode, useRef, useState } from 'react'
import { useText } from '../text/text.ts'
import { IconButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { TextField } from '../ui/field.tsx'

const maxCharacters = 100

export interface TagsProps {
  tags: readonly string[]
  /** Used elsewhere before. */
  known?: readonly string[]
  onAdd(tags: string[]): void
  onRemove(tag: string): void
  autoFocus?: boolean
  className?: string
}

export function Tags({ tags, known = [], onAdd, onRemove, autoFocus, className }: TagsProps) {
  const t = useText()
  const field = useRef<HTMLInputElement>(null)
  const [text, setText] = useState('')

  function add(written: string) {
    // A list that was pasted is several tags.
    const parts = written.split(/[,，;；\n]/).map(part => part.trim().slice(0, maxCharacters))
    const fresh = [...new Set(parts)].filter(tag => tag !== '' && !tags.includes(tag))
    if (fresh.length > 0) onAdd(fresh)
    setText('')
  }

  const offered = known.filter(tag => !tags.includes(tag) && tag.includes(text.trim())).slice(0, 12)
  return (
    <div className={classes('flex flex-col gap-3', className)}>
      {tags.length > 0 && (
        <ul className="flex flex-wrap gap-1.5">
          {tags.map(tag => (
            <li key={tag}>
              <TagChip
                onClick={() => {
                  onRemove(tag)
                  field.current?.focus()
                }}
                label={t('gallery.removeTag', { tag })}
                icon={<X aria-hidden className="size-3.5" />}
              >
                {tag}
              </TagChip>
            </li>
          ))}
        </ul>
      )}
      <form
        className="flex gap-2"
        onSubmit={event => {
          event.preventDefault()
          add(text)
        }}
      >
        <TextField
          isLabelHidden
          ref={field}
          label={t('gallery.addTag')}
          value={text}
          maxLength={maxCharacters}
          autoFocus={autoFocus}
          placeholder={t('gallery.addTag')}
          enterKeyHint="done"
          onChange={event => setText(event.target.value)}
          className="min-w-0 flex-1"
        />
        <IconButton
          type="submit"
          icon={Plus}
          look="plain"
          label={t('gallery.addTag')}
          disabled={text.trim() === ''}
          className="rounded-xl text-ink-soft"
        />
      </form>
      {offered.length > 0 && (
        <ul className="flex flex-wrap gap-1.5" aria-label={t('gallery.knownTags')}>
          {offered.map(tag => (
            <li key={tag}>
              <TagChip isQuiet onClick={() => add(tag)} icon={<Plus aria-hidden className="size-3.5" />}>
                {tag}
              </TagChip>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

function TagChip(props: { children: ReactNode; icon: ReactNode; label?: string; isQuiet?: boolean; onClick(): void }) {
  return (
    <button
      type="button"
      aria-label={props.label}
      onClick={props.onClick}
      className={classes(
        'inline-flex min-h-10 max-w-full items-center gap-1.5 rounded-full border px-3 text-sm transition-colors',
        props.isQuiet
          ? 'border-line-strong border-dashed text-ink-soft hover:border-solid hover:text-ink'
          : 'border-line bg-seal-wash text-seal-ink hover:border-seal',
      )}
    >
      <span className="truncate">{props.children}</span>
      {props.icon}
    </button>
  )
}
