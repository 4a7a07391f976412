/**
 * Every word of the program, with what may stand behind it: the one source of `--help`, of what is refused, and of what a shell
 * completes. Plain data, because the start of a server reads it too.
 */
import type { Words } from '../operator/environment-file.ts'

export interface Option {
  type: 'string' | 'boolean'
  short?: string
  /** May be given several times. */
  multiple?: boolean
  /** What stands for its value in the help: `FILE`. */
  value?: string
  /** The only values that there are. */
  choices?: readonly string[]
  about: Words
}

export interface Word {
  /** Another name of it. */
  alias?: string
  /** Speaks to a server by its address, instead of working on the data of one. */
  isRemote?: boolean
  /** What must or may stand behind it: `FILE`, `[FILE]`, `ID…` (one or more), `[WORD…]`. */
  operands?: readonly string[]
  /** In the list of all words. */
  about: Words
  /** Paragraphs of its own help. */
  more?: readonly Words[]
  options?: Readonly<Record<string, Option>>
}

export const words = {
  start: {
    alias: 'serve',
    about: { en: 'the server', zh: '启动服务' },
    more: [
      {
        en: 'Everything is set by environment variables or .env, such as PORT=8080; .env.example lists them all.',
        zh: '所有设置都来自环境变量或 .env，例如 PORT=8080；完整列表见 .env.example。',
      },
    ],
  },
  demo: {
    about: { en: 'the server with simulators in place of the services', zh: '用模拟器演示，不联网、不收费' },
    more: [
      {
        en: 'The server with simulators in place of the services: no key, no cost, no network. PORT and DATA_DIR (./demo-data) can be set.',
        zh: '用模拟器代替真实服务：无需密钥，不收费，不联网。可设置 PORT 和 DATA_DIR（./demo-data）。',
      },
    ],
  },
  doctor: {
    about: { en: 'compares pictures and database, and mends what can be mended', zh: '检查并修复数据' },
    more: [
      {
        en: 'Compares the pictures with the database of DATA_DIR, and mends what can be mended. While the server runs it only looks.\nFor the demo: DATA_DIR=demo-data',
        zh: '对照数据库检查图片文件，并修复能修复的；服务器运行时只检查、不修改。\n检查演示数据: DATA_DIR=demo-data',
      },
    ],
  },
  backup: {
    operands: ['FILE'],
    about: { en: 'everything into one archive, also while the server runs', zh: '备份，可在服务运行时执行' },
    more: [
      {
        en: 'Writes database, pictures and kept answers of DATA_DIR into one archive, also while the server runs.',
        zh: '把 DATA_DIR 中的数据库、图片和原始应答写入一个归档，可在服务器运行时执行。',
      },
    ],
  },
  restore: {
    operands: ['FILE'],
    about: { en: 'out of an archive, into an empty data folder', zh: '恢复到空的数据目录' },
    more: [
      {
        en: 'Puts a backup into an empty DATA_DIR and checks every hash; the server must be stopped.',
        zh: '把备份恢复到空的 DATA_DIR 并逐一校验，须先停止服务器。',
      },
    ],
  },
  'rotate-secret': {
    about: { en: 'seals the stored keys with a new secret', zh: '更换加密密钥' },
    more: [
      {
        en: 'Seals all stored keys with another SECRET_KEY: a new one that is kept in DATA_DIR, or the one in NEW_SECRET_KEY. Stop the server first.',
        zh: '用新的 SECRET_KEY 重新加密所有密钥：自动生成并保存在 DATA_DIR，或使用 NEW_SECRET_KEY。请先停止服务器。',
      },
    ],
    options: {
      lost: {
        type: 'boolean',
        about: { en: 'gives up the keys that the present secret does not open', zh: '放弃现有密钥无法解开的部分' },
      },
    },
  },
  mcp: {
    isRemote: true,
    about: { en: 'tools for agents, over standard input and output', zh: '面向智能体的 MCP 工具（标准输入输出）' },
    more: [
      {
        en: 'Tools for agents (MCP) over standard input and output; a client such as Claude Desktop starts it. The server has to run already.',
        zh: '面向智能体的 MCP 工具（标准输入输出），由 Claude Desktop 等客户端启动；服务需已在运行。',
      },
    ],
    options: {
      url: {
        type: 'string',
        value: 'ADDRESS',
        about: {
          en: 'where the server is, instead of WEBIMGUI_URL or http://127.0.0.1:8000; WEBIMGUI_TOKEN is its token, where it needs one',
          zh: '服务地址，优先于 WEBIMGUI_URL，默认 http://127.0.0.1:8000；需要令牌时用 WEBIMGUI_TOKEN',
        },
      },
      cap: {
        type: 'string',
        value: '"5 CNY"',
        about: { en: 'the most that this session may spend', zh: '本次会话的费用上限' },
      },
      out: {
        type: 'string',
        value: 'FOLDER',
        about: { en: 'a folder that the originals are saved to as well', zh: '把原图另存到此文件夹' },
      },
    },
  },
} as const satisfies Record<string, Word>

export type WordName = keyof typeof words

export const wordNames = Object.keys(words) as WordName[]

/** By the name or the alias of a word; words of two, such as `token list`, have a space. */
export function findWord(name: string): WordName | undefined {
  return wordNames.find(candidate => candidate === name || describeWord(candidate).alias === name)
}

export function describeWord(name: WordName): Word {
  return words[name]
}

/** The words that begin with `group` and a space. */
export function wordsOfGroup(group: string): WordName[] {
  return wordNames.filter(name => name.startsWith(`${group} `))
}
