/** One key: what it is for, whether it is on, and whether it works. */

import { useMutation, useQueryClient } from '@tanstack/react-query'
import { CalendarX, Ellipsis, Plug, Server, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { ApiError } from '../../client/errors.ts'
import { api } from '../data/client.ts'
import {
  type Configuration,
  configurationsChanged,
  useRemoveConfiguration,
  useSaveConfiguration,
} from '../data/configurations.ts'
import { type ModelLife, nameOfModel, useModels } from '../data/models.ts'
import { useProvider } from '../data/providers.ts'
import { ago } from '../text/format.ts'
import { describeLife } from '../text/life.ts'
import { explain } from '../text/problems.ts'
import { parseHost, withoutSlash } from '../text/providers.ts'
import { useLanguage, useText } from '../text/text.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Confirm } from '../ui/confirm.tsx'
import { EditButton } from '../ui/edit-button.tsx'
import { Menu } from '../ui/menu.tsx'
import { toastError } from '../ui/query.tsx'
import { Badge, Notice } from '../ui/states.tsx'
import { Switch } from '../ui/switch.tsx'
import { toast } from '../ui/toast.tsx'
import { CheckResult, CheckTrouble } from './check-result.tsx'
import { Limits, Resting, Suspension } from './configuration-state.tsx'

export interface ConfigurationCardProps {
  configuration: Configuration
  onEdit(): void
}

export function ConfigurationCard({ configuration, onEdit }: ConfigurationCardProps) {
  const t = useText()
  const { id, name, is_active: isActive, has_key: hasKey, source, state } = configuration
  const isOwn = source === 'stored'
  const [isAsking, setAsking] = useState(false)
  const save = useSaveConfiguration()
  const client = useQueryClient()
  // A passing test reinstates a suspended configuration.
  const test = useMutation({
    mutationFn: () => api.configurations.test({ id }),
    onSuccess: () => configurationsChanged(client),
  })

  const isOut = state.status === 'taken_out'
  const testButton = (
    <Button
      size="small"
      look={isOut ? 'primary' : 'plain'}
      icon={<Plug aria-hidden className="size-4" />}
      aria-label={t(isOut ? 'configurations.bringBackNamed' : 'configurations.testNamed', { name })}
      isBusy={test.isPending}
      disabled={test.isPending || !hasKey}
      onClick={() => test.mutate()}
    >
      {t(test.isPending ? 'configurations.testing' : isOut ? 'configurations.bringBack' : 'configurations.test')}
    </Button>
  )
  return (
    <li className="flex flex-col gap-3 rounded-card border border-line bg-raised p-4 sm:p-5">
      <div className="flex items-start gap-3">
        <div className="min-w-0 flex-1">
          <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
            <h3 className="break-words font-sans text-base">{name}</h3>
            {!isOwn && (
              <Badge>
                <Server aria-hidden className="size-3" />
                {t('configurations.environment')}
              </Badge>
            )}
            {!isActive && <Badge look="warning">{t('configurations.off')}</Badge>}
          </div>
          <Facts configuration={configuration} />
          <Limits configuration={configuration} />
        </div>
        {isOwn && (
          <Switch
            isLabelHidden
            label={t('configurations.isOn', { name })}
            isOn={save.isPending ? (save.variables.is_active ?? isActive) : isActive}
            isDisabled={save.isPending}
            onChange={next => save.mutate({ id, is_active: next }, { onError: toastError })}
          />
        )}
      </div>
      {configuration.life && <Life configuration={configuration} life={configuration.life} />}
      {state.status === 'resting' && state.until !== null && <Resting until={state.until} />}
      {isOut && <Suspension configuration={configuration} action={testButton} />}
      <div className="flex flex-wrap items-center gap-2">
        {!isOut && testButton}
        {isOwn && (
          <>
            <EditButton name={name} onClick={onEdit} />
            <Menu
              trigger={<IconButton icon={Ellipsis} label={`${t('shell.more')}: ${name}`} className="ml-auto" />}
              entries={[
                {
                  label: t('shell.delete'),
                  icon: <Trash2 aria-hidden className="size-4" />,
                  isDanger: true,
                  onSelect: () => setAsking(true),
                },
              ]}
            />
          </>
        )}
      </div>
      {test.data && !test.isPending && (
        <CheckResult service={configuration.provider} baseUrl={configuration.base_url} result={test.data} />
      )}
      {test.isError && <CheckTrouble error={test.error} />}
      {isAsking && <DeleteDialog configuration={configuration} onClose={() => setAsking(false)} />}
    </li>
  )
}

function Facts({ configuration }: { configuration: Configuration }) {
  const t = useText()
  const { provider, base_url: baseUrl, model, key_hint: hint, source, created_at: createdAt } = configuration
  const language = useLanguage()
  const service = useProvider(provider)
  const known = service?.addresses.find(({ url }) => url === withoutSlash(baseUrl ?? ''))?.label
  const address = baseUrl === null ? t('configurations.usualAddress') : (known?.[language] ?? parseHost(baseUrl))
  const facts = [
    hint === null ? t('configurations.keyMissing') : t('configurations.keyHint', { hint }),
    address,
    ...(model ? [`${t('gallery.model')} ${model}`] : []),
    ...(createdAt ? [t('configurations.added', { when: ago(createdAt) })] : []),
  ]
  return (
    <>
      <p className="mt-1 flex flex-wrap gap-x-3 text-ink-soft text-sm">
        {facts.map(fact => (
          <span key={fact} className="break-all">
            {fact}
          </span>
        ))}
      </p>
      {source === 'environment' && (
        <p className="mt-1 text-ink-faint text-sm">
          {t('configurations.environmentHint', {
            variable: service?.key_variable ?? '',
            cap: service?.cap_variable ?? '',
          })}
        </p>
      )}
    </>
  )
}

/** Says that the model of a key ends, with one press to take its successor. */
function Life({ configuration, life }: { configuration: Configuration; life: ModelLife }) {
  const t = useText()
  const models = useModels()
  const save = useSaveConfiguration()
  const { id, model } = configuration
  const text = describeLife(nameOfModel(models, model ?? ''), life, models)
  const successor = life.successors[0]
  if (text === undefined) return null

  return (
    <Notice
      look={life.stage === 'ended' ? 'bad' : 'warning'}
      icon={<CalendarX aria-hidden />}
      action={
        successor !== undefined && (
          <Button
            size="small"
            isBusy={save.isPending}
            disabled={save.isPending}
            onClick={() => save.mutate({ id, model: successor }, { onError: toastError })}
          >
            {t('life.use', { successor: nameOfModel(models, successor) })}
          </Button>
        )
      }
    >
      {text}
    </Notice>
  )
}

function DeleteDialog({ configuration, onClose }: { configuration: Configuration; onClose(): void }) {
  const t = useText()
  const remove = useRemoveConfiguration()
  const { id, name } = configuration

  async function confirm() {
    try {
      await remove.mutateAsync(id)
      toast(t('configurations.deleted', { name }))
    } catch (error) {
      const isInUse = error instanceof ApiError && error.code === 'conflict'
      toast(isInUse ? t('configurations.inUse') : explain(error), { look: 'bad' })
    }
    onClose()
  }

  return (
    <Confirm
      title={t('configurations.deleteTitle', { name })}
      hint={t('configurations.deleteHint')}
      action={t('shell.delete')}
      icon={<Trash2 aria-hidden className="size-4" />}
      isBusy={remove.isPending}
      onConfirm={() => void confirm()}
      onClose={onClose}
    />
  )
}
