/** What the address or another screen hands over to the form. */
import { useQueryClient } from '@tanstack/react-query'
import { getRouteApi, useLocation, useNavigate } from '@tanstack/react-router'
import { useEffect, useEffectEvent } from 'react'
import { generationQuery, type TakenRecipe, toRecipe } from '../data/generations.ts'
import { explain } from '../text/problems.ts'
import { useText } from '../text/text.ts'
import { toast } from '../ui/toast.tsx'
import { rolled } from './settings.tsx'

const route = getRouteApi('/')

/** Takes it once, and cleans the address. */
export function useHandedOver(onRecipe: (recipe: TakenRecipe) => void, onReference: (image: string) => void) {
  const t = useText()
  const client = useQueryClient()
  const navigate = useNavigate()
  const { from, reference, seed } = route.useSearch()
  const recipe = useLocation({ select: location => location.state.recipe })

  const take = useEffectEvent(async () => {
    try {
      const taken =
        recipe ?? (from === undefined ? undefined : toRecipe(await client.fetchQuery(generationQuery(from))))
      if (taken) {
        const parameters = seed === 'new' ? { ...taken.parameters, seed: rolled() } : taken.parameters
        onRecipe({ ...taken, parameters })
      }
    } catch (error) {
      toast(t('generate.takeFailed', { reason: explain(error) }), { look: 'bad' })
    }
    if (reference !== undefined) onReference(reference)
    await navigate({ to: '/', replace: true, search: {}, state: {} })
  })

  const hasSomething = recipe !== undefined || from !== undefined || reference !== undefined
  useEffect(() => {
    if (hasSomething) void take()
  }, [hasSomething])
}
