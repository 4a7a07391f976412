/** The keys of the services: those that people store here, and those that the server brought along. */

import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { type Configuration, configurationsQuery } from '../data/configurations.ts'
import { useGenerationEvents } from '../data/events.ts'
import { type Provider, useProviders } from '../data/providers.ts'
import { useLanguage, useText } from '../text/text.ts'
import { Button } from '../ui/button.tsx'
import { Page } from '../ui/page.tsx'
import { Loading, Query } from '../ui/query.tsx'
import { EmptyState } from '../ui/states.tsx'
import { ConfigurationCard } from './configuration-card.tsx'
import { Editor } from './editor.tsx'
import { findPools } from './sharing.ts'

const refreshEveryMs = 5000

export function ConfigurationsScreen() {
  const t = useText()
  const navigate = useNavigate()
  // In the address, so that the form is still open after a reload.
  const { add } = useSearch({ from: '/configurations' })
  const configurations = useQuery({ ...configurationsQuery, staleTime: 0, refetchInterval: refreshEveryMs })
  // A request may have put one to rest, or out.
  useGenerationEvents(() => void configurations.refetch({ cancelRefetch: false }))
  const [edited, setEdited] = useState<Configuration>()
  const language = useLanguage()
  const providers = useProviders()
  const isKnown = (id: string | undefined) => providers.some(one => one.id === id)

  function openNew(service: string | undefined) {
    void navigate({ to: '/configurations', search: { add: service }, replace: true })
  }

  return (
    <Page
      isLoose
      title={t('shell.configurations')}
      lead={t('configurations.lead')}
      action={
        <Button look="primary" icon={<Plus aria-hidden className="size-5" />} onClick={() => openNew(providers[0]?.id)}>
          {t('configurations.add')}
        </Button>
      }
    >
      <Query
        query={configurations}
        failed={t('configurations.failed')}
        loading={<Loading className="flex flex-col gap-3" shapes={['h-6 w-48', 'h-28', 'h-28']} />}
      >
        {all =>
          all.length === 0 ? (
            <EmptyState
              icon={<KeyRound aria-hidden />}
              title={t('configurations.empty')}
              action={providers.map(({ id, title }) => (
                <Button key={id} onClick={() => openNew(id)}>
                  {title[language]}
                </Button>
              ))}
            >
              {t('configurations.emptyHint')}
            </EmptyState>
          ) : (
            <>
              {providers.map(provider => (
                <ServiceSection
                  key={provider.id}
                  provider={provider}
                  configurations={all.filter(one => one.provider === provider.id)}
                  onAdd={() => openNew(provider.id)}
                  onEdit={setEdited}
                />
              ))}
              <Cards configurations={all.filter(one => !isKnown(one.provider))} onEdit={setEdited} />
            </>
          )
        }
      </Query>
      {edited && <Editor key={edited.id} configuration={edited} onClose={() => setEdited(undefined)} />}
      {!edited && add !== undefined && providers.length > 0 && (
        <Editor service={isKnown(add) ? add : providers[0]?.id} onClose={() => openNew(undefined)} />
      )}
    </Page>
  )
}

interface ServiceSectionProps {
  provider: Provider
  configurations: readonly Configuration[]
  onAdd(): void
  onEdit(configuration: Configuration): void
}

function ServiceSection({ provider, configurations, onAdd, onEdit }: ServiceSectionProps) {
  const t = useText()
  const language = useLanguage()
  const name = provider.title[language]
  const pools = findPools(configurations, [provider]).map(pool =>
    new Intl.ListFormat(language).format(pool.map(({ name }) => t('configurations.quoted', { name }))),
  )
  return (
    <section className="flex flex-col gap-3">
      <div>
        <h2 className="text-lg">{name}</h2>
        <p className="text-ink-faint text-sm">{provider.company[language]}</p>
      </div>
      {pools.map(names => (
        <p key={names} className="max-w-prose text-ink-soft text-sm">
          {t('configurations.sharing', { names })}
        </p>
      ))}
      {configurations.length === 0 ? (
        <div className="flex flex-wrap items-center justify-between gap-2 rounded-card border border-line border-dashed px-4 py-3">
          <p className="text-ink-soft text-sm">{t('configurations.noneOf')}</p>
          <Button
            size="small"
            look="quiet"
            aria-label={`${t('configurations.add')}: ${name}`}
            icon={<Plus aria-hidden className="size-4" />}
            onClick={onAdd}
          >
            {t('configurations.add')}
          </Button>
        </div>
      ) : (
        <Cards configurations={configurations} onEdit={onEdit} />
      )}
    </section>
  )
}

function Cards({ configurations, onEdit }: Pick<ServiceSectionProps, 'configurations' | 'onEdit'>) {
  if (configurations.length === 0) return null
  return (
    <ul className="flex flex-col gap-3">
      {configurations.map(configuration => (
        <ConfigurationCard key={configuration.id} configuration={configuration} onEdit={() => onEdit(configuration)} />
      ))}
    </ul>
  )
}
