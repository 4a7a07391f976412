/** What the claims of an issuer say of a person: the name, and whether the person may come in. */
import type { OidcSettings } from '../operator/oidc-settings.ts'
import type { Role } from '../storage/records.ts'

export type Claims = Readonly<Record<string, unknown>>

/** Null: nothing lets the person in. */
export function readRole(claims: Claims, { roleClaim, adminValues, userValues }: RoleRules): Role | null {
  const values = roleClaim === undefined ? [] : readValues(claims, roleClaim)
  if (adminValues.some(value => values.includes(value))) return 'admin'
  const isAnybody = userValues.includes('*')
  return isAnybody || userValues.some(value => values.includes(value)) ? 'member' : null
}

type RoleRules = Pick<OidcSettings, 'roleClaim' | 'adminValues' | 'userValues'>

export function readName(claims: Claims, nameClaim: string | undefined): string {
  const names = [nameClaim, 'name', 'preferred_username', 'nickname', 'email', 'sub']
  const texts = names.flatMap(name => (name === undefined ? [] : readValues(claims, name)))
  const found = texts.map(cleanName).find(text => text !== '')
  return found ?? 'unknown'
}

export function readEmail(claims: Claims): string | null {
  const { email } = claims
  return typeof email === 'string' && email.length <= 320 ? cleanName(email) || null : null
}

export function hasClaim(claims: Claims, name: string): boolean {
  return find(claims, name) !== undefined
}

/**
 * The texts of a claim: one, a list of them, or a list of objects with a `name`, as Casdoor has its roles. An address of e-mail counts
 * only where the issuer has verified it: people can often type any address into their profile.
 */
function readValues(claims: Claims, name: string): string[] {
  if (name === 'email' && claims.email_verified !== true && claims.email_verified !== 'true') return []
  const found = find(claims, name)
  return [found].flat().flatMap(value => {
    if (typeof value === 'string') return [value]
    const inner = typeof value === 'object' && value !== null && 'name' in value ? value.name : undefined
    return typeof inner === 'string' ? [inner] : []
  })
}

/** By its whole name first: the name of a claim may be an address with dots. Otherwise dots lead inside, as in `realm_access.roles`. */
function find(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  return name
    .split('.')
    .reduce<unknown>(
      (value, part) =>
        typeof value === 'object' && value !== null && Object.hasOwn(value, part)
          ? (value as Record<string, unknown>)[part]
          : undefined,
      claims,
    )
}

/** Names come from strangers: without control characters and marks that turn the text around, and no longer than a line. */
function cleanName(text: string) {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .slice(0, 200)
}
