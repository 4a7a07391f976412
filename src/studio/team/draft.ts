/** What stands in the form of a token. That of a new one outlives a reload of the page. */
import type { NewTokenInput } from '../../client/client.ts'
import { createKept } from '../data/store.ts'
import type { Token } from '../data/tokens.ts'
import { type CapDraft, capsToBody, findCapFaults, noCaps, toCapDraft } from '../forms/cap-draft.ts'
import { t } from '../text/text.ts'

export interface TokenDraft extends CapDraft {
  name: string
  role: 'member' | 'admin'
  /** Of the user who makes it. */
  isOwn: boolean
  /** Undefined: all. */
  models: readonly string[] | undefined
}

const newDraft: TokenDraft = { ...noCaps, name: '', role: 'member', isOwn: false, models: undefined }

export function toDraft(token: Token): TokenDraft {
  const { name, role, models } = token
  return { ...toCapDraft(token), name, role, isOwn: token.user !== null, models: models ?? undefined }
}

/** The draft of a new token, kept by the tab: another tab may be making another token. */
export const keptDraft = createKept('token', json => ({ ...newDraft, ...(json as Partial<TokenDraft> | undefined) }), {
  isOfTab: true,
})

export function findFaults(draft: TokenDraft) {
  return {
    name: draft.name.trim() === '' && t('team.nameNeeded'),
    models: draft.models?.length === 0 && t('team.modelsNeeded'),
    ...findCapFaults(draft),
  }
}

/** Turns a draft without faults into what the server takes. */
export function toBody(draft: TokenDraft): NewTokenInput {
  const { name, role, isOwn, models } = draft
  return { name: name.trim(), role, own: isOwn || undefined, ...capsToBody(draft), models: models ? [...models] : null }
}
