// Runs before the programs, in JavaScript that old versions understand too: they would only say that they do not know ".ts".
const oldest = 24

if (Number.parseInt(process.versions.node, 10) < oldest) {
  console.error(
    `This needs Node.js ${oldest} or newer; here it is ${process.versions.node}. On Linux (x64, arm64) and Windows (x64) "npm ci" brings it: run that, then "npm start" or "npm run demo". Elsewhere install it from https://nodejs.org.
需要 Node.js ${oldest} 或更高版本，当前为 ${process.versions.node}。在 Linux（x64、arm64）和 Windows（x64）上先运行 npm ci，再用 npm start 或 npm run demo 启动；其他系统请从 https://nodejs.org 安装。`,
  )
  process.exit(1)
}
