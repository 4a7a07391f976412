/** Creating: what to draw, with which model and how, at the left; what becomes of it at the right. */
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { ChevronUp, Eraser, KeyRound, SlidersHorizontal } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { ApiError } from '../../client/errors.ts'
import { press, useIsWaiting, Withdrawn } from '../actions/press.ts'
import { configurationsQuery } from '../data/configurations.ts'
import { putAnswer, type TakenRecipe, toRecipe } from '../data/generations.ts'
import { type Model, modelsQuery, nameOfModel } from '../data/models.ts'
import { type Me, meQuery, useMe } from '../data/tokens.ts'
import { explain } from '../text/problems.ts'
import { t, useText } from '../text/text.ts'
import { IconButton, LinkButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { Loading, Query } from '../ui/query.tsx'
import { Skeleton } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'
import { useKeys } from '../ui/use-keys.ts'
import { findShortages } from './allowance.ts'
import { Composer } from './composer.tsx'
import { type Draft, type DraftChange, standardModel, toDraft, useDrafts } from './draft.ts'
import { Feed } from './feed/feed.tsx'
import { useHandedOver } from './handed-over.ts'
import { ChosenModels, ModelPicker } from './model-picker.tsx'
import { generatePath, type Plan, planFor } from './plan.ts'
import { PressArea } from './press-area.tsx'
import { useReferenceUpload } from './references.tsx'
import { Settings } from './settings.tsx'

export function GenerateScreen() {
  const t = useText()
  const models = useQuery(modelsQuery)
  const configurations = useQuery(configurationsQuery)
  if (configurations.isPending) return <LoadingStudio />
  const preferred = (configurations.data ?? []).flatMap(({ model, is_active }) => (model && is_active ? [model] : []))
  return (
    <Query query={models} failed={t('generate.modelsFailed')} loading={<LoadingStudio />}>
      {all => <Studio models={all} preferred={preferred} />}
    </Query>
  )
}

function LoadingStudio() {
  return (
    <Loading className="mx-auto grid max-w-[110rem] gap-6 p-4 md:grid-cols-[21rem_minmax(0,1fr)] lg:grid-cols-[26rem_minmax(0,1fr)] lg:p-8">
      <div className="flex flex-col gap-5">
        <Skeleton className="h-48 rounded-3xl" />
        <Skeleton className="h-16" />
        <Skeleton className="h-40" />
      </div>
      <div className="hidden gap-5 md:grid lg:grid-cols-2">
        <Skeleton className="aspect-square" />
        <Skeleton className="aspect-square" />
      </div>
    </Loading>
  )
}

function Studio({ models, preferred }: { models: readonly Model[]; preferred: readonly string[] }) {
  const t = useText()
  const client = useQueryClient()
  const { draft, change, replace, remember, walk, undo } = useDrafts()
  const [isPicking, setPicking] = useState(false)
  const [isSending, setSending] = useState(false)
  const [wasPressed, setPressed] = useState(false)
  /** On a phone, where they have no room beside the prompt. */
  const [areSettingsOpen, setSettingsOpen] = useState(false)
  const isWaiting = useIsWaiting(generatePath)
  const field = useRef<HTMLTextAreaElement>(null)
  const feed = useRef<HTMLDivElement>(null)

  const known = draft.models.map(id => models.find(model => model.id === id)).filter(model => model !== undefined)
  const standard = standardModel(models, preferred)
  const chosen = known.length > 0 ? known : standard ? [standard] : []
  const plans = chosen.map(model => planFor(model, draft))
  const isReady = models.some(model => model.configured)

  const upload = useReferenceUpload({
    field,
    onStored: id => change(before => ({ references: [...before.references, id] })),
    onRecipe: recipe => take(recipe),
  })

  // Only the last replacement can be undone, and only while the form is open.
  const dismissUndo = useRef<() => void>(undefined)
  useEffect(() => () => dismissUndo.current?.(), [])

  function replaceDraft(words: string, next: DraftChange) {
    dismissUndo.current?.()
    const reinstate = replace(next)
    dismissUndo.current = toast(words, { action: { label: t('shell.undo'), onSelect: reinstate } })
    field.current?.focus()
  }

  const usedText = (successor: string) => t('life.used', { successor: nameOfModel(models, successor) })

  function take(recipe: TakenRecipe, words = t('generate.taken')) {
    replaceDraft(words, toDraft(recipe, models))
    window.scrollTo({ top: 0 })
  }
  useHandedOver(take, image =>
    change(before => ({ references: [...before.references.filter(id => id !== image), image] })),
  )
  useKeys(
    {
      // What was replaced, which the browser cannot bring back.
      'Mod+z': undo,
      '/': event => event.target !== field.current && field.current?.focus(),
    },
    field,
  )

  const me = useMe()
  const isAdmin = me?.role === 'admin'
  const navigate = useNavigate()
  const toKeys = { label: t('live.toKeys'), onSelect: () => void navigate({ to: '/configurations' }) }

  const fewer = findShortages(me, plans).length > 0 ? planFewer(me, chosen, draft) : undefined

  async function send(asked: readonly Plan[] = plans) {
    setPressed(true)
    if (isSending || isWaiting) return
    if (upload.pending > 0) {
      toast(t('generate.stillStoring'))
      return
    }
    if (asked.length === 0 || asked.some(plan => plan.violations.length > 0)) {
      field.current?.focus()
      return
    }
    setSending(true)
    // What is left may be another by now: a month has ended, or somebody has raised the cap.
    if (findShortages(me, asked).length > 0) {
      const now = await client.fetchQuery({ ...meQuery, staleTime: 0 }).catch(() => undefined)
      if (findShortages(now, asked).length > 0) {
        setSending(false)
        return
      }
    }
    remember()
    setSettingsOpen(false)
    const sent = await Promise.allSettled(asked.map(plan => press(generatePath, plan.body)))
    setSending(false)
    setPressed(false)
    for (const [index, result] of sent.entries()) {
      if (result.status === 'fulfilled') putAnswer(client, result.value)
      else if (!(result.reason instanceof Withdrawn))
        toast(describeFailure(asked[index]?.model.name ?? '', result.reason), {
          look: 'bad',
          ...(isAdmin && isKeyMissing(result.reason) ? { action: toKeys } : {}),
        })
    }
    // On a narrow page the cards stand below the form, on a wide one the newest may be above.
    const top = feed.current?.getBoundingClientRect().top ?? 0
    const isSeen = top >= 0 && top < window.innerHeight * 0.6
    if (!isSeen && sent.some(result => result.status === 'fulfilled')) feed.current?.scrollIntoView({ block: 'start' })
  }

  const startOver = (draft.prompt !== '' || draft.references.length > 0) && (
    <IconButton
      icon={Eraser}
      label={t('generate.startOver')}
      onClick={() =>
        replaceDraft(t('generate.emptied'), { prompt: '', references: [], size: {}, count: 1, values: {} })
      }
    />
  )
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-x-8 gap-y-6 p-4 max-md:pb-72 md:grid-cols-[21rem_minmax(0,1fr)] md:items-start lg:grid-cols-[27rem_minmax(0,1fr)] lg:p-8">
      <form
        aria-label={t('shell.create')}
        onSubmit={event => {
          event.preventDefault()
          void send()
        }}
        className={classes(
          'flex flex-col gap-3 md:sticky md:top-4 md:max-h-[calc(100dvh-9rem)] md:gap-5 lg:top-8 lg:max-h-[calc(100dvh-6rem)]',
          // On a phone a sheet above the bar, so that the prompt stays at hand.
          'max-md:fixed max-md:inset-x-0 max-md:bottom-[calc(3.5rem+env(safe-area-inset-bottom))] max-md:z-20 max-md:max-h-[calc(100dvh-5rem)]',
          'max-md:rounded-t-3xl max-md:border-line max-md:border-t max-md:bg-sheet max-md:p-3 max-md:shadow-float',
        )}
      >
        {/* What does not fit fades out above the button instead of being cut. */}
        {/* Its scrollbar stands in the gap beside it, so that everything ends at one edge, with or without one. */}
        <div className="-m-1 p-1 max-md:min-h-0 max-md:overflow-y-auto md:-mr-7 md:overflow-x-hidden md:overflow-y-auto md:pr-0 md:pb-6 md:[mask-image:linear-gradient(to_top,transparent,black_1.75rem)]">
          <div className="flex flex-col gap-5 md:w-84 lg:w-108">
            <div className="flex min-h-10 items-center justify-between max-md:contents">
              <h1 className="text-2xl max-md:sr-only">{t('shell.create')}</h1>
              <span className="max-md:hidden">{startOver}</span>
            </div>
            {!isReady && <NoKey />}
            <Composer
              prompt={draft.prompt}
              references={draft.references}
              plans={plans}
              field={field}
              upload={upload}
              onPrompt={prompt => change({ prompt })}
              onReferences={next => change(before => ({ references: next(before.references) }))}
              onPress={() => void send()}
              onWalk={walk}
            />
            {isReady && (
              <div className={classes('flex flex-col gap-5', !areSettingsOpen && 'max-md:hidden')}>
                <ChosenModels chosen={chosen} onPick={() => setPicking(true)} />
                <Settings draft={draft} models={chosen} plans={plans} onChange={change} />
              </div>
            )}
          </div>
        </div>
        <div className="flex items-center gap-1 md:hidden">
          {isReady && (
            <button
              type="button"
              aria-expanded={areSettingsOpen}
              onClick={() => setSettingsOpen(!areSettingsOpen)}
              className="flex min-h-11 min-w-0 flex-1 items-center gap-2 rounded-full border border-line bg-raised px-4 text-left text-sm"
            >
              <SlidersHorizontal aria-hidden className="size-4 shrink-0" />
              <span className="shrink-0 font-medium">{t('generate.settings')}</span>
              <span className="min-w-0 flex-1 truncate text-ink-soft">
                {[chosen.map(({ name }) => name).join(', '), draft.size.ratio].filter(Boolean).join(' · ')}
              </span>
              <ChevronUp aria-hidden className={classes('size-4 shrink-0', areSettingsOpen && 'rotate-180')} />
            </button>
          )}
          {startOver}
        </div>
        {isReady && (
          <PressArea
            plans={plans}
            fewer={fewer}
            isSending={isSending}
            wasPressed={wasPressed}
            onFewer={() => {
              if (!fewer) return
              change({ count: fewer.count })
              void send(fewer.plans)
            }}
            onReplace={(ended, successor) => {
              const ids = chosen.map(model => (model.id === ended ? successor : model.id))
              replaceDraft(usedText(successor), { models: [...new Set(ids)] })
            }}
          />
        )}
      </form>
      <div ref={feed} className="min-w-0 scroll-mt-4">
        <Feed
          hasIdeas={isReady}
          onAgain={(generation, successor) => {
            const recipe = toRecipe(generation)
            if (successor === undefined) take(recipe)
            else take({ ...recipe, model: successor }, usedText(successor))
          }}
          onReference={id => change(before => ({ references: [...before.references, id] }))}
          onIdea={prompt => replaceDraft(t('generate.ideaTaken'), { prompt })}
        />
      </div>
      {isPicking && (
        <ModelPicker
          models={models}
          chosen={chosen.map(model => model.id)}
          onChange={ids => change({ models: ids })}
          onClose={() => setPicking(false)}
        />
      )}
    </div>
  )
}

/** The most that is left for, of what could be asked for; undefined where not even one fits. */
function planFewer(me: Me | undefined, models: readonly Model[], draft: Draft) {
  for (let count = draft.count - 1; count >= 1; count--) {
    const plans = models.map(model => planFor(model, { ...draft, count }))
    if (findShortages(me, plans).length === 0) return { count, plans }
  }
  return undefined
}

function describeFailure(model: string, error: unknown) {
  const isLost = error instanceof ApiError && (error.status === 0 || error.status >= 500)
  return t('generate.failed', { model, reason: isLost ? t('generate.lost') : explain(error, model) })
}

function isKeyMissing(error: unknown) {
  return error instanceof ApiError && error.code === 'configuration_missing'
}

function NoKey() {
  const t = useText()
  const isMember = useMe()?.role === 'member'
  return (
    <div className="flex flex-col items-center gap-3 rounded-3xl border border-line bg-sheet p-6 text-center shadow-card">
      <KeyRound aria-hidden className="size-8 text-seal-ink" />
      <h2 className="text-xl">{t('gallery.emptyAction')}</h2>
      <p className="text-balance text-ink-soft">{t(isMember ? 'generate.noKeyMember' : 'generate.noKeyHint')}</p>
      {!isMember && <LinkButton to="/welcome">{t('configurations.add')}</LinkButton>}
    </div>
  )
}
