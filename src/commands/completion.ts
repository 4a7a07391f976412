/** `completion`: scripts for shells, written from the one description of all words. */
import { commandLine, refuseArguments } from './arguments.ts'
import { describeWord, type WordName, wordNames } from './words.ts'

const { positionals } = commandLine('completion')
const [shell = ''] = positionals
const writers: Record<string, () => string> = { bash, zsh, fish }
const write = Object.hasOwn(writers, shell) ? writers[shell] : undefined
if (write) console.log(write())
else refuseArguments('completion', `"${shell}" is none of bash, zsh and fish. 仅支持 bash、zsh、fish。`)

interface Entry {
  /** The words before: none, one or two. */
  words: string[]
  completions: string[]
  /** Are there words of two that begin with it? */
  isGroup?: boolean
}

/** What may follow which words. */
function entries(): Entry[] {
  const pairs = wordNames.map(name => name.split(' '))
  const groups = new Set(pairs.filter(pair => pair.length > 1).map(([group = '']) => group))
  return [
    { words: [], completions: [...new Set(wordNames.flatMap(name => [name.split(' ')[0] ?? '', ...aliasOf(name)]))] },
    ...[...groups].map(group => ({
      words: [group],
      completions: pairs.flatMap(([first, second]) => (first === group && second ? [second] : [])),
      isGroup: true,
    })),
    ...wordNames.map(name => ({ words: name.split(' '), completions: optionsOf(name) })),
  ]
}

function aliasOf(name: WordName) {
  const { alias } = describeWord(name)
  return alias ? [alias] : []
}

function optionsOf(name: WordName) {
  const { options = {} } = describeWord(name)
  return ['help', ...Object.keys(options)].map(option => `--${option}`)
}

function bash() {
  const cases = entries().map(({ words: [first = '', second = ''], completions, isGroup }) => {
    const isWhole = isGroup || first === ''
    return `    "${first} ${second}"${isWhole ? '' : '*'}) choices="${completions.join(' ')}" ;;`
  })
  return `_webimgui() {
  local current="\${COMP_WORDS[COMP_CWORD]}" first="" second="" choices="" word
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
    case "$word" in
      -*) ;;
      *) if [ -z "$first" ]; then first="$word"; elif [ -z "$second" ]; then second="$word"; fi ;;
    esac
  done
  case "$first $second" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$choices" -- "$current"))
}
complete -o default -F _webimgui webimgui`
}

function zsh() {
  return `autoload -U +X bashcompinit && bashcompinit\n${bash()}`
}

function fish() {
  const lines = entries().flatMap(entry => entry.completions.map(completion => fishLine(entry, completion)))
  return ['complete -c webimgui -e', ...lines].join('\n')
}

function fishLine({ words }: Entry, completion: string) {
  const seen = words.map(word => `__fish_seen_subcommand_from ${word}`).join('; and ')
  const condition = words.length === 0 ? '__fish_use_subcommand' : seen
  const what = completion.startsWith('--') ? `-l ${completion.slice(2)}` : `-f -a ${completion}`
  return `complete -c webimgui -n '${condition}' ${what}`
}
