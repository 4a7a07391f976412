/** The settings of the login: what belongs together, and one sentence for everything that does not. */
import { expect, test } from 'vitest'
import { loadSettings, SettingsError } from '../../src/settings.ts'

const right = {
  ...{ PUBLIC_URL: 'https://images.example.org/app', OIDC_ISSUER: 'https://login.example.org/realms/team/' },
  ...{ OIDC_CLIENT_ID: 'webimgui', OIDC_USER_VALUES: '*' },
}

function faultsOf(change: Record<string, string | undefined>) {
  try {
    loadSettings({ ...right, ...change })
  } catch (error) {
    if (error instanceof SettingsError) return { en: error.faults, zh: error.zh }
    throw error
  }
  return { en: [], zh: '' }
}

test('values as people write them', () => {
  const { oidc, disableLocalLogin } = loadSettings({
    ...right,
    OIDC_ISSUER: 'https://login.example.org/realms/team/.well-known/openid-configuration',
    OIDC_CLIENT_SECRET: ' secret with spaces ',
    OIDC_SCOPES: 'openid, profile groups openid',
    OIDC_ROLE_CLAIM: 'realm_access.roles',
    OIDC_ADMIN_VALUES: 'Image Admins， 管理员',
    OIDC_USER_VALUES: 'design,,marketing',
    OIDC_USER_CAP: '50',
    DISABLE_LOCAL_LOGIN: 'Yes',
  })

  expect(oidc).toEqual({
    issuer: 'https://login.example.org/realms/team',
    ...{ clientId: 'webimgui', clientSecret: 'secret with spaces', clientAuth: undefined },
    scopes: ['openid', 'profile', 'groups'],
    ...{
      roleClaim: 'realm_access.roles',
      adminValues: ['Image Admins', '管理员'],
      userValues: ['design', 'marketing'],
    },
    ...{ nameClaim: undefined, name: 'login.example.org', sessionHours: 24 },
    startingCaps: { monthlyCap: { amount: 50, currency: 'CNY' }, monthlyImages: null },
  })
  expect(disableLocalLogin).toBe(true)
})

test.each<[Record<string, string | undefined>, RegExp]>([
  [{ OIDC_ISSUER: undefined, OIDC_USER_VALUES: undefined }, /^OIDC_CLIENT_ID is of use only with OIDC_ISSUER/],
  [
    { OIDC_ISSUER: undefined, OIDC_CLIENT_ID: undefined, OIDC_USER_VALUES: undefined, DISABLE_LOCAL_LOGIN: 'true' },
    /^DISABLE_LOCAL_LOGIN is of use only/,
  ],
  [{ OIDC_CLIENT_ID: undefined }, /^OIDC_CLIENT_ID is missing/],
  [{ OIDC_USER_VALUES: undefined }, /both empty, so nobody could log in/],
  [{ OIDC_ADMIN_VALUES: 'masters' }, /^OIDC_ROLE_CLAIM is missing/],
  [{ OIDC_ADMIN_VALUES: '*', OIDC_ROLE_CLAIM: 'groups' }, /^OIDC_ADMIN_VALUES cannot be "\*"/],
  [{ HOST: '0.0.0.0', PUBLIC_URL: undefined }, /^OIDC_ISSUER needs PUBLIC_URL/],
  [{ OIDC_ISSUER: 'http://login.example.org' }, /^OIDC_ISSUER must begin with https/],
  [{ OIDC_ISSUER: 'login.example.org' }, /^OIDC_ISSUER must be the address of the issuer/],
  [{ OIDC_ISSUER: 'https://login.example.org/?realm=x' }, /^OIDC_ISSUER must be the address/],
  [{ OIDC_ISSUER: 'https://user:password@login.example.org' }, /^OIDC_ISSUER must be the address/],
  [{ OIDC_SCOPES: 'profile email' }, /^OIDC_SCOPES must list scopes with openid/],
  [{ OIDC_CLIENT_AUTH: 'jwt' }, /^OIDC_CLIENT_AUTH must be basic or post/],
  [{ OIDC_SESSION_HOURS: '0' }, /^OIDC_SESSION_HOURS must be a whole number from 1 to 720/],
  [{ OIDC_USER_CAP: 'much' }, /^OIDC_USER_CAP must be an amount/],
  [{ DISABLE_LOCAL_LOGIN: 'maybe' }, /^DISABLE_LOCAL_LOGIN must be true or false/],
])('%j stops the start with one sentence', (change, sentence) => {
  const { en, zh } = faultsOf(change)

  expect(en).toEqual([expect.stringMatching(sentence)])
  expect(zh).toMatch(/[\u4e00-\u9fff]{4}/)
})

test.each([
  { OIDC_ISSUER: 'http://localhost:8080/realms/team' },
  { OIDC_ISSUER: 'http://keycloak:8080', ALLOWED_HOSTS: 'keycloak:8080' },
  { HOST: '127.0.0.1', PUBLIC_URL: undefined },
  { DISABLE_LOCAL_LOGIN: 'false', OIDC_ISSUER: undefined, OIDC_CLIENT_ID: undefined, OIDC_USER_VALUES: undefined },
])('%j can be used', change => {
  expect(faultsOf(change).en).toEqual([])
})
