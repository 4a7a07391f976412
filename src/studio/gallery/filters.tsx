/** What to look for: a search that answers while one writes, and filters that fold away. */

import { useQueryClient } from '@tanstack/react-query'
import { Heart, Images, ListFilter, Rows3, Search, X } from 'lucide-react'
import { type ReactNode, type Ref, useEffect, useRef, useState } from 'react'
import { knownTags } from '../data/generations.ts'
import { type FilterTexts, sorts } from '../data/history.ts'
import { useImportSources } from '../data/imports.ts'
import { useModels } from '../data/models.ts'
import { useProviderName } from '../text/providers.ts'
import { type Text, type TextKey, useText } from '../text/text.ts'
import { IconButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { controlClasses, TextField } from '../ui/field.tsx'
import { Segmented } from '../ui/segmented.tsx'
import { Select } from '../ui/select.tsx'

export type View = 'grid' | 'list'

export interface FiltersProps {
  filter: FilterTexts
  view: View
  isBusy: boolean
  searchField: Ref<HTMLInputElement>
  /** Where there is no room for it beside the title. */
  tileSize: ReactNode
  /** Out of the search, to what was found. */
  onLeaveSearch(): void
  onFilter(change: FilterTexts): void
  onView(view: View): void
}

const views = [
  { value: 'grid', icon: Images, text: 'gallery.pictures' },
  { value: 'list', icon: Rows3, text: 'gallery.list' },
] as const
const states = ['succeeded', 'running', 'queued', 'failed', 'cancelled'] as const
const folded = ['provider', 'model', 'status', 'tag', 'stars', 'rejected', 'from', 'to'] as const

export function Filters(props: FiltersProps) {
  const { filter, view, isBusy, searchField, tileSize, onLeaveSearch, onFilter, onView } = props
  const t = useText()
  const count = folded.filter(name => filter[name] !== undefined).length
  const [isOpen, setOpen] = useState(false)
  return (
    <div className="flex flex-col gap-2">
      <div className="flex items-center gap-1 sm:gap-2">
        <SearchField
          ref={searchField}
          text={filter.q ?? ''}
          isBusy={isBusy}
          onChange={q => onFilter({ q })}
          onLeave={onLeaveSearch}
        />
        <IconButton
          label={t('gallery.onlyFavorites')}
          aria-pressed={filter.favorite === 'true'}
          onClick={() => onFilter({ favorite: filter.favorite === 'true' ? undefined : 'true' })}
          className={classes(filter.favorite === 'true' && 'bg-seal-wash text-seal-ink')}
        >
          <Heart aria-hidden className={classes('size-5', filter.favorite === 'true' && 'fill-current')} />
        </IconButton>
        <IconButton
          label={count > 0 ? t('gallery.filtersActive', { count }) : t('gallery.filters')}
          aria-expanded={isOpen}
          onClick={() => setOpen(!isOpen)}
          className={classes('relative', (isOpen || count > 0) && 'bg-seal-wash text-seal-ink')}
        >
          <ListFilter aria-hidden className="size-5" />
          {count > 0 && (
            <span className="absolute -top-0.5 -right-0.5 grid size-4.5 place-items-center rounded-full bg-seal text-[0.65rem] text-on-seal">
              {count}
            </span>
          )}
        </IconButton>
        <div className="w-40 shrink-0 max-md:hidden">
          <Sort isLabelHidden filter={filter} onFilter={onFilter} />
        </div>
        <Segmented
          label={t('gallery.view')}
          value={view}
          onChange={onView}
          choices={views.map(({ value, icon: Icon, text }) => ({
            value,
            label: (
              <>
                <Icon aria-hidden className="size-4.5" />
                <span className="max-sm:sr-only">{t(text)}</span>
              </>
            ),
          }))}
          className="shrink-0 flex-nowrap"
        />
      </div>
      {isOpen ? (
        <Panel filter={filter} onFilter={onFilter} tileSize={tileSize} />
      ) : (
        <Chips filter={filter} onFilter={onFilter} />
      )}
    </div>
  )
}

const quietMs = 180

interface SearchFieldProps {
  ref: Ref<HTMLInputElement>
  text: string
  isBusy: boolean
  onChange(text: string | undefined): void
  onLeave(): void
}

function SearchField({ ref, text, isBusy, onChange, onLeave }: SearchFieldProps) {
  const t = useText()
  const [written, setWritten] = useState(text)
  const asked = useRef(text)
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined)
  useEffect(() => () => clearTimeout(timer.current), [])
  // Changed from elsewhere: a link, the way back, "clear all".
  useEffect(() => {
    if (text === asked.current) return
    asked.current = text
    setWritten(text)
  }, [text])

  function ask(next: string, afterMs = quietMs) {
    clearTimeout(timer.current)
    timer.current = setTimeout(() => {
      asked.current = next.trim()
      onChange(next.trim() || undefined)
    }, afterMs)
  }

  function clear() {
    setWritten('')
    ask('', 0)
  }

  return (
    <search className="relative min-w-0 flex-1">
      <Search
        aria-hidden
        className={classes(
          'pointer-events-none absolute top-1/2 left-3 size-4.5 -translate-y-1/2 text-ink-faint',
          isBusy && 'animate-breathe',
        )}
      />
      <input
        ref={ref}
        type="text"
        inputMode="search"
        enterKeyHint="search"
        value={written}
        aria-label={t('gallery.search')}
        placeholder={t('gallery.searchShort')}
        autoComplete="off"
        onChange={event => {
          setWritten(event.target.value)
          // Half a syllable of an input method is no word yet.
          if (!(event.nativeEvent as InputEvent).isComposing) ask(event.target.value)
        }}
        onCompositionEnd={event => ask(event.currentTarget.value, 0)}
        onKeyDown={event => {
          if (event.nativeEvent.isComposing) return
          if (event.key === 'Enter') ask(written, 0)
          if (event.key !== 'Escape' && event.key !== 'ArrowDown') return
          event.preventDefault()
          if (event.key === 'ArrowDown' || written === '') onLeave()
          else clear()
        }}
        className={classes(controlClasses, 'rounded-full pl-10', written === '' ? 'pr-4' : 'pr-10')}
      />
      {written !== '' && (
        <IconButton
          icon={X}
          iconSize={4}
          label={t('gallery.clearSearch')}
          onClick={clear}
          className="absolute top-1/2 right-0 -translate-y-1/2"
        />
      )}
    </search>
  )
}

interface PanelProps {
  filter: FilterTexts
  onFilter(change: FilterTexts): void
}

function Sort({ filter, onFilter, isLabelHidden }: PanelProps & { isLabelHidden?: boolean }) {
  const t = useText()
  return (
    <Select
      isLabelHidden={isLabelHidden}
      label={t('gallery.sort')}
      value={sorts.find(sort => sort === filter.sort) ?? 'newest'}
      choices={sorts.map(sort => ({ value: sort, label: t(`gallery.sort_${sort}`) }))}
      onChange={sort => onFilter({ sort: sort === 'newest' ? undefined : sort })}
    />
  )
}

/** Stands for "all" in lists whose entries cannot be empty. */
const any = '*'

function Panel({ filter, onFilter, tileSize }: PanelProps & { tileSize: ReactNode }) {
  const t = useText()
  const providerName = useProviderName()
  const models = useModels()
  const client = useQueryClient()
  const sources = useImportSources()
  const providers = new Map(models.map(model => [model.provider, providerName(model.provider, model.provider_name)]))
  for (const { id, name } of sources) providers.set(id, nameSource(id, name, t))
  if (filter.provider && !providers.has(filter.provider)) providers.set(filter.provider, filter.provider)
  const tags = [...new Set([...knownTags(client), ...(filter.tag ? [filter.tag] : [])])]
  const ofProvider = models.filter(model => filter.provider === undefined || model.provider === filter.provider)
  const names = new Map(ofProvider.map(model => [model.id, model.name]))
  // A model that the catalogue does not know may well have made pictures.
  if (filter.model && !names.has(filter.model)) names.set(filter.model, filter.model)
  const select = (
    name: 'provider' | 'model' | 'status' | 'tag' | 'stars' | 'rejected',
    all: TextKey,
    entries: readonly (readonly [value: string, label: string])[],
    alsoChanged: FilterTexts = {},
  ) => (
    <Select
      label={t(`gallery.${name}`)}
      value={filter[name] ?? any}
      choices={[[any, t(all)] as const, ...entries].map(([value, label]) => ({ value, label }))}
      onChange={value => onFilter({ [name]: value === any ? undefined : value, ...alsoChanged })}
    />
  )
  return (
    <div className="grid animate-appear grid-cols-2 gap-3 rounded-card border border-line bg-sheet p-3 lg:grid-cols-8">
      <div className="md:hidden">
        <Sort filter={filter} onFilter={onFilter} />
      </div>
      {tileSize && <div className="self-end sm:hidden">{tileSize}</div>}
      {select('provider', 'gallery.anyProvider', [...providers], { model: undefined })}
      {select('model', 'gallery.anyModel', [...names])}
      {select(
        'status',
        'gallery.anyStatus',
        states.map(state => [state, t(`gallery.${state}`)]),
      )}
      {select(
        'tag',
        'gallery.anyTag',
        tags.map(tag => [tag, tag]),
      )}
      {select(
        'stars',
        'gallery.anyStars',
        [1, 2, 3, 4, 5].map(count => [String(count), t('gallery.atLeast', { stars: '★'.repeat(count) })]),
      )}
      {select('rejected', 'gallery.withRejected', [
        ['false', t('gallery.withoutRejected')],
        ['true', t('gallery.onlyRejected')],
      ])}
      {(['from', 'to'] as const).map(name => (
        <TextField
          key={name}
          label={t(`gallery.${name}`)}
          type="date"
          value={filter[name] ?? ''}
          {...(name === 'from' ? { max: filter.to } : { min: filter.from })}
          onChange={event => onFilter({ [name]: event.target.value || undefined })}
        />
      ))}
    </div>
  )
}

function nameSource(id: string, name: string, t: Text) {
  return id === 'files' ? t('gallery.otherFiles') : name
}

function Chips({ filter, onFilter }: PanelProps) {
  const t = useText()
  const providerName = useProviderName()
  const models = useModels()
  const sources = useImportSources({ isNeeded: filter.provider !== undefined })
  const active = folded.filter(name => filter[name] !== undefined)
  if (active.length === 0) return null
  const wordOf = (name: (typeof folded)[number]) => {
    const value = filter[name] ?? ''
    if (name === 'provider') {
      const source = sources.find(({ id }) => id === value)
      if (source) return nameSource(value, source.name, t)
      return providerName(value, models.find(model => model.provider === value)?.provider_name)
    }
    if (name === 'model') return models.find(model => model.id === value)?.name ?? value
    if (name === 'status') {
      const state = states.find(known => known === value)
      return state ? t(`gallery.${state}`) : value
    }
    if (name === 'stars') return t('gallery.atLeast', { stars: '★'.repeat(Number(value) || 0) })
    if (name === 'rejected') return t(value === 'true' ? 'gallery.onlyRejected' : 'gallery.withoutRejected')
    return `${t(`gallery.${name}`)} ${value}`
  }
  return (
    <ul className="flex flex-wrap gap-1.5">
      {active.map(name => (
        <li key={name}>
          <button
            type="button"
            aria-label={t('gallery.removeFilter', { name: wordOf(name) })}
            onClick={() => onFilter({ [name]: undefined })}
            className="inline-flex min-h-10 items-center gap-1.5 rounded-full bg-seal-wash px-3.5 text-seal-ink text-sm hover:underline"
          >
            {wordOf(name)}
            <X aria-hidden className="size-3.5" />
          </button>
        </li>
      ))}
      {active.length > 1 && (
        <li>
          <button
            type="button"
            onClick={() => onFilter(Object.fromEntries(folded.map(name => [name, undefined])))}
            className="min-h-10 px-2 text-ink-soft text-sm hover:text-ink hover:underline"
          >
            {t('gallery.clearFilters')}
          </button>
        </li>
      )}
    </ul>
  )
}
