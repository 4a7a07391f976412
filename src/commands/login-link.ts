/** For whoever has the machine of the server, and cannot log in. */
import { commandLine } from './arguments.ts'
import { attempt } from './explain.ts'

commandLine('login-link')

// Loaded lazily, so that `--help` and mistakes are answered at once.
const { loadSettings, readEnvironment } = await import('../settings.ts')
const { readAccessToken, serverAddress } = await import('../server/access/access-token.ts')
const { makeLoginLink } = await import('../server/access/sessions.ts')

await attempt(async () => {
  const settings = loadSettings(readEnvironment())
  const address = serverAddress(settings, settings.port)
  const needsLogin = readAccessToken(settings) !== undefined
  console.log(needsLogin ? `${address}/login?once=${makeLoginLink(settings)}` : `${address}/`)
})
