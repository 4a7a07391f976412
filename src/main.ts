/** One program with words, each in its own file; `commands/words.ts` describes them. */
import { findWord, type WordName, wordsOfGroup } from './commands/words.ts'

const load: Record<WordName, () => Promise<unknown>> = {
  start: () => import('./commands/start.ts'),
  demo: () => import('./commands/demo.ts'),
  doctor: () => import('./commands/doctor.ts'),
  backup: () => import('./commands/backup.ts'),
  restore: () => import('./commands/restore.ts'),
  import: () => import('./commands/import.ts'),
  export: () => import('./commands/export.ts'),
  'login-link': () => import('./commands/login-link.ts'),
  'rotate-secret': () => import('./commands/rotate-secret.ts'),
  login: async () => (await import('./commands/remote/login.ts')).login(),
  logout: async () => (await import('./commands/remote/login.ts')).logout(),
  generate: async () => (await import('./commands/remote/generate.ts')).generate(),
  edit: async () => (await import('./commands/remote/generate.ts')).edit(),
  retry: async () => (await import('./commands/remote/resume.ts')).retry(),
  resume: async () => (await import('./commands/remote/resume.ts')).resume(),
  cancel: async () => (await import('./commands/remote/resume.ts')).cancel(),
  history: async () => (await import('./commands/remote/history.ts')).history(),
  get: async () => (await import('./commands/remote/history.ts')).get(),
  models: async () => (await import('./commands/remote/models.ts')).models(),
  'config list': async () => (await import('./commands/remote/config.ts')).listConfigurations(),
  'config add': async () => (await import('./commands/remote/config.ts')).addConfiguration(),
  'config test': async () => (await import('./commands/remote/config.ts')).testConfiguration(),
  'config remove': async () => (await import('./commands/remote/config.ts')).removeConfiguration(),
  'token list': async () => (await import('./commands/remote/token.ts')).listTokens(),
  'token create': async () => (await import('./commands/remote/token.ts')).createToken(),
  'token revoke': async () => (await import('./commands/remote/token.ts')).revokeToken(),
  usage: async () => (await import('./commands/remote/usage.ts')).usage(),
  mcp: () => import('./commands/mcp.ts'),
  completion: () => import('./commands/completion.ts'),
}

const [first = 'start', second = ''] = process.argv.slice(2)
const pair = findWord(`${first} ${second}`)
// A group without a word of its own lists what there is.
const usual = wordsOfGroup(first)[0]
const name = pair ?? findWord(first) ?? (second === '' || second.startsWith('-') ? usual : undefined)
const isAskedFor = (text: string) => ['--help', '-h', 'help'].includes(text)

if (name === undefined || (usual !== undefined && isAskedFor(second))) await tell()
else {
  // A word reads the arguments after its name.
  process.argv.splice(2, pair === undefined ? 1 : 2)
  await load[name]()
}

/** What the program can do, or that it cannot do this. */
async function tell() {
  const { describeGroup, describeProgram, suggestWord } = await import('./commands/help.ts')
  const told = usual === undefined ? describeProgram() : describeGroup(first)
  if (['--version', '-v'].includes(first))
    console.log((await import('../package.json', { with: { type: 'json' } })).default.version)
  else if (isAskedFor(first) || isAskedFor(second)) console.log(told)
  else {
    const given = usual === undefined ? first : `${first} ${second}`
    console.error(`${suggestWord(given)}\nNothing was done. 未执行任何操作。\n\n${told}`)
    process.exitCode = 1
  }
}
