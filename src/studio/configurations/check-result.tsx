/** What a test of a key found: in words, what to do about it, and where. */

import { CircleAlert, CircleCheck } from 'lucide-react'
import type { ConfigurationTestResult } from '../data/configurations.ts'
import { useProvider } from '../data/providers.ts'
import { duration } from '../text/format.ts'
import { findConsole } from '../text/providers.ts'
import { useText } from '../text/text.ts'
import { ErrorNotice } from '../ui/query.tsx'
import { Detail, Notice } from '../ui/states.tsx'
import { ConsoleLink } from './console-link.tsx'

export interface CheckResultProps {
  service: string
  baseUrl: string | null
  result: ConfigurationTestResult
}

export function CheckResult({ service, baseUrl, result }: CheckResultProps) {
  const t = useText()
  const provider = useProvider(service)
  const { code, detail, latency_ms: latency } = result
  if (code === 'ok') {
    return (
      <Notice look="good" icon={<CircleCheck aria-hidden />}>
        <p role="status">
          <strong className="font-medium">{t('configurations.ok')}</strong>{' '}
          {t('configurations.latency', { time: duration(latency) })} {t('configurations.okUnproved')}
        </p>
        <Detail className="mt-1">{detail}</Detail>
      </Notice>
    )
  }
  const page = code === 'provider_unavailable' || code === 'wrong_address' ? undefined : findConsole(provider, baseUrl)
  return (
    <Notice
      look={code === 'provider_unavailable' ? 'warning' : 'bad'}
      icon={<CircleAlert aria-hidden className="self-start" />}
    >
      <p role={code === 'provider_unavailable' ? 'status' : undefined}>
        <strong className="font-medium">{t(`configurations.${code}`)}</strong> {t(`configurations.do_${code}`)}
      </p>
      <Detail className="mt-1">{detail}</Detail>
      <ConsoleLink page={page} />
    </Notice>
  )
}

/** The test itself was not answered: our own server is away, or refused the input. */
export function CheckTrouble({ error }: { error: unknown }) {
  const t = useText()
  return (
    <ErrorNotice error={error}>
      <strong className="font-medium">{t('configurations.testFailed')}</strong>
    </ErrorNotice>
  )
}
