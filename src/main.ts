/** One program with words, each in its own file; `commands/words.ts` describes them. */
import { describeGroup, describeProgram, suggestWord } from './commands/help.ts'
import { findWord, type WordName, wordsOfGroup } from './commands/words.ts'

const load: Record<WordName, () => Promise<unknown>> = {
  start: () => import('./commands/start.ts'),
  demo: () => import('./commands/demo.ts'),
  doctor: () => import('./commands/doctor.ts'),
  backup: () => import('./commands/backup.ts'),
  restore: () => import('./commands/restore.ts'),
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
const isAsking = ['--help', '-h', 'help'].includes(second)
// A group without a word of its own lists what there is.
const usual = wordsOfGroup(first)[0]
const name = pair ?? findWord(first) ?? (second === '' || second.startsWith('-') ? usual : undefined)

if (['--help', '-h', 'help'].includes(first)) console.log(describeProgram())
else if (usual !== undefined && pair === undefined && isAsking) console.log(describeGroup(first))
else if (name !== undefined) {
  // A word reads the arguments after its name.
  process.argv.splice(2, pair === undefined ? 1 : 2)
  await load[name]()
} else {
  const isGroup = usual !== undefined
  const told = isGroup ? describeGroup(first) : describeProgram()
  console.error(`${suggestWord(isGroup ? `${first} ${second}` : first)}\nNothing was done. 未执行任何操作。\n\n${told}`)
  process.exitCode = 1
}
