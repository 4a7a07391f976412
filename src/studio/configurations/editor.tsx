/** The form of a key, new or stored. It is tested before it is saved, because a test never costs. */
import { useMutation } from '@tanstack/react-query'
import { CircleAlert } from 'lucide-react'
import { type FormEvent, useId, useRef, useState } from 'react'
import { flushSync } from 'react-dom'
import {
  ApiError,
  type Configuration,
  explain,
  testConfiguration,
  useConfigurations,
  useModels,
  useSaveConfiguration,
} from '../data/api.ts'
import { consoleOf, hostOf, type ServiceId, serviceIds, services } from '../text/services.ts'
import { useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { ChoiceCard } from '../ui/choice-card.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { controlClasses, Field, focusFault, TextField } from '../ui/field.tsx'
import { Select } from '../ui/select.tsx'
import { Notice } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'
import { CheckResult, CheckTrouble } from './check-result.tsx'
import { ConsoleLink } from './console-link.tsx'
import {
  baseUrlOf,
  type ConfigurationDraft,
  draftOf,
  keepDraft,
  limitFaultsOf,
  limitPaths,
  limitsBodyOf,
  newDraft,
  otherAddress,
  readDraft,
  usualAddress,
} from './draft.ts'
import { LimitsSection } from './limits-section.tsx'
import { addressOf } from './sharing.ts'

export interface EditorProps {
  /** The one that is changed; without it a new one is added. */
  configuration?: Configuration
  service?: ServiceId
  onClose(): void
}

export function Editor({ configuration, service = 'doubao', onClose }: EditorProps) {
  const t = useText()
  const form = useId()
  const [draft, setDraft] = useState(() => (configuration ? draftOf(configuration) : startingDraft(service)))
  const [areFaultsShown, setFaultsShown] = useState(false)
  const firstField = useRef<HTMLInputElement>(null)
  const save = useSaveConfiguration()
  const { data: models = [] } = useModels()
  const { data: configurations = [] } = useConfigurations()

  const key = draft.key.trim()
  const baseUrl = baseUrlOf(draft)
  const model = draft.model.trim() || null
  const name = draft.name.trim()
  const faults = faultsOf(draft, configuration)
  const limitFaults = limitFaultsOf(draft)
  const shown = areFaultsShown ? faults : {}

  const test = useMutation({
    mutationFn: () => testConfiguration({ provider: draft.service, api_key: key, base_url: baseUrl, model }),
  })
  const refused = test.data && !test.data.ok ? test.data : undefined
  const isBusy = test.isPending || save.isPending

  function change(next: Partial<ConfigurationDraft>) {
    const changed = { ...draft, ...next }
    setDraft(changed)
    if (!configuration) keepDraft(changed)
    test.reset()
    save.reset()
  }

  function close() {
    keepDraft(undefined)
    onClose()
  }

  async function store() {
    const body = {
      ...{ base_url: baseUrl, model, ...limitsBodyOf(draft) },
      ...(name ? { name } : {}),
      ...(key ? { api_key: key } : {}),
    }
    const saved = await save.mutateAsync(
      configuration ? { id: configuration.id, ...body } : { ...body, provider: draft.service, api_key: key },
    )
    toast(t('configurations.saved', { name: saved.name }), { look: 'good' })
    close()
  }

  async function submit(event: FormEvent) {
    event.preventDefault()
    // The form lies inside the page of the keys, also where it is drawn elsewhere.
    event.stopPropagation()
    flushSync(() => setFaultsShown(true))
    if (isBusy) return
    if (Object.keys(faults).length + limitFaults.length > 0) {
      focusFault(form)
      return
    }
    // What goes wrong is shown by the states of the two.
    try {
      if (!key || (await test.mutateAsync()).ok) await store()
    } catch (error) {
      if (error instanceof ApiError && error.problem?.errors) requestAnimationFrame(() => focusFault(form))
    }
  }

  const page = consoleOf(draft.service, baseUrl)
  const faultOf = (path: string) =>
    save.error instanceof ApiError
      ? save.error.problem?.errors?.find(fault => fault.path.split('.')[0] === path)?.message
      : test.error instanceof ApiError
        ? test.error.problem?.errors?.find(fault => fault.path === path)?.message
        : undefined
  const isExplained = ['api_key', 'base_url', 'model', 'name', ...Object.values(limitPaths)].some(
    path => faultOf(path) !== undefined,
  )
  const others = configurations.filter(({ id }) => id !== configuration?.id)
  const address = addressOf({ provider: draft.service, base_url: baseUrl }, configurations)
  const sharesWork = others.some(
    other => other.provider === draft.service && addressOf(other, configurations) === address,
  )

  return (
    <Dialog
      isOpen
      onClose={close}
      initialFocus={firstField}
      title={configuration ? t('configurations.editTitle', { name: configuration.name }) : t('configurations.newTitle')}
      actions={
        <>
          <Button onClick={close}>{t('shell.cancel')}</Button>
          {(refused || test.isError) && (
            <Button disabled={isBusy} onClick={() => void store().catch(() => undefined)}>
              {t('configurations.saveAnyway')}
            </Button>
          )}
          <Button type="submit" form={form} look="primary" isBusy={isBusy} disabled={isBusy}>
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
      <form id={form} noValidate onSubmit={event => void submit(event)} className="flex flex-col gap-5 pt-1">
        {!configuration && (
          <ServiceChoice
            chosen={draft.service}
            onChange={next => change({ service: next, address: usualAddress, baseUrl: '', model: '' })}
          />
        )}
        <Field
          label={t('configurations.key')}
          hint={
            configuration?.key_hint
              ? t('configurations.keyKeep', { hint: configuration.key_hint })
              : t('configurations.keyHow')
          }
          error={shown.key ? t(shown.key) : faultOf('api_key')}
        >
          {control => (
            <input
              {...control}
              ref={firstField}
              type="password"
              autoComplete="off"
              spellCheck={false}
              value={draft.key}
              onChange={event => change({ key: event.target.value })}
              className={controlClasses}
            />
          )}
        </Field>
        <ConsoleLink page={page} className="-mt-4 self-start text-seal-ink text-sm" />
        <AddressFields draft={draft} error={shown.baseUrl ? t(shown.baseUrl) : faultOf('base_url')} onChange={change} />
        <Field label={t('configurations.modelLabel')} hint={t('configurations.modelHint')} error={faultOf('model')}>
          {control => (
            <>
              <input
                {...control}
                type="text"
                autoComplete="off"
                spellCheck={false}
                list={`${form}-models`}
                value={draft.model}
                onChange={event => change({ model: event.target.value })}
                className={controlClasses}
              />
              <datalist id={`${form}-models`}>
                {models
                  .filter(({ provider, state }) => provider === draft.service && state === 'current')
                  .map(({ id, name: label }) => (
                    <option key={id} value={id}>
                      {label}
                    </option>
                  ))}
              </datalist>
            </>
          )}
        </Field>
        <TextField
          label={t('configurations.name')}
          hint={t('configurations.nameHint')}
          error={faultOf('name')}
          maxLength={200}
          value={draft.name}
          onChange={event => change({ name: event.target.value })}
        />
        <LimitsSection
          draft={draft}
          sharesWork={sharesWork}
          faults={areFaultsShown ? limitFaults : []}
          refusalOf={field => faultOf(limitPaths[field])}
          onChange={change}
        />
        {refused && <CheckResult service={draft.service} baseUrl={baseUrl} result={refused} />}
        {test.isError && !isExplained && <CheckTrouble error={test.error} />}
        {save.isError && !isExplained && (
          <Notice look="bad" icon={<CircleAlert aria-hidden />}>
            {explain(save.error)}
          </Notice>
        )}
      </form>
    </Dialog>
  )
}

/** What was being typed before a reload, unless another service was asked for. */
function startingDraft(service: ServiceId) {
  const kept = readDraft()
  return kept?.service === service ? kept : newDraft(service)
}

function faultsOf(draft: ConfigurationDraft, configuration: Configuration | undefined) {
  const hasKey = draft.key.trim() !== ''
  const needsKey = !configuration?.has_key
  // The server refuses it as well: a key must not be led to an address of somebody's choice.
  const isElsewhere =
    configuration !== undefined && hostOf(baseUrlOf(draft) ?? '') !== hostOf(configuration.base_url ?? '')
  const isBaseUrlMissing = draft.address === otherAddress && !/^https?:\/\/[^\s/]+/i.test(draft.baseUrl.trim())
  return {
    ...(!hasKey && needsKey ? { key: 'configurations.keyNeeded' as const } : {}),
    ...(!hasKey && !needsKey && isElsewhere ? { key: 'configurations.keyAgain' as const } : {}),
    ...(isBaseUrlMissing ? { baseUrl: 'configurations.addressNeeded' as const } : {}),
  }
}

function ServiceChoice({ chosen, onChange }: { chosen: ServiceId; onChange(service: ServiceId): void }) {
  const t = useText()
  const name = useId()
  return (
    <fieldset>
      <legend className="mb-1.5 font-medium text-ink-soft text-sm">{t('configurations.service')}</legend>
      <div className="grid gap-2 sm:grid-cols-3">
        {serviceIds.map(id => (
          <ChoiceCard key={id} name={name} value={id} isChosen={id === chosen} onChoose={() => onChange(id)}>
            <span className="text-balance break-keep font-medium">{t(services[id].name)}</span>
            <span className="text-ink-soft text-xs">{t(services[id].by)}</span>
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
  const { addresses, addressHint } = services[draft.service]
  const isOther = draft.address === otherAddress
  return (
    <div className="flex flex-col gap-3">
      <Select
        label={t('configurations.address')}
        hint={isOther ? undefined : t(addressHint)}
        error={isOther ? undefined : error}
        value={draft.address}
        choices={[
          {
            value: usualAddress,
            label: t('configurations.addressUsual'),
            hint: t('configurations.addressUsualHint', { host: hostOf(addresses[0].url) }),
          },
          ...addresses.map(({ url, label }) => ({ value: url, label: t(label), hint: hostOf(url) })),
          { value: otherAddress, label: t('configurations.addressOther') },
        ]}
        onChange={address => onChange({ address })}
      />
      {isOther && (
        <TextField
          label={t('configurations.addressBase')}
          hint={t(addressHint)}
          error={error}
          type="url"
          inputMode="url"
          spellCheck={false}
          placeholder={addresses[0].url}
          value={draft.baseUrl}
          onChange={event => onChange({ baseUrl: event.target.value })}
        />
      )}
    </div>
  )
}
