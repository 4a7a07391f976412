/** What can be done with a generation that costs or saves money. */
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Ban, RotateCcw } from 'lucide-react'
import { useEffect, useState } from 'react'
import { ApiError } from '../../../client/errors.ts'
import { press, useIsWaiting, Withdrawn, withdraw } from '../../actions/press.ts'
import { api } from '../../data/client.ts'
import { type Generation, putAnswer } from '../../data/generations.ts'
import { moneyRange } from '../../text/format.ts'
import { useText } from '../../text/text.ts'
import { Button } from '../../ui/button.tsx'
import { toastError } from '../../ui/query.tsx'
import { toast } from '../../ui/toast.tsx'

/** Says before the press what it would save; where that is nothing, there is nothing to press. */
export function Cancel({ generation }: { generation: Generation }) {
  const t = useText()
  const client = useQueryClient()
  const { id, cancel_saves: saves, cancel_requested: isAsked, waiting_code: waiting } = generation
  const cancel = useMutation({
    mutationFn: () => api.history.cancel(id),
    onSuccess: next => putAnswer(client, next),
    onError: toastError,
  })
  // What waits for something that may never come can be given up, though it is paid.
  if (saves === 'nothing' && !isAsked && waiting === null) {
    return <p className="text-ink-faint text-sm">{t('live.cannotCancel')}</p>
  }
  return (
    <Button
      look="quiet"
      size="small"
      icon={<Ban aria-hidden className="size-4" />}
      isBusy={cancel.isPending}
      disabled={isAsked || cancel.isPending}
      onClick={() => cancel.mutate()}
    >
      {t(isAsked ? 'live.cancelling' : saves === 'nothing' ? 'live.giveUp' : `live.cancel_${saves ?? 'perhaps'}`)}
    </Button>
  )
}

/** Costs, so it says how much before it is pressed; away where the server cannot do it. */
export function Retry({ generation }: { generation: Generation }) {
  const t = useText()
  const client = useQueryClient()
  const missing = generation.failures.length
  const only = generation.images.length > 0 ? 'missing' : 'all'
  const isWorth = missing > 0 || generation.status === 'failed' || generation.status === 'cancelled'
  const path = api.history.retryPath(generation.id)
  const isWaiting = useIsWaiting(path)
  const [isDone, setDone] = useState(false)
  const estimate = useQuery({
    queryKey: ['retry', generation.id, only],
    queryFn: () => api.history.estimateRetry(generation.id, only),
    enabled: isWorth,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  })
  const retry = useMutation({
    mutationFn: () => press(path, { only }),
    onSuccess: next => {
      putAnswer(client, next)
      setDone(true)
      toast(t('live.retried'))
    },
    onError: error => {
      if (!(error instanceof Withdrawn)) toastError(error)
    },
  })
  useEffect(() => {
    // Somebody may want it again later; then it is an order of its own.
    if (!isDone) return undefined
    const timer = setTimeout(() => setDone(false), 3000)
    return () => clearTimeout(timer)
  }, [isDone])
  if (!isWorth || estimate.isPending) return null
  if (estimate.error instanceof ApiError && [404, 405, 409].includes(estimate.error.status)) return null
  const cost = estimate.data?.cost
  const count = estimate.data?.images ?? missing
  const price = cost ? t('live.price', { cost: moneyRange(cost) }) : ''
  if (isWaiting) {
    return (
      <Button size="small" isBusy onClick={() => withdraw(path)}>
        {t('live.retryWaits')}
      </Button>
    )
  }
  return (
    <Button
      size="small"
      icon={<RotateCcw aria-hidden className="size-4" />}
      isBusy={retry.isPending}
      disabled={retry.isPending || isDone}
      onClick={() => retry.mutate()}
    >
      {t(only === 'missing' ? 'live.makeMissing' : 'live.makeAgain', { count, price })}
    </Button>
  )
}
