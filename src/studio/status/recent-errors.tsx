/** The last errors of the server's log. */
import { Link } from '@tanstack/react-router'
import { CircleCheck } from 'lucide-react'
import type { RecentErrorList } from '../../api/system.ts'
import { ago } from '../text/format.ts'
import { findText, useText } from '../text/text.ts'
import { Badge, Notice, Skeleton } from '../ui/states.tsx'

type LoggedError = RecentErrorList['items'][number]

export interface RecentErrorsProps {
  /** Newest first; undefined while they are not there. */
  errors: readonly LoggedError[] | undefined
  isFailed: boolean
}

export function RecentErrors({ errors, isFailed }: RecentErrorsProps) {
  const t = useText()
  return (
    <section aria-label={t('status.errors')} className="flex flex-col gap-3">
      <div>
        <h2 className="text-lg">{t('status.errors')}</h2>
        <p className="text-ink-faint text-sm">{t('status.errorsHint')}</p>
      </div>
      {errors === undefined ? (
        isFailed ? (
          <Notice look="warning">{t('status.errorsFailed')}</Notice>
        ) : (
          <Skeleton className="h-16" />
        )
      ) : errors.length === 0 ? (
        <p className="flex items-center gap-2 rounded-card border border-line border-dashed px-4 py-3 text-ink-soft text-sm">
          <CircleCheck aria-hidden className="size-5 text-jade" />
          {t('status.noErrors')}
        </p>
      ) : (
        <ol className="flex flex-col divide-y divide-line rounded-card border border-line bg-raised">
          {together(errors).map(({ error, count }) => (
            <li key={`${error.time} ${error.message}`} className="flex flex-col gap-1 px-4 py-3">
              <p className="flex flex-wrap items-baseline gap-x-3">
                {/* The log is English; what people meet every day has words of its own. */}
                <span
                  lang={isEnd(error) ? undefined : 'en'}
                  className="min-w-0 flex-1 basis-64 break-words font-medium"
                >
                  {isEnd(error) ? t('status.notMade') : error.message}
                </span>
                {count > 1 && <Badge look="warning">{t('status.repeated', { count })}</Badge>}
                <time dateTime={error.time} className="text-ink-faint text-sm">
                  {ago(error.time)}
                </time>
              </p>
              {error.detail && (
                <p className="break-words text-ink-soft text-sm">
                  {findText('problems', error.detail) ?? <span lang="en">{error.detail}</span>}
                </p>
              )}
              {(error.generation_id ?? error.request_id) && (
                <p className="flex flex-wrap items-center gap-x-4 text-ink-faint text-xs">
                  {error.request_id && (
                    <span className="break-all">{t('status.request', { id: error.request_id })}</span>
                  )}
                  {error.generation_id && (
                    <Link
                      to="/picture/$generationId"
                      params={{ generationId: error.generation_id }}
                      className="inline-flex min-h-10 items-center text-seal-ink underline underline-offset-4"
                    >
                      {t('status.generation')}
                    </Link>
                  )}
                </p>
              )}
            </li>
          ))}
        </ol>
      )}
    </section>
  )
}

const isEnd = ({ message }: LoggedError) => message === 'generation ended'

/** What is said again and again in a row is shown once. */
function together(errors: readonly LoggedError[]) {
  const groups: { error: LoggedError; count: number }[] = []
  for (const error of errors) {
    const last = groups.at(-1)
    const isSame =
      last?.error.message === error.message &&
      last.error.detail === error.detail &&
      last.error.generation_id === error.generation_id
    if (last && isSame) last.count++
    else groups.push({ error, count: 1 })
  }
  return groups
}
