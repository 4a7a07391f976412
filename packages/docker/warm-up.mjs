// Runs while the image is built: a start of the program with one picture from the simulators. Compiles what a start needs.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const folder = mkdtempSync(path.join(tmpdir(), 'warm-up-'))
const program = spawn(process.execPath, [path.join(import.meta.dirname, '../../tools/webimgui.mjs'), 'demo'], {
  cwd: folder,
  env: { ...process.env, DATA_DIR: folder, HOST: '127.0.0.1', PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit'],
})
const ended = new Promise(resolve => program.once('exit', resolve))
const address = await new Promise((resolve, reject) => {
  let text = ''
  program.stdout.setEncoding('utf8').on('data', chunk => {
    text += chunk
    const [, found] = /curl (http\S+)\/api\/generate/.exec(text) ?? []
    if (found) resolve(found)
  })
  program.once('exit', () => reject(new Error('The program ended before it was there.')))
})

const made = await fetch(`${address}/api/generate`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ prompt: 'a boat' }),
})
const generation = await made.json()
if (generation.status !== 'succeeded') throw new Error(`No picture was made: ${JSON.stringify(generation)}`)
for (const place of [generation.images[0].thumbnail_url, '/', '/openapi.json', '/docs/']) {
  const answer = await fetch(address + place)
  if (!answer.ok) throw new Error(`${place} was answered with ${answer.status}.`)
  await answer.arrayBuffer()
}
program.kill('SIGTERM')
const code = await ended
rmSync(folder, { recursive: true })
if (code !== 0) throw new Error(`The program ended with ${code}.`)
