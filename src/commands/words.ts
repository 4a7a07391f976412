/**
 * Every word of the program, with what may stand behind it: the one source of `--help`, of what is refused, and of what a shell
 * completes. Plain data, because the start of a server reads it too.
 */
import { remoteWords } from './remote/words.ts'
import type { Word } from './word.ts'

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
  import: {
    operands: ['PATH…'],
    about: { en: 'pictures of other programs, with their recipes', zh: '导入其他程序的图片及其生成参数' },
    more: [
      {
        en: 'Takes over folders, ZIPs and single pictures into DATA_DIR, byte for byte: exports of webimgui and gpt_image_playground, the folder of\nInvokeAI, pictures of AUTOMATIC1111, ComfyUI, SwarmUI and NovelAI. Twice the same adds nothing; one that broke off goes on. The server must\nbe stopped, or be named with --url; docs/moving.md has each program.',
        zh: '把文件夹、ZIP 或单张图片原样导入 DATA_DIR：webimgui 与 gpt_image_playground 的导出、InvokeAI 的文件夹、AUTOMATIC1111、ComfyUI、\nSwarmUI、NovelAI 的图片。重复导入不会增加内容，中断后可继续。须先停止服务器，或用 --url 指定；各程序的做法见 docs/moving.zh-CN.md。',
      },
    ],
    options: {
      url: {
        type: 'string',
        value: 'ADDRESS',
        about: {
          en: 'into this running server instead, with the token of WEBIMGUI_TOKEN or `login`; a folder is packed and uploaded',
          zh: '改为导入到这台运行中的服务器，令牌取自 WEBIMGUI_TOKEN 或 login；文件夹会打包上传',
        },
      },
      tag: {
        type: 'string',
        multiple: true,
        value: 'WORD',
        about: { en: 'adds this tag to all of them', zh: '为全部导入的图片添加标签' },
      },
      report: {
        type: 'string',
        value: 'FILE',
        about: {
          en: 'writes what became of each picture: JSON where the name ends in .json, otherwise text',
          zh: '保存逐条明细：文件名以 .json 结尾时为 JSON，否则为文本',
        },
      },
    },
  },
  export: {
    about: { en: 'pictures with their recipes into a folder or ZIP', zh: '导出图片及其生成参数' },
    more: [
      {
        en: 'Writes the pictures of DATA_DIR as they are, each with a JSON file beside it that says how it was made; also while the server runs.\nWhat is there already is not written again. webimgui imports it again, and no program is needed to read it.',
        zh: '把 DATA_DIR 中的图片原样导出，每张图片旁有一个说明生成参数的 JSON 文件；可在服务器运行时执行。\n已导出的文件不会重复写入。可由 webimgui 再次导入，也无需任何程序即可查看。',
      },
    ],
    options: {
      out: {
        type: 'string',
        short: 'o',
        value: 'FOLDER|FILE.zip',
        about: { en: 'where they are written to', zh: '导出位置' },
      },
      q: { type: 'string', value: 'WORDS', about: { en: 'only with these words', zh: '只导出含这些词的' } },
      provider: { type: 'string', value: 'ID', about: { en: 'only of this service', zh: '只导出此服务商的' } },
      model: { type: 'string', value: 'ID', about: { en: 'only of this model', zh: '只导出此模型的' } },
      tag: { type: 'string', value: 'WORD', about: { en: 'only with this tag', zh: '只导出带此标签的' } },
      favorite: { type: 'boolean', about: { en: 'only favourites', zh: '只导出收藏' } },
      from: { type: 'string', value: 'DATE', about: { en: 'only from this day on', zh: '起始日期' } },
      to: { type: 'string', value: 'DATE', about: { en: 'only up to this day', zh: '截止日期' } },
    },
  },
  'login-link': {
    about: { en: 'logs a browser in once, for emergencies', zh: '生成一次性登录链接，应急使用' },
    more: [
      {
        en: 'Prints a link that logs a browser in as the administrator: once, and within five minutes. It needs the settings and the data folder of\nthe server, which may run meanwhile. With Docker: docker exec CONTAINER webimgui login-link',
        zh: '输出一个以管理员身份登录浏览器的链接，五分钟内有效，只能使用一次。需要与服务器相同的设置和数据目录，服务器可以正在运行。\n使用 Docker 时: docker exec 容器名 webimgui login-link',
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
  completion: {
    operands: ['SHELL'],
    about: { en: 'completes words and options in bash, zsh or fish', zh: 'bash、zsh、fish 命令补全' },
    more: [
      {
        en: 'bash: eval "$(webimgui completion bash)" in ~/.bashrc\nzsh: eval "$(webimgui completion zsh)" in ~/.zshrc, after compinit\nfish: webimgui completion fish > ~/.config/fish/completions/webimgui.fish',
        zh: '将上述命令加入对应 shell 的启动文件。',
      },
    ],
  },
  ...remoteWords,
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
