/** What stands in the place of something that the server has not told yet, or could not. */
import type { UseQueryResult } from '@tanstack/react-query'
import { CircleAlert, WifiOff } from 'lucide-react'
import type { ReactNode } from 'react'
import { ApiError } from '../../client/errors.ts'
import { explain } from '../text/problems.ts'
import { useText } from '../text/text.ts'
import { Button } from './button.tsx'
import { EmptyState, Notice, Skeleton } from './states.tsx'
import { toast } from './toast.tsx'

export interface QueryProps<Data> {
  query: Pick<UseQueryResult<Data>, 'data' | 'error' | 'isPending' | 'isFetching' | 'refetch'>
  /** What could not be loaded. */
  failed: string
  /** Skeletons of what is to come, in a `Loading`. */
  loading: ReactNode
  children(data: Data): ReactNode
}

export function Query<Data>({ query, failed, loading, children }: QueryProps<Data>) {
  const { data, error, isPending, isFetching, refetch } = query
  if (data !== undefined) return children(data)
  if (isPending) return loading
  return <Failed title={failed} error={error} isBusy={isFetching} onRetry={() => void refetch()} />
}

export interface LoadingProps {
  className: string
  /** Classes of a skeleton each, of the size of what is to come; or skeletons of a more special kind as children. */
  shapes?: readonly string[]
  children?: ReactNode
}

export function Loading({ className, shapes = [], children }: LoadingProps) {
  const t = useText()
  return (
    <div role="status" aria-label={t('shell.loading')} className={className}>
      {shapes.map((shape, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they never change
        <Skeleton key={index} className={shape} />
      ))}
      {children}
    </div>
  )
}

export interface FailedProps {
  title: string
  error: unknown
  isBusy?: boolean
  onRetry(): void
  isPage?: boolean
  /** Another way on, beside the one to try again. */
  action?: ReactNode
}

export function Failed({ title, error, isBusy, onRetry, isPage, action }: FailedProps) {
  const t = useText()
  return (
    <EmptyState
      isTrouble
      isPage={isPage}
      icon={isOffline(error) ? <WifiOff aria-hidden /> : <CircleAlert aria-hidden />}
      title={title}
      action={
        <>
          <Button look="primary" isBusy={isBusy} onClick={onRetry}>
            {t('shell.retry')}
          </Button>
          {action}
        </>
      }
    >
      {explain(error)}
    </EmptyState>
  )
}

/** Shows an error as a toast, for a `catch` or `onError` without a place of its own for it. */
export function toastError(error: unknown) {
  toast(explain(error), { look: 'bad' })
}

/** Below the fields of a form, or wherever else something was asked for in vain. */
export function ErrorNotice({ error, children }: { error: unknown; children?: ReactNode }) {
  return (
    <Notice look="bad" icon={<CircleAlert aria-hidden />}>
      {children} {explain(error)}
    </Notice>
  )
}

/** Where the rest of the page is there. */
export function FailedNotice(props: { children: ReactNode; className?: string; onRetry(): void }) {
  const t = useText()
  const { onRetry, ...rest } = props
  return (
    <Notice
      look="bad"
      {...rest}
      icon={<CircleAlert aria-hidden />}
      action={
        <Button size="small" onClick={onRetry}>
          {t('shell.retry')}
        </Button>
      }
    />
  )
}

export function isOffline(error: unknown) {
  return error instanceof ApiError && error.status === 0
}
