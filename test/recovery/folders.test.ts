/** Folders that somebody removes while the server runs, taking them for a cache, are made again and cost nothing. */
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { callKinds } from '../support/call-kinds.ts'
import { addOpenai, type Installation, openInstallation } from '../support/installation.ts'
import { type Program, until } from '../support/killable-program.ts'
import { readRows, readUnfinished } from '../support/stored.ts'

const group = callKinds.find(kind => kind.parts > 0)!

test('without its folders the server makes every kind of picture, and takes references', async () => {
  const { installation, program } = await begin()
  await removeFolders(installation)

  const answers = []
  for (const kind of callKinds) answers.push(await generated(program, kind.request))
  await removeFolders(installation)
  const reference = new FormData()
  reference.append('file', new Blob([oneImage]), 'one.png')
  const uploaded = await fetch(`${program.address}/api/images`, { method: 'POST', body: reference })
  const form = new FormData()
  form.append('prompt', 'the same at night')
  form.append('model', group.request.model)
  form.append('images', new Blob([oneImage]), 'one.png')
  const edited = await fetch(`${program.address}/api/generate`, { method: 'POST', body: form })

  expect(answers).toEqual(callKinds.map(kind => ({ status: 'succeeded', charge: 'charged', images: kind.pictures })))
  expect([uploaded.status, edited.status]).toEqual([201, 200])
})

test('the parts of a stream whose folder was removed under it outlive the process', async () => {
  const { installation, program } = await begin()
  await program.hold({ point: 'stream-part-read', from: 2 })
  await program.call('POST', '/api/generate', group.request, { prefer: 'respond-async' })
  await until(
    () => 'the second part to come',
    () => program.held.length === 1,
  )
  await rm(path.join(installation.dataDir, 'answers'), { recursive: true })
  await program.hold({ point: 'stream-part-appended', from: 1 }, { release: true })
  await until(
    () => 'the second part to be kept',
    () => program.held.length === 1,
  )
  await program.end('SIGKILL')

  await installation.start()
  await until(
    () => 'the end',
    () => readUnfinished(installation.dataDir).length === 0,
  )
  expect(readRows(installation.dataDir).images).toHaveLength(2)
})

async function begin() {
  const installation = await openInstallation()
  onTestFinished(() => installation.close())
  const program = await installation.start()
  await addOpenai(program, installation)
  return { installation, program }
}

async function removeFolders({ dataDir }: Installation) {
  for (const folder of ['answers', 'uploads', 'images/.temporary', 'images/prepared', 'images/thumbnails'])
    await rm(path.join(dataDir, folder), { recursive: true, force: true })
}

async function generated(program: Program, request: object) {
  const { body } = await program.call('POST', '/api/generate', request)
  return { status: body.status, charge: body.charge, images: body.images?.length }
}

/** 64 by 64 pixels of one colour. */
const oneImage = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAn0lEQVRoge2SQQkAQRDD6qkmT0tUroh7hIFCBKSh6cdpoht0A9ArdhfiLtENugHoFbsLcZfoBt0A9IrdhbhLdINuAHrF7kLcJbpBNwC9Ynch7hLdoBuAXrG7EHeJbtANQK/YXYi7RDfoBqBX7C7EXaIbdAPQK3YX4i7RDboB6BW7C3GX6AbdAPSK3YW4S3SDbgB6xe5C3CW6QTcAveIfHkv+UUtCWarsAAAAAElFTkSuQmCC',
  'base64',
)
