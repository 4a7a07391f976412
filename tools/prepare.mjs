// Runs at the end of an installation and builds server and studio. Where the build tools were left out (npm ci --omit=dev), they are
// installed in a temporary folder, used once, and removed: a server for production holds nothing that it does not run.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { built, isUpToDate } from './built.mjs'

const root = path.join(import.meta.dirname, '..')

function run(command, folder, environment = {}) {
  const { status } = spawnSync(command, {
    cwd: folder,
    env: { ...process.env, ...environment },
    shell: true,
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}

if (existsSync(path.join(root, 'node_modules/vite'))) {
  run('npm run -s build', root)
} else if (!Object.values(built).every(what => isUpToDate(what))) {
  const folder = mkdtempSync(path.join(tmpdir(), 'webimgui-build-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const sources = [
    'package.json',
    'package-lock.json',
    '.npmrc',
    'vite.config.ts',
    'vite.server.config.ts',
    'tools',
    'src',
  ]
  for (const name of sources) cpSync(path.join(root, name), path.join(folder, name), { recursive: true })
  run('npm ci --include=dev --ignore-scripts --no-audit --no-fund', folder, { npm_config_omit: '' })
  run('npm run -s build', folder)
  rmSync(path.join(root, 'dist'), { recursive: true, force: true })
  cpSync(path.join(folder, 'dist'), path.join(root, 'dist'), { recursive: true })
}
