import { Link } from '@tanstack/react-router'
import { CircleAlert } from 'lucide-react'
import type { Generation } from '../../data/generations.ts'
import { nameOfModel, useModels } from '../../data/models.ts'
import { useMe } from '../../data/tokens.ts'
import { explainError, findSuccessor } from '../../text/life.ts'
import { currentWarnings, explainWarning } from '../../text/messages.ts'
import { useText } from '../../text/text.ts'
import { Button } from '../../ui/button.tsx'

/** What an administrator settles on the page of the keys. */
const keyTroubles = new Set(['configuration_missing', 'provider_key_rejected', 'provider_quota_exhausted'])

/** What went wrong and what was done otherwise, in words that say what to do. */
export function Trouble({ generation, onSuccessor }: { generation: Generation; onSuccessor(id: string): void }) {
  const t = useText()
  const models = useModels()
  const { error, status } = generation
  const isAdmin = useMe()?.role === 'admin'
  const successor = findSuccessor(error)
  return (
    <div className="flex flex-col gap-2 px-(--inset) pt-3 empty:hidden">
      {error && status === 'cancelled' && <p className="text-ink-soft text-sm">{t('live.cancelled')}</p>}
      {error && status !== 'cancelled' && (
        <div className="flex items-start gap-2.5 rounded-2xl bg-seal-wash px-4 py-3 text-seal-ink text-sm">
          <CircleAlert aria-hidden className="mt-0.5 size-4.5 shrink-0" />
          <div className="min-w-0">
            <p>{explainError(error, models)}</p>
            {successor !== undefined && (
              <Button size="small" className="my-1.5" onClick={() => onSuccessor(successor)}>
                {t('life.use', { successor: nameOfModel(models, successor) })}
              </Button>
            )}
            {isAdmin && keyTroubles.has(error.code) && (
              <Link
                to="/configurations"
                className="inline-flex min-h-10 items-center font-medium underline underline-offset-4"
              >
                {t('live.toKeys')}
              </Link>
            )}
            {(error.provider_message ?? error.provider_code) && (
              <details className="mt-1">
                <summary className="min-h-6">{t('live.serviceSaid')}</summary>
                <p className="break-words">{error.provider_message}</p>
                <p className="break-all text-xs">
                  {[
                    error.provider_code,
                    error.provider_request_id && `${t('live.requestId')} ${error.provider_request_id}`,
                  ]
                    .filter(Boolean)
                    .join(' · ')}
                </p>
              </details>
            )}
          </div>
        </div>
      )}
      {currentWarnings(generation).map(warning => (
        <p key={`${warning.parameter} ${warning.message}`} className="text-amber text-sm">
          {explainWarning(generation, warning, models)}
        </p>
      ))}
    </div>
  )
}
