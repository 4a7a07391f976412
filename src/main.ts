/** One program with subcommands, each in its own file. */
const usage = `Usage 用法: webimgui <word>; in a checkout 在源码目录中: npx webimgui <word>, npm start, npm run <word>

start                    the server 启动服务
demo                     the server with simulators in place of the services 用模拟器演示，不联网、不收费
doctor                   compares pictures and database, and mends what can be mended 检查并修复数据
backup FILE              everything into one archive, also while the server runs 备份，可在服务运行时执行
mcp                      tools for agents, over standard input and output 面向智能体的 MCP 工具（标准输入输出）
restore FILE             out of an archive, into an empty data folder 恢复到空的数据目录
rotate-secret            seals the stored keys with a new secret 更换加密密钥

Each tells more with --help, such as: webimgui doctor --help
每个命令加 --help 可查看说明，例如 webimgui doctor --help`

const words: Record<string, () => Promise<unknown>> = {
  start: () => import('./commands/start.ts'),
  demo: () => import('./commands/demo.ts'),
  doctor: () => import('./commands/doctor.ts'),
  backup: () => import('./commands/backup.ts'),
  restore: () => import('./commands/restore.ts'),
  mcp: () => import('./commands/mcp.ts'),
  'rotate-secret': () => import('./commands/rotate-secret.ts'),
}

const [word = 'start'] = process.argv.slice(2)
const command = Object.hasOwn(words, word) ? words[word] : undefined
if (command) {
  // A command reads the arguments after its name.
  process.argv.splice(2, 1)
  await command()
} else if (word === '--help' || word === '-h') {
  console.log(usage)
} else {
  console.error(`"${word}" is not known here. 无法识别“${word}”。\nNothing was done. 未执行任何操作。\n\n${usage}`)
  process.exitCode = 1
}
