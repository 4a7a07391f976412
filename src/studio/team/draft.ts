/** What stands in the form of a token. That of a new one outlives a reload of the page. */
import type { NewTokenInput, Token } from '../data/api.ts'
import { keep, readKept } from '../data/store.ts'
import { type CapDraft, type CapFault, capDraftOf, capFaultsOf, capsBodyOf, noCaps } from '../forms/cap-draft.ts'

export interface TokenDraft extends CapDraft {
  name: string
  role: 'member' | 'admin'
  /** Undefined: all. */
  models: readonly string[] | undefined
}

const newDraft: TokenDraft = { ...noCaps, name: '', role: 'member', models: undefined }

export function draftOf(token: Token): TokenDraft {
  const { name, role, models } = token
  return { ...capDraftOf(token), name, role, models: models ?? undefined }
}

/** Of this tab alone: another may be making another token. */
const keptName = 'token'

export function readDraft(): TokenDraft {
  const kept = readKept(keptName, sessionStorage)
  return kept === null ? newDraft : { ...newDraft, ...(JSON.parse(kept) as Partial<TokenDraft>) }
}

export function keepDraft(draft: TokenDraft | undefined) {
  keep(keptName, draft ? JSON.stringify(draft) : null, sessionStorage)
}

export type DraftFault = 'name' | 'models' | CapFault

export function faultsOf(draft: TokenDraft): DraftFault[] {
  const faults: (DraftFault | false)[] = [
    draft.name.trim() === '' && 'name',
    ...capFaultsOf(draft),
    draft.models?.length === 0 && 'models',
  ]
  return faults.filter(fault => fault !== false)
}

/** As the server takes it, of a draft without faults. */
export function bodyOf(draft: TokenDraft): NewTokenInput {
  const { name, role, models } = draft
  return { name: name.trim(), role, ...capsBodyOf(draft), models: models ? [...models] : null }
}
