// Runs before the programs, in JavaScript that old versions understand too: they would only say that they do not know ".ts".
import { existsSync } from 'node:fs'

const oldest = 24

if (Number.parseInt(process.versions.node, 10) < oldest) {
  const isCheckout = existsSync(new URL('package.json', import.meta.url))
  const en = isCheckout
    ? 'On Linux (x64, arm64) and Windows (x64) "npm ci" brings it: run that, then "npm start" or "npm run demo". Elsewhere install it from https://nodejs.org.'
    : 'Install it from https://nodejs.org, then run the same command again.'
  const zh = isCheckout
    ? '在 Linux（x64、arm64）和 Windows（x64）上先运行 npm ci，再用 npm start 或 npm run demo 启动；其他系统请从 https://nodejs.org 安装。'
    : '请从 https://nodejs.org 安装后重新运行同一命令。'
  console.error(
    `This needs Node.js ${oldest} or newer; here it is ${process.versions.node}. ${en}\n需要 Node.js ${oldest} 或更高版本，当前为 ${process.versions.node}。${zh}`,
  )
  process.exit(1)
}
