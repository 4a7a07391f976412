/** All that is known of a picture. */

import { useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Copy } from 'lucide-react'
import { Fragment, type ReactNode, useMemo, useState } from 'react'
import { copyText } from '../actions/copy.ts'
import { addTags, removeTag } from '../actions/mark.ts'
import { type Generation, type Image, toRecipe } from '../data/generations.ts'
import { formatImageType } from '../data/images.ts'
import { findModel, nameOfModel, useModels } from '../data/models.ts'
import { Tags } from '../forms/tags.tsx'
import { bytes, duration, moment, money } from '../text/format.ts'
import { explainError, findSuccessor } from '../text/life.ts'
import { currentWarnings, explainWarning } from '../text/messages.ts'
import { explainCode } from '../text/problems.ts'
import { useProviderName } from '../text/providers.ts'
import { formatLabel, formatValue } from '../text/settings.ts'
import { type Text, useText } from '../text/text.ts'
import { difference } from '../text/text-diff.ts'
import { IconButton, LinkButton } from '../ui/button.tsx'
import { classes } from '../ui/classes.ts'
import { Difference } from '../ui/difference.tsx'
import { Thumbnail } from '../ui/image-tile.tsx'
import { LifeBadge } from '../ui/life-badge.tsx'
import { Notice } from '../ui/states.tsx'
import { Switch } from '../ui/switch.tsx'
import { toast } from '../ui/toast.tsx'

export interface DetailsProps {
  generation: Generation
  image: Image | undefined
}

export function Details({ generation, image }: DetailsProps) {
  const t = useText()
  const client = useQueryClient()
  const models = useModels()
  const successor = findSuccessor(generation.error)
  const { error, failures, references, tags } = generation
  const warnings = currentWarnings(generation)
  // Where there is no picture at all, the error above says the same.
  const isSaid = error !== null && failures.every(failure => failure.code === error.code)
  return (
    <div className="flex flex-col gap-6">
      {error && (
        <Notice look="bad">
          <p>{explainError(error, models)}</p>
          {successor !== undefined && (
            <LinkButton
              to="/"
              state={{ recipe: { ...toRecipe(generation), model: successor } }}
              look="plain"
              size="small"
              className="my-1.5"
            >
              {t('life.use', { successor: nameOfModel(models, successor) })}
            </LinkButton>
          )}
          {error.provider_message && (
            <p className="mt-1 text-ink-soft">{t('picture.providerSays', { message: error.provider_message })}</p>
          )}
        </Notice>
      )}
      <Prompts generation={generation} />
      <Settings generation={generation} image={image} />
      {references.length > 0 && (
        <Section title={t('generate.references')}>
          <ul className="grid grid-cols-4 gap-2">
            {references.map((reference, index) => (
              <li key={`${reference.id} ${reference.index}`} className="aspect-square overflow-hidden rounded-lg">
                <Link
                  to="/"
                  search={{ reference: reference.id }}
                  title={t('picture.useAsReference')}
                  className="block size-full"
                >
                  <Thumbnail image={reference} alt={t('picture.referenceNumber', { number: index + 1 })} isCropped />
                </Link>
              </li>
            ))}
          </ul>
        </Section>
      )}
      {failures.length > 0 && !isSaid && (
        <Section title={t('picture.failures')}>
          <ul className="flex flex-col gap-2 text-sm">
            {failures.map(failure => (
              <li key={failure.index} className="rounded-xl bg-seal-wash px-3 py-2 text-seal-ink">
                <strong className="font-medium">{t('picture.failedPicture', { number: failure.index + 1 })}</strong>{' '}
                {explainCode(failure)}
                {failure.provider_code && <code className="block text-xs">{failure.provider_code}</code>}
              </li>
            ))}
          </ul>
        </Section>
      )}
      {generation.cancel_requested && generation.images.length > 0 && generation.finished_at !== null && (
        <p className="rounded-xl bg-amber-wash px-3 py-2 text-amber text-sm">{t('live.afterCancel')}</p>
      )}
      {warnings.length > 0 && (
        <Section title={t('picture.warnings')}>
          <ul className="flex flex-col gap-1 text-ink-soft text-sm">
            {warnings.map(warning => (
              <li key={`${warning.parameter} ${warning.message}`}>{explainWarning(generation, warning, models)}</li>
            ))}
          </ul>
        </Section>
      )}
      <Section title={t('gallery.tags')}>
        <Tags
          tags={tags}
          onAdd={added => void addTags(client, [generation], added)}
          onRemove={tag => void removeTag(client, [generation], tag)}
        />
      </Section>
      <Facts generation={generation} image={image} />
    </div>
  )
}

function Section({ title, action, children }: { title: string; action?: ReactNode; children: ReactNode }) {
  return (
    <section>
      <div className="mb-1.5 flex min-h-10 items-center justify-between gap-2">
        <h2 className="text-base text-ink-soft">{title}</h2>
        {action}
      </div>
      {children}
    </section>
  )
}

function CopyButton({ text, label }: { text: string; label: string }) {
  const t = useText()
  return <IconButton icon={Copy} iconSize={4} label={label} onClick={() => void copy(text, t)} />
}

function Copyable({ text, label }: { text: string; label: string }) {
  return (
    <span className="flex items-start gap-1">
      <code className="min-w-0 break-all py-0.5 text-xs">{text}</code>
      <span className="-my-2">
        <CopyButton text={text} label={label} />
      </span>
    </span>
  )
}

async function copy(text: string, t: Text) {
  const isCopied = await copyText(text)
  toast(t(isCopied ? 'shell.copied' : 'picture.copyFailed'), { look: isCopied ? 'good' : 'bad' })
}

function Prompts({ generation: { prompt, revised_prompt: revised } }: { generation: Generation }) {
  const t = useText()
  const [isMarked, setMarked] = useState(true)
  const pieces = useMemo(() => (revised ? difference(prompt, revised) : undefined), [prompt, revised])
  return (
    <>
      <Section
        title={t('generate.prompt')}
        action={prompt && <CopyButton text={prompt} label={t('picture.copyPrompt')} />}
      >
        <p className={classes('whitespace-pre-wrap text-pretty break-words', !prompt && 'text-ink-faint')}>
          {prompt || t('picture.noPrompt')}
        </p>
      </Section>
      {revised && revised !== prompt && (
        <Section title={t('picture.revised')} action={<CopyButton text={revised} label={t('picture.copyRevised')} />}>
          <p className="whitespace-pre-wrap text-pretty break-words">
            {pieces && isMarked ? <Difference pieces={pieces} /> : revised}
          </p>
          {pieces && (
            <Switch
              label={t('picture.showChanges')}
              hint={isMarked ? t('picture.revisedHint') : undefined}
              isOn={isMarked}
              onChange={setMarked}
              className="mt-2"
            />
          )}
        </Section>
      )}
    </>
  )
}

function Settings({ generation: { parameters, resolved }, image }: DetailsProps) {
  const t = useText()
  const names = [...new Set(['size', ...Object.keys(parameters), ...Object.keys(resolved ?? {})])]
  return (
    <Section title={t('picture.settings')}>
      <table className="w-full table-fixed text-sm">
        <thead className="text-left text-ink-faint">
          <tr>
            <th className="w-2/5 pb-1 font-normal">
              <span className="sr-only">{t('picture.settings')}</span>
            </th>
            <th className="pb-1 font-normal">{t('picture.asked')}</th>
            <th className="pb-1 font-normal">{t('picture.sent')}</th>
          </tr>
        </thead>
        <tbody>
          {names.map(name => {
            const asked = parameters[name]
            const sent = resolved?.[name]
            const isOther = asked !== undefined && sent !== undefined && formatValue(asked, t) !== formatValue(sent, t)
            return (
              <tr key={name} className="border-line border-t align-top">
                <th scope="row" className="py-1.5 pr-2 text-left font-normal text-ink-soft">
                  {formatLabel(name)}
                </th>
                <td className={classes('break-words py-1.5 pr-2', asked === undefined && 'text-ink-faint')}>
                  {asked === undefined ? t('picture.notAsked') : formatValue(asked, t)}
                </td>
                <td className={classes('break-words py-1.5', isOther && 'font-medium text-amber')}>
                  {sent === undefined ? '–' : formatValue(sent, t)}
                </td>
              </tr>
            )
          })}
          {image && (
            <tr className="border-line border-t">
              <th scope="row" className="py-1.5 pr-2 text-left font-normal text-ink-soft">
                {t('picture.made')}
              </th>
              <td className="py-1.5 tabular-nums" colSpan={2}>
                {image.width} × {image.height}
              </td>
            </tr>
          )}
        </tbody>
      </table>
    </Section>
  )
}

function Facts({ generation, image }: DetailsProps) {
  const t = useText()
  const providerName = useProviderName()
  const models = useModels()
  const model = findModel(models, generation.model)
  const { error, retry_of: retryOf, duration_ms: took } = generation
  const requestIds = [...new Set([...generation.provider_request_ids, error?.provider_request_id ?? ''])].filter(
    Boolean,
  )
  const lines: [string, ReactNode][] = [
    [
      t('gallery.model'),
      model ? (
        <span key="model" className="flex flex-wrap items-center gap-x-2">
          {model.name} ({generation.model}) {model.life.stage === 'ended' && <LifeBadge model={model} />}
        </span>
      ) : (
        generation.model
      ),
    ],
    [t('gallery.provider'), generation.provider && providerName(generation.provider, model?.provider_name)],
    [t('picture.timestamp'), moment(generation.timestamp)],
    [t('picture.duration'), took === null ? undefined : duration(took)],
    [t('picture.cost'), describeCharge(generation, t)],
    [t('picture.file'), image && `${formatImageType(image.mime_type)}, ${bytes(image.bytes)}`],
    [t('picture.hash'), image && <Copyable text={image.sha256} label={t('picture.copyHash')} />],
    [
      t('picture.requestId'),
      requestIds.length > 0 && requestIds.map(id => <Copyable key={id} text={id} label={t('picture.copyRequestId')} />),
    ],
    [t('picture.providerCode'), error?.provider_code && <code className="text-xs">{error.provider_code}</code>],
    [
      t('picture.id'),
      <code key="id" className="break-all text-xs">
        {generation.id}
      </code>,
    ],
    [
      t('picture.retryOf'),
      retryOf && (
        <Link
          to="/picture/$generationId"
          params={{ generationId: retryOf }}
          className="break-all text-seal-ink text-xs underline"
        >
          {retryOf}
        </Link>
      ),
    ],
    [
      t('picture.oldPictures'),
      generation.images.length === 0 && generation.image_urls.length > 0 && <OldImages urls={generation.image_urls} />,
    ],
    ...Object.entries(image?.details ?? {}).map(([name, value]): [string, ReactNode] => [
      formatLabel(name),
      formatValue(value, t),
    ]),
  ]
  return (
    <Section title={t('picture.facts')}>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1.5 text-sm">
        {lines
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <Fragment key={name}>
              <dt className="text-ink-soft">{name}</dt>
              <dd className="break-words">{value}</dd>
            </Fragment>
          ))}
      </dl>
    </Section>
  )
}

/** Addresses at the service of pictures that were not stored. It deletes them after a day, so most of these lead nowhere. */
function OldImages({ urls }: { urls: readonly string[] }) {
  return (
    <ul className="flex flex-col gap-1">
      {urls.map(url => (
        <li key={url} className="break-all text-xs">
          {/^https?:\/\//i.test(url) ? (
            <a href={url} target="_blank" rel="noreferrer" className="underline">
              {url}
            </a>
          ) : (
            url
          )}
        </li>
      ))}
    </ul>
  )
}

function describeCharge({ charge, cost }: Generation, t: Text) {
  if (charge === 'unknown') return <span className="text-amber">{t('picture.chargeUnknown')}</span>
  if (charge === 'none') return t('picture.chargeNone')
  return cost ? money(cost.amount, cost.currency) : t('picture.chargeCharged')
}
