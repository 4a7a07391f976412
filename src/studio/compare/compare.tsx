/** Two to four pictures in one view: side by side, one after the other, or with an edge between them. */

import { useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useRouter, useSearch } from '@tanstack/react-router'
import {
  ArrowLeft,
  Columns2,
  Images,
  Layers2,
  ListTree,
  Maximize,
  SquareSplitHorizontal,
  Tag,
  Undo2,
  ZoomIn,
  ZoomOut,
} from 'lucide-react'
import { useState } from 'react'
import { addTags, removeTag } from '../actions/mark.ts'
import { type Marked, useMarks } from '../actions/undoable-marks.ts'
import { knownTags } from '../data/generations.ts'
import { nameOfModel, useModels } from '../data/models.ts'
import { formatPlaces, maxCompared, nameReference, parsePlaces } from '../data/places.ts'
import { createKept } from '../data/store.ts'
import { Tags } from '../forms/tags.tsx'
import { useText } from '../text/text.ts'
import { Button, IconButton, LinkButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { Dialog } from '../ui/dialog.tsx'
import { Failed, Loading } from '../ui/query.tsx'
import { Segmented } from '../ui/segmented.tsx'
import { EmptyState } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'
import { useKeys } from '../ui/use-keys.ts'
import { type Compared, useCompared } from './compared.ts'
import { letterOf } from './letters.ts'
import { useLinkedView } from './linked-view.ts'
import { LinkedImage } from './pane.tsx'
import { PaneBar } from './pane-bar.tsx'
import { Slider } from './slider.tsx'
import { DifferenceTable } from './table.tsx'

const modes = [
  { value: 'side', icon: Columns2, text: 'look.sideBySide' },
  { value: 'flip', icon: Layers2, text: 'look.flip' },
  { value: 'slider', icon: SquareSplitHorizontal, text: 'look.slider' },
] as const
type Mode = (typeof modes)[number]['value']

const keptMode = createKept<Mode>('compare.mode', mode => modes.find(({ value }) => value === mode)?.value ?? 'side')
const keptTable = createKept('compare.table', kept =>
  typeof kept === 'boolean' ? kept : matchMedia('(min-width: 48rem)').matches,
)

export function CompareScreen() {
  const t = useText()
  const names = parsePlaces(useSearch({ from: '/compare' }).ids ?? '')
  const { compared, isPending, gone, error, retry } = useCompared(names)
  const toGallery = <LinkButton to="/gallery">{t('shell.gallery')}</LinkButton>
  if (isPending) return <Loading className="grid h-dvh grid-cols-2 gap-2 p-4" shapes={['h-full', 'h-full']} />
  if (error && compared.length < 2) {
    return <Failed isPage title={t('look.compareTrouble')} error={error} onRetry={retry} action={toGallery} />
  }
  if (compared.length < 2) {
    return (
      <EmptyState isPage icon={<Images aria-hidden />} title={t('look.nothingToCompare')} action={toGallery}>
        {t(gone > 0 ? 'look.comparedGone' : 'look.nothingToCompareHint')}
      </EmptyState>
    )
  }
  return <Comparison key={compared.map(({ key }) => key).join()} compared={compared} />
}

function Comparison({ compared }: { compared: readonly Compared[] }) {
  const t = useText()
  const client = useQueryClient()
  const navigate = useNavigate()
  const router = useRouter()
  const models = useModels()
  const view = useLinkedView()
  const marks = useMarks()
  const [mode, setMode] = useState(keptMode.read)
  const [isTableOpen, setTableOpen] = useState(keptTable.read)
  const [active, setActive] = useState(0)
  const [isTagging, setTagging] = useState(false)
  const current = compared[active]!
  const partner = active === 0 ? 1 : 0

  function chooseMode(next: Mode) {
    keptMode.write(next)
    setMode(next)
  }

  function toggleTable() {
    keptTable.write(!isTableOpen)
    setTableOpen(!isTableOpen)
  }

  function close() {
    if (router.history.canGoBack()) router.history.back()
    else void navigate({ to: '/gallery' })
  }

  function mark(one: Compared, change: Pick<Marked, 'rating' | 'favorite'>) {
    // What was only given as a reference has no marks of its own here.
    if (!one.name.isReference) marks.mark([{ ...one, ...change }])
  }

  function choose(winner: number) {
    const results = compared.filter(({ name }) => !name.isReference)
    marks.mark(
      results.map(one =>
        one === compared[winner]
          ? { ...one, rating: { rejected: false }, favorite: true }
          : { ...one, rating: { rejected: true } },
      ),
    )
    setActive(winner)
    toast(t('look.chosen', { letter: letterOf(winner) }), { action: { label: t('shell.undo'), onSelect: undo } })
  }

  function undo() {
    if (!marks.undo()) toast(t('look.nothingToUndo'))
  }

  function flip(step = 1) {
    if (mode !== 'flip') chooseMode('flip')
    setActive((active + step + compared.length) % compared.length)
  }

  const walk = (step: number) => setActive((active + step + compared.length) % compared.length)
  const star = (stars: number) => mark(current, { rating: { stars } })
  useKeys({
    Escape: close,
    ' ': () => flip(),
    ArrowRight: event => (event.shiftKey ? view.pan(-0.08, 0) : walk(1)),
    ArrowLeft: event => (event.shiftKey ? view.pan(0.08, 0) : walk(-1)),
    ArrowUp: () => view.pan(0, 0.08),
    ArrowDown: () => view.pan(0, -0.08),
    v: () => chooseMode('side'),
    s: () => chooseMode('slider'),
    i: toggleTable,
    '+': view.zoomIn,
    '=': view.zoomIn,
    '-': view.zoomOut,
    z: () => view.toggle(),
    f: () => mark(current, { favorite: !current.generation.favorite }),
    x: () => mark(current, { rating: { rejected: !current.image.rejected } }),
    l: () => !current.name.isReference && setTagging(true),
    u: undo,
    Enter: event => (event.target instanceof Element && event.target.closest('button,a') ? false : choose(active)),
    ...Object.fromEntries([0, 1, 2, 3, 4, 5].map(stars => [String(stars), () => star(stars)])),
    '*'({ key }) {
      const index = key.length === 1 ? key.toLowerCase().charCodeAt(0) - 97 : -1
      return index >= 0 && index < compared.length ? setActive(index) : false
    },
  })

  const [reference] = current.generation.references
  const canAddReference =
    reference !== undefined &&
    !current.name.isReference &&
    compared.length < maxCompared &&
    compared.every(({ image }) => image.id !== reference.id)
  const altOf = (index: number) =>
    `${letterOf(index)}: ${compared[index]?.generation.prompt.slice(0, 200) || t('picture.noPrompt')}`
  const bar = (index: number) => (
    <PaneBar
      letter={letterOf(index)}
      one={compared[index]!}
      modelName={nameOfModel(models, compared[index]!.generation.model ?? '')}
      isActive={index === active}
      onSelect={() => setActive(index)}
      onStars={stars => mark(compared[index]!, { rating: { stars } })}
      onReject={() => mark(compared[index]!, { rating: { rejected: !compared[index]!.image.rejected } })}
      onFavorite={() => mark(compared[index]!, { favorite: !compared[index]!.generation.favorite })}
      onChoose={() => choose(index)}
    />
  )
  return (
    <div className="flex h-dvh flex-col bg-sunken">
      <header className="flex flex-wrap items-center gap-x-2 gap-y-1 border-line border-b bg-sheet px-2 py-1.5 sm:px-3">
        <IconButton icon={ArrowLeft} label={t('look.back')} onClick={close} />
        <h1 className="min-w-0 flex-1 truncate text-lg max-sm:sr-only">
          {t('look.compareTitle', { count: compared.length })}
        </h1>
        <Segmented
          label={t('look.mode')}
          value={mode}
          onChange={chooseMode}
          choices={modes.map(({ value, icon: Icon, text }) => ({
            value,
            label: (
              <>
                <Icon aria-hidden className="size-4.5" />
                <span className="max-lg:sr-only">{t(text)}</span>
              </>
            ),
          }))}
          className="flex-nowrap"
        />
        <div className="flex max-sm:hidden">
          <IconButton
            icon={ZoomOut}
            label={t('picture.zoomOut')}
            onClick={view.zoomOut}
            disabled={view.scale <= 1.001}
          />
          <IconButton icon={ZoomIn} label={t('picture.zoomIn')} onClick={view.zoomIn} />
          <IconButton icon={Maximize} label={t('picture.fit')} onClick={view.fit} disabled={view.scale <= 1.001} />
        </div>
        <IconButton icon={Undo2} label={t('shell.undo')} onClick={undo} />
        <IconButton
          icon={Tag}
          label={t('gallery.tags')}
          onClick={() => setTagging(true)}
          disabled={current.name.isReference}
        />
        <IconButton
          icon={ListTree}
          label={t('look.differences')}
          aria-expanded={isTableOpen}
          onClick={toggleTable}
          className={classes(isTableOpen && 'bg-seal-wash text-seal-ink')}
        />
        {canAddReference && (
          <Link
            to="/compare"
            search={{
              ids: formatPlaces([nameReference(current.generation, reference), ...compared.map(({ name }) => name)]),
            }}
            replace
            className="min-h-10 content-center rounded-full px-3 text-seal-ink text-sm hover:bg-seal-wash"
          >
            {t('look.withReference')}
          </Link>
        )}
      </header>
      <div
        ref={view.root}
        {...view.gestures}
        className="relative min-h-0 flex-1 cursor-grab touch-none select-none active:cursor-grabbing"
      >
        {mode === 'side' ? (
          <div
            className={classes(
              'grid size-full gap-px',
              compared.length === 2 && 'grid-rows-2 landscape:grid-cols-2 landscape:grid-rows-1',
              compared.length === 3 && 'grid-rows-3 landscape:grid-cols-3 landscape:grid-rows-1',
              compared.length === 4 && 'grid-cols-2 grid-rows-2',
            )}
          >
            {compared.map((one, index) => (
              <figure
                key={one.key}
                className={classes(
                  'relative flex min-h-0 min-w-0 flex-col',
                  one.image.rejected && '[&_[data-pane]]:opacity-45',
                )}
              >
                <div data-pane className="relative min-h-0 flex-1 overflow-hidden">
                  <LinkedImage one={one} view={view} alt={altOf(index)} />
                </div>
                {bar(index)}
              </figure>
            ))}
          </div>
        ) : (
          <div className="flex size-full flex-col">
            <div className="relative min-h-0 flex-1">
              {mode === 'slider' ? (
                <Slider
                  compared={compared}
                  left={Math.min(active, partner)}
                  right={Math.max(active, partner)}
                  view={view}
                  altOf={altOf}
                />
              ) : (
                <div data-pane className="absolute inset-0 overflow-hidden">
                  {compared.map((one, index) => (
                    // All of them are there, so that a flip shows the other at once.
                    <div
                      key={one.key}
                      aria-hidden={index !== active}
                      className={classes('absolute inset-0', index !== active && 'invisible')}
                    >
                      <LinkedImage one={one} view={view} alt={altOf(index)} />
                    </div>
                  ))}
                </div>
              )}
            </div>
            <div className="flex bg-sheet *:min-w-0 *:flex-1 max-md:flex-col">
              {compared.map((one, index) => (
                <div key={one.key} className={classes(index !== active && 'max-md:hidden')}>
                  {bar(index)}
                </div>
              ))}
            </div>
            {mode === 'flip' && (
              <Button className="m-2 md:hidden" onClick={() => flip()}>
                {t('look.showNext')}
              </Button>
            )}
          </div>
        )}
      </div>
      {isTableOpen && (
        <section
          aria-label={t('look.differences')}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys scroll what is too long
          tabIndex={0}
          className="max-h-[34dvh] shrink-0 overflow-auto border-line border-t bg-sheet max-sm:max-h-[26dvh]"
        >
          <DifferenceTable compared={compared} />
        </section>
      )}
      {isTagging && (
        <Dialog onClose={() => setTagging(false)} title={t('gallery.tags')} size="small">
          <Tags
            className="pt-1"
            autoFocus
            tags={current.generation.tags}
            known={knownTags(client)}
            onAdd={added => void addTags(client, [current.generation], added)}
            onRemove={tag => void removeTag(client, [current.generation], tag)}
          />
        </Dialog>
      )}
    </div>
  )
}
