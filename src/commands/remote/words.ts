/** The words that speak to a server by its address and token. */
import type { Option, Word } from '../word.ts'

const url = {
  type: 'string',
  value: 'ADDRESS',
  about: {
    en: 'the server; otherwise WEBIMGUI_URL, that of `login`, or http://127.0.0.1:8000',
    zh: '服务地址；默认依次取 WEBIMGUI_URL、login 保存的地址、http://127.0.0.1:8000',
  },
} as const satisfies Option

const json = {
  type: 'boolean',
  about: { en: 'JSON for programs, one value a line', zh: '输出 JSON，每行一个，供程序使用' },
} as const satisfies Option

const out = {
  type: 'string',
  short: 'o',
  value: 'PATH',
  about: {
    en: 'the folder for the pictures (here when left out), or the name of a single one',
    zh: '保存图片的文件夹（默认当前目录），或单张图片的文件名',
  },
} as const satisfies Option

const overwrite = {
  type: 'boolean',
  about: { en: 'may replace files of the same name', zh: '允许覆盖同名文件' },
} as const satisfies Option

const dryRun = {
  type: 'boolean',
  about: { en: 'tells the price and makes nothing', zh: '只显示价格，不生成' },
} as const satisfies Option

const maxCost = {
  type: 'string',
  value: '"2 CNY"',
  about: { en: 'refuses what may cost more than that', zh: '可能超出此金额时拒绝执行' },
} as const satisfies Option

const again = {
  type: 'boolean',
  about: {
    en: 'orders anew what was asked for before, which costs again',
    zh: '重新下单，即使之前提交过相同的请求（再次收费）',
  },
} as const satisfies Option

const making = {
  model: {
    type: 'string',
    short: 'm',
    value: 'MODEL',
    about: { en: 'see `webimgui models`', zh: '模型，见 webimgui models' },
  },
  image: {
    type: 'string',
    short: 'i',
    multiple: true,
    value: 'PICTURE',
    about: {
      en: 'a reference: a file, an address, or the id of a stored picture; may be repeated',
      zh: '参考图：文件、网址或已存图片的 id；可重复',
    },
  },
  number: { type: 'string', short: 'n', value: 'COUNT', about: { en: 'how many pictures', zh: '图片数量' } },
  size: {
    type: 'string',
    short: 's',
    value: 'SIZE',
    about: { en: '2048x2048, 16:9 or 2K, as the model takes it', zh: '尺寸：2048x2048、16:9 或 2K，以模型为准' },
  },
  param: {
    type: 'string',
    short: 'p',
    multiple: true,
    value: 'NAME=VALUE',
    about: { en: 'any other parameter of the model; may be repeated', zh: '模型的其他参数；可重复' },
  },
  config: { type: 'string', value: 'ID', about: { en: 'the configuration to use', zh: '使用的配置' } },
  provider: {
    type: 'string',
    value: 'ID',
    about: { en: 'the service of a model that is not listed', zh: '目录之外的模型所属的服务商' },
  },
  out,
  'dry-run': dryRun,
  'max-cost': maxCost,
  again,
  overwrite,
  json,
  url,
} as const satisfies Record<string, Option>

const resumes = {
  en: 'Ctrl-C ends the waiting, not the work: the same command again, or `webimgui resume`, collects what was asked for, and nothing is paid twice.',
  zh: 'Ctrl-C 只是停止等待，服务器会继续生成：重新执行同一命令或运行 webimgui resume 即可取回，不会重复付费。',
}

export const remoteWords = {
  login: {
    isRemote: true,
    about: { en: 'keeps the address and token of a server', zh: '保存服务地址和令牌' },
    more: [
      {
        en: 'Asks for the address of a server and its token, tries them, and keeps them in a file that nobody else may read. A token goes to that server alone. WEBIMGUI_URL and WEBIMGUI_TOKEN take precedence.',
        zh: '询问服务地址和令牌，验证后保存到仅自己可读的文件；令牌只会发送给对应的服务。环境变量 WEBIMGUI_URL、WEBIMGUI_TOKEN 优先。',
      },
    ],
    options: {
      url: { ...url, about: { en: 'the server; asked for when left out', zh: '服务地址；省略时询问' } },
      token: {
        type: 'string',
        value: '-',
        about: {
          en: 'reads the token from standard input; as an argument others could see it',
          zh: '从标准输入读取令牌；写在参数里会被他人看到',
        },
      },
    },
  },
  logout: {
    isRemote: true,
    about: { en: 'forgets the token of a server', zh: '删除保存的令牌' },
    options: { url },
  },
  generate: {
    isRemote: true,
    operands: ['[PROMPT]'],
    surplus: {
      en: 'Put the prompt in quotes; several prompts go into a file, one a line (--prompts).',
      zh: '请给提示词加引号；多条提示词请写入文件，每行一条（--prompts）。',
    },
    about: { en: 'makes pictures and saves them', zh: '生成图片并保存' },
    more: [
      {
        en: 'Makes pictures of PROMPT, or of each line of a file, tells the price before, and saves the originals. Their paths are printed.',
        zh: '按 PROMPT（或文件中的每一行）生成图片，事先显示价格，保存原图并输出其路径。',
      },
      resumes,
    ],
    options: {
      prompts: {
        type: 'string',
        short: 'f',
        value: 'FILE',
        about: { en: 'one prompt a line; - is standard input', zh: '每行一条提示词；- 表示标准输入' },
      },
      ...making,
    },
  },
  edit: {
    isRemote: true,
    operands: ['PICTURE', 'PROMPT'],
    surplus: {
      en: 'Put the prompt in quotes; more pictures go behind -i.',
      zh: '请给提示词加引号；其他图片用 -i。',
    },
    about: { en: 'changes a picture by words', zh: '按文字修改图片' },
    more: [
      {
        en: 'PICTURE is a file, an address, or the id of a stored picture; PROMPT says what to change. -i adds more references.',
        zh: 'PICTURE 是文件、网址或已存图片的 id，PROMPT 说明如何修改。-i 可添加更多参考图。',
      },
      resumes,
    ],
    options: {
      mask: {
        type: 'string',
        value: 'PICTURE',
        about: {
          en: 'where to change it: as large as that, and transparent there; for models that take one',
          zh: '蒙版：与原图尺寸相同，要修改处透明；仅限支持蒙版的模型',
        },
      },
      ...making,
    },
  },
  retry: {
    isRemote: true,
    operands: ['ID…'],
    about: { en: 'makes what is missing from earlier generations', zh: '补齐之前缺失的图片' },
    more: [
      {
        en: 'Makes the pictures that these generations are missing, or with --all every one of them again. It costs, and the price is told before.',
        zh: '补齐这些生成中缺失的图片；--all 表示全部重新生成。会收费，并事先显示价格。',
      },
    ],
    options: {
      all: { type: 'boolean', about: { en: 'all pictures again', zh: '全部重新生成' } },
      out,
      'dry-run': dryRun,
      'max-cost': maxCost,
      again,
      overwrite,
      json,
      url,
    },
  },
  resume: {
    isRemote: true,
    about: { en: 'collects what was asked for before and is not here yet', zh: '取回之前提交但尚未取回的图片' },
    options: {
      list: { type: 'boolean', about: { en: 'only says what there is', zh: '仅列出' } },
      forget: {
        type: 'boolean',
        about: { en: 'gives them up; what was made stays at the server', zh: '不再取回；已生成的仍在服务器上' },
      },
      json,
      url: { ...url, about: { en: 'only what this server was asked for', zh: '仅限此服务的请求' } },
    },
  },
  cancel: {
    isRemote: true,
    operands: ['ID…'],
    about: { en: 'stops what was not sent to the service yet', zh: '取消尚未发给服务商的部分' },
    options: { url },
  },
  history: {
    isRemote: true,
    operands: ['[WORD…]'],
    about: { en: 'earlier generations, the newest first', zh: '生成历史，最新的在前' },
    more: [
      {
        en: 'Those whose prompt or tags hold all of the words; all without one.',
        zh: '列出提示词或标签包含所有这些词的记录；不写则列出全部。',
      },
    ],
    options: {
      model: { type: 'string', short: 'm', value: 'MODEL', about: { en: 'made by it', zh: '模型' } },
      status: {
        type: 'string',
        choices: ['queued', 'running', 'succeeded', 'failed', 'cancelled'],
        about: { en: 'only these', zh: '状态' },
      },
      favorite: { type: 'boolean', about: { en: 'only favourites', zh: '仅收藏' } },
      tag: { type: 'string', value: 'TAG', about: { en: 'with exactly this tag', zh: '带有此标签' } },
      from: {
        type: 'string',
        value: 'DAY',
        about: { en: 'such as 2026-11-23 (UTC), inclusive', zh: '起始日期，例如 2026-11-23（UTC），含当日' },
      },
      to: { type: 'string', value: 'DAY', about: { en: 'the same', zh: '截止日期，含当日' } },
      limit: {
        type: 'string',
        short: 'n',
        value: 'COUNT',
        about: { en: 'how many; 20 when left out', zh: '条数，默认 20' },
      },
      json,
      url,
    },
  },
  get: {
    isRemote: true,
    operands: ['ID…'],
    about: { en: 'saves the pictures of generations', zh: '保存历史中的图片' },
    more: [
      {
        en: 'Saves the originals of generations, or single pictures by their ids, and prints their paths. It costs nothing.',
        zh: '保存各次生成的原图，或按图片 id 保存单张，并输出路径。不收费。',
      },
    ],
    options: { out, overwrite, json, url },
  },
  models: {
    isRemote: true,
    operands: ['[WORD…]'],
    about: { en: 'what pictures can be made with', zh: '可用模型' },
    more: [
      {
        en: 'Those with a key, or all whose id, name or service holds the words. With the id of one: everything about it.',
        zh: '列出已配置密钥的模型，或 id、名称、服务商包含这些词的所有模型；给出完整 id 时显示详情。',
      },
    ],
    options: {
      all: { type: 'boolean', about: { en: 'also without a key, and retired ones', zh: '包括未配置密钥和已下线的' } },
      json,
      url,
    },
  },
  'config list': {
    isRemote: true,
    about: { en: 'the keys of the server, and how they do', zh: '列出密钥配置及其状态' },
    options: { json, url },
  },
  'config add': {
    isRemote: true,
    operands: ['PROVIDER'],
    about: { en: 'adds a key; the server seals it', zh: '添加密钥，由服务器加密保存' },
    more: [
      {
        en: 'PROVIDER is a service of the server, such as one that `webimgui models --all` shows. The key is asked for, or read from standard input with --key -, and tested before it is kept; the test costs nothing.',
        zh: 'PROVIDER 是服务商，见 webimgui models --all。密钥会被询问，或用 --key - 从标准输入读取；保存前先测试，测试不收费。',
      },
    ],
    options: {
      key: { type: 'string', value: '-', about: { en: 'reads the key from standard input', zh: '从标准输入读取密钥' } },
      name: { type: 'string', value: 'NAME', about: { en: 'for people', zh: '名称' } },
      model: {
        type: 'string',
        short: 'm',
        value: 'MODEL',
        about: { en: 'where a request names none', zh: '默认模型' },
      },
      'base-url': {
        type: 'string',
        value: 'ADDRESS',
        about: { en: 'another region or gateway', zh: '其他区域或网关的地址' },
      },
      force: { type: 'boolean', about: { en: 'keeps it although the test fails', zh: '测试失败也保存' } },
      json,
      url,
    },
  },
  'config test': {
    isRemote: true,
    operands: ['ID'],
    about: { en: 'tries a key, which costs nothing', zh: '测试密钥，不收费' },
    options: { json, url },
  },
  'config remove': {
    isRemote: true,
    operands: ['ID'],
    about: { en: 'deletes a key', zh: '删除密钥' },
    options: { url },
  },
  'token list': {
    isRemote: true,
    about: { en: 'who may use the server, and how much', zh: '列出令牌及其上限' },
    options: { json, url },
  },
  'token create': {
    isRemote: true,
    operands: ['NAME'],
    about: { en: 'a token for a person or a program', zh: '创建令牌' },
    more: [
      {
        en: 'Prints the token on standard output. It is shown this once.',
        zh: '令牌输出到标准输出，仅显示这一次。',
      },
    ],
    options: {
      role: {
        type: 'string',
        choices: ['member', 'admin'],
        about: { en: 'a member when left out', zh: '角色，默认 member' },
      },
      cap: { type: 'string', value: '"50 CNY"', about: { en: 'the most in a calendar month', zh: '每月费用上限' } },
      images: {
        type: 'string',
        value: 'COUNT',
        about: { en: 'the most pictures in a calendar month', zh: '每月图片上限' },
      },
      model: {
        type: 'string',
        short: 'm',
        multiple: true,
        value: 'MODEL',
        about: { en: 'only this model; may be repeated', zh: '仅限此模型；可重复' },
      },
      json,
      url,
    },
  },
  'token revoke': {
    isRemote: true,
    operands: ['ID'],
    about: { en: 'takes a token back', zh: '吊销令牌' },
    options: { url },
  },
  usage: {
    isRemote: true,
    about: { en: 'what was made and spent', zh: '用量和费用' },
    options: {
      group: {
        type: 'string',
        choices: ['day', 'model', 'configuration', 'token', 'user'],
        about: { en: 'by day when left out', zh: '分组，默认按日' },
      },
      from: { type: 'string', value: 'DAY', about: { en: 'this month when left out', zh: '起始日期，默认本月' } },
      to: { type: 'string', value: 'DAY', about: { en: 'inclusive', zh: '截止日期，含当日' } },
      json,
      url,
    },
  },
  mcp: {
    isRemote: true,
    about: { en: 'tools for agents, over standard input and output', zh: '面向智能体的 MCP 工具（标准输入输出）' },
    more: [
      {
        en: 'Tools for agents (MCP) over standard input and output; a client such as Claude Desktop starts it. The server has to run already. WEBIMGUI_TOKEN is its token, where it needs one.',
        zh: '面向智能体的 MCP 工具（标准输入输出），由 Claude Desktop 等客户端启动；服务需已在运行。需要令牌时用 WEBIMGUI_TOKEN。',
      },
    ],
    options: {
      url,
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
