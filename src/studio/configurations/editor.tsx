/** The form of a key, new or stored. It is tested before it is saved, because a test never costs. */

import { useMutation } from '@tanstack/react-query'
import { useId, useRef } from 'react'
import { api } from '../data/client.ts'
import { type Configuration, useConfigurations, useSaveConfiguration } from '../data/configurations.ts'
import { useModels } from '../data/models.ts'
import { useProvider, useProviders } from '../data/providers.ts'
import { useForm } from '../forms/form.ts'
import { findConsole, parseHost } from '../text/providers.ts'
import { useLanguage, useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { ChoiceCard } from '../ui/choice-card.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { ErrorNotice } from '../ui/query.tsx'
import { Select } from '../ui/select.tsx'
import { toast } from '../ui/toast.tsx'
import { CheckResult, CheckTrouble } from './check-result.tsx'
import { ConsoleLink } from './console-link.tsx'
import {
  type ConfigurationDraft,
  chosenBaseUrl,
  findFaults,
  keepDraft,
  otherAddress,
  paths,
  startingDraft,
  toBody,
  toDraft,
  usualAddress,
} from './draft.ts'
import { LimitsSection } from './limits-section.tsx'
import { findTarget } from './sharing.ts'

export interface EditorProps {
  /** The one that is changed; without it a new one is added. */
  configuration?: Configuration
  /** Service of a new key. */
  service?: string
  onClose(): void
}

export function Editor({ configuration, service = '', onClose }: EditorProps) {
  const t = useText()
  const firstField = useRef<HTMLInputElement>(null)
  const save = useSaveConfiguration()
  const models = useModels()
  const configurations = useConfigurations()
  const providers = useProviders()
  const test = useMutation({ mutationFn: api.configurations.test })
  const isBusy = test.isPending || save.isPending
  const { id, draft, change, errorOf, isExplained, submit } = useForm({
    start: () => (configuration ? toDraft(configuration, providers) : startingDraft(service)),
    keep: configuration ? undefined : keepDraft,
    findFaults: draft => findFaults(draft, configuration),
    paths,
    isBusy,
    error: save.error ?? test.error,
    forget() {
      test.reset()
      save.reset()
    },
  })
  const key = draft.key.trim()
  const baseUrl = chosenBaseUrl(draft)
  const refused = test.data && !test.data.ok ? test.data : undefined

  function close() {
    keepDraft(undefined)
    onClose()
  }

  async function store() {
    const body = toBody(draft)
    const saved = await save.mutateAsync(
      configuration ? { id: configuration.id, ...body } : { ...body, provider: draft.service, api_key: key },
    )
    toast(t('configurations.saved', { name: saved.name }), { look: 'good' })
    close()
  }

  async function testAndStore() {
    const { base_url, model } = toBody(draft)
    const isFine = !key || (await test.mutateAsync({ provider: draft.service, api_key: key, base_url, model })).ok
    if (isFine) await store()
  }

  const provider = useProvider(draft.service)
  const address = findTarget({ provider: draft.service, base_url: baseUrl }, configurations, providers)
  const sharesWork = configurations.some(
    other =>
      other.id !== configuration?.id &&
      other.provider === draft.service &&
      findTarget(other, configurations, providers) === address,
  )

  return (
    <Dialog
      onClose={close}
      initialFocus={firstField}
      title={configuration ? t('configurations.editTitle', { name: configuration.name }) : t('configurations.add')}
      actions={
        <>
          <Button onClick={close}>{t('shell.cancel')}</Button>
          {(refused || test.isError) && (
            <Button disabled={isBusy} onClick={() => void store().catch(() => undefined)}>
              {t('configurations.saveAnyway')}
            </Button>
          )}
          <Button type="submit" form={id} look="primary" isBusy={isBusy} disabled={isBusy}>
            {t(
              test.isPending
                ? 'configurations.testing'
                : key || !configuration
                  ? 'configurations.testAndSave'
                  : 'shell.save',
            )}
          </Button>
        </>
      }
    >
      <form id={id} noValidate onSubmit={submit(testAndStore)} className="flex flex-col gap-5 pt-1">
        {!configuration && (
          <ServiceChoice
            chosen={draft.service}
            onChange={next => change({ service: next, address: usualAddress, baseUrl: '', model: '' })}
          />
        )}
        <TextField
          ref={firstField}
          label={t('configurations.key')}
          hint={
            configuration?.key_hint
              ? t('configurations.keyKeep', { hint: configuration.key_hint })
              : t('configurations.keyHow')
          }
          error={errorOf('key')}
          type="password"
          spellCheck={false}
          value={draft.key}
          onChange={event => change({ key: event.target.value })}
        />
        <ConsoleLink page={findConsole(provider, baseUrl)} className="-mt-4 self-start text-seal-ink text-sm" />
        <AddressFields draft={draft} error={errorOf('baseUrl')} onChange={change} />
        <TextField
          label={t('configurations.modelLabel')}
          hint={t('configurations.modelHint')}
          error={errorOf('model')}
          spellCheck={false}
          list={`${id}-models`}
          value={draft.model}
          onChange={event => change({ model: event.target.value })}
        />
        <datalist id={`${id}-models`}>
          {models
            .filter(({ provider, state }) => provider === draft.service && state === 'current')
            .map(({ id, name: label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
        </datalist>
        <TextField
          label={t('configurations.name')}
          hint={t('configurations.nameHint')}
          error={errorOf('name')}
          maxLength={200}
          value={draft.name}
          onChange={event => change({ name: event.target.value })}
        />
        <LimitsSection draft={draft} sharesWork={sharesWork} errorOf={errorOf} onChange={change} />
        {refused && <CheckResult service={draft.service} baseUrl={baseUrl} result={refused} />}
        {test.isError && !isExplained && <CheckTrouble error={test.error} />}
        {save.isError && !isExplained && <ErrorNotice error={save.error} />}
      </form>
    </Dialog>
  )
}

function ServiceChoice({ chosen, onChange }: { chosen: string; onChange(service: string): void }) {
  const t = useText()
  const language = useLanguage()
  const name = useId()
  return (
    <fieldset>
      <legend className="mb-1.5 font-medium text-ink-soft text-sm">{t('gallery.provider')}</legend>
      <div className="grid gap-2 sm:grid-cols-3">
        {useProviders().map(({ id, title, company }) => (
          <ChoiceCard key={id} name={name} value={id} isChosen={id === chosen} onChoose={() => onChange(id)}>
            <span className="text-balance break-keep font-medium">{title[language]}</span>
            <span className="text-ink-soft text-xs">{company[language]}</span>
          </ChoiceCard>
        ))}
      </div>
    </fieldset>
  )
}

interface AddressFieldsProps {
  draft: ConfigurationDraft
  error: string | undefined
  onChange(next: Partial<ConfigurationDraft>): void
}

function AddressFields({ draft, error, onChange }: AddressFieldsProps) {
  const t = useText()
  const language = useLanguage()
  const provider = useProvider(draft.service)
  const addresses = provider?.addresses ?? []
  const usual = addresses[0]?.url ?? ''
  const addressHint = provider?.address_hint[language]
  const isOther = draft.address === otherAddress
  return (
    <div className="flex flex-col gap-3">
      <Select
        label={t('configurations.address')}
        hint={isOther ? undefined : addressHint}
        error={isOther ? undefined : error}
        value={draft.address}
        choices={[
          {
            value: usualAddress,
            label: t('configurations.addressUsual'),
            hint: t('configurations.addressUsualHint', { host: parseHost(usual) }),
          },
          ...addresses.map(({ url, label }) => ({ value: url, label: label[language], hint: parseHost(url) })),
          { value: otherAddress, label: t('configurations.addressOther') },
        ]}
        onChange={address => onChange({ address })}
      />
      {isOther && (
        <TextField
          label={t('configurations.addressBase')}
          hint={addressHint}
          error={error}
          type="url"
          inputMode="url"
          spellCheck={false}
          placeholder={usual}
          value={draft.baseUrl}
          onChange={event => onChange({ baseUrl: event.target.value })}
        />
      )}
    </div>
  )
}
