/** Setting up the first configuration: which service, where its key is, paste, test, save. */

import { useMutation } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { ArrowRight, CircleAlert, CircleCheck, ExternalLink } from 'lucide-react'
import { type FormEvent, useId, useState } from 'react'
import { api } from '../data/client.ts'
import { useConfigurations, useSaveConfiguration } from '../data/configurations.ts'
import { useProviders } from '../data/providers.ts'
import { explain } from '../text/problems.ts'
import { findText, useLanguage, useText } from '../text/text.ts'
import { Button, buttonClasses, LinkButton } from '../ui/button.tsx'
import { ChoiceCard } from '../ui/choice-card.tsx'
import { TextField } from '../ui/field.tsx'
import { Notice } from '../ui/states.tsx'
import { toast } from '../ui/toast.tsx'

export function WelcomeScreen() {
  const t = useText()
  const language = useLanguage()
  const providers = useProviders()
  const [chosen, setChosen] = useState<string>()
  const configurations = useConfigurations()
  const name = useId()
  const provider = providers.find(({ id }) => id === chosen) ?? providers[0]
  const hasKey = configurations.some(configuration => configuration.is_active && configuration.has_key)
  return (
    <div className="mx-auto flex max-w-3xl flex-col gap-8 px-4 py-8 sm:py-14">
      <header className="flex flex-col gap-3">
        <h1 className="text-3xl sm:text-4xl">{t('welcome.title')}</h1>
        <p className="max-w-prose text-ink-soft text-lg">{t('welcome.lead')}</p>
      </header>
      {hasKey && (
        <Notice
          look="good"
          icon={<CircleCheck aria-hidden />}
          action={
            <LinkButton to="/" look="plain" size="small">
              {t('welcome.start')}
              <ArrowRight aria-hidden className="size-4" />
            </LinkButton>
          }
        >
          <strong className="block font-medium">{t('welcome.have')}</strong>
          {t('welcome.haveHint')}
        </Notice>
      )}
      <fieldset>
        <legend className="mb-3 font-display font-semibold text-xl">{t('welcome.choose')}</legend>
        <div className="grid gap-3 sm:grid-cols-3">
          {providers.map(({ id, title, about }) => (
            <ChoiceCard
              key={id}
              name={name}
              value={id}
              isChosen={id === provider?.id}
              onChoose={() => setChosen(id)}
              size="large"
            >
              <span className="text-balance break-keep font-medium text-lg">{title[language]}</span>
              <span className="text-ink-soft text-sm">{about[language]}</span>
            </ChoiceCard>
          ))}
        </div>
      </fieldset>
      {provider && (
        <>
          <section className="flex flex-col items-start gap-3">
            <h2 className="text-xl">{t('welcome.getKey')}</h2>
            <p className="max-w-prose text-ink-soft">{provider.steps[language]}</p>
            <a href={provider.key_page} target="_blank" rel="noreferrer" className={buttonClasses()}>
              {t('configurations.console')}
              <ExternalLink aria-hidden className="size-4" />
            </a>
          </section>
          <KeyForm key={provider.id} provider={provider.id} name={provider.title[language]} />
        </>
      )}
      <p className="text-center font-display text-ink-faint">{t('welcome.promise')}</p>
    </div>
  )
}

function KeyForm({ provider, name }: { provider: string; name: string }) {
  const t = useText()
  const navigate = useNavigate()
  const save = useSaveConfiguration()
  const [key, setKey] = useState('')
  const [isMissing, setMissing] = useState(false)
  const trimmed = key.trim()

  const test = useMutation({ mutationFn: () => api.configurations.test({ provider, api_key: trimmed }) })
  const failed = test.data && !test.data.ok ? test.data : undefined

  async function store(words: 'welcome.saved' | 'welcome.savedUntested') {
    await save.mutateAsync({ provider, name, api_key: trimmed, is_active: true })
    toast(t(words), { look: 'good' })
    await navigate({ to: '/' })
  }

  async function submit(event: FormEvent) {
    event.preventDefault()
    setMissing(trimmed === '')
    if (trimmed === '' || test.isPending || save.isPending) return
    // What went wrong is shown by the states of the two.
    try {
      if ((await test.mutateAsync()).ok) await store('welcome.saved')
    } catch {
      return
    }
  }

  const trouble = test.error ?? save.error
  return (
    <form onSubmit={event => void submit(event)} className="flex flex-col gap-4">
      <h2 className="text-xl">{t('welcome.paste')}</h2>
      <TextField
        label={t('configurations.key')}
        hint={t('welcome.keyHint')}
        error={isMissing && trimmed === '' ? t('welcome.keyMissing') : undefined}
        type="password"
        autoComplete="off"
        spellCheck={false}
        value={key}
        onChange={event => {
          setKey(event.target.value)
          test.reset()
          save.reset()
        }}
      />
      {(failed ?? trouble) && (
        <Notice
          look="bad"
          icon={<CircleAlert aria-hidden />}
          action={
            failed && failed.code !== 'provider_key_rejected' ? (
              <Button size="small" onClick={() => void store('welcome.savedUntested').catch(() => undefined)}>
                {t('configurations.saveAnyway')}
              </Button>
            ) : undefined
          }
        >
          {failed ? (findText('welcome', `test_${failed.code}`) ?? failed.detail) : explain(trouble)}
        </Notice>
      )}
      <Button
        type="submit"
        look="primary"
        size="large"
        className="self-start"
        isBusy={test.isPending || save.isPending}
        disabled={test.isPending || save.isPending}
      >
        {test.isPending ? t('configurations.testing') : t('configurations.testAndSave')}
      </Button>
    </form>
  )
}
