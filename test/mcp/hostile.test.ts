/** Calls that nobody would send in earnest: each gets an answer of the protocol, none an internal error, and none costs anything. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.ts'
import { rawCall } from './clients.ts'

const tools = ['list_models', 'estimate', 'search_history', 'get_generation', 'cancel_generation', 'retry_missing']
const members = [
  'prompt',
  'model',
  'size',
  'n',
  'image',
  'references',
  'parameters',
  'generation_id',
  'query',
  'cursor',
]
const nasty = fc.oneof(
  fc.constantFrom('\0', '\ud800', '../../etc/passwd', '__proto__', 'webimgui://images/%ff', 'file:///etc/passwd', ''),
  fc.jsonValue({ maxDepth: 3 }),
)
const given = fc.dictionary(fc.oneof(fc.constantFrom(...members), fc.string()), nasty, { maxKeys: 5 })

const call = fc.oneof(
  fc.record({ name: fc.constantFrom(...tools), arguments: given }).map(params => rawCall('tools/call', params)),
  fc.record({ name: nasty, arguments: nasty }).map(params => rawCall('tools/call', params)),
  fc
    .constantFrom('webimgui://images/', 'webimgui://generations/', 'http://', '')
    .chain(prefix => fc.string().map(rest => rawCall('resources/read', { uri: prefix + rest }))),
  fc.jsonValue().map(body => ({ ...rawCall('tools/list', {}), body })),
)

test('a picture whose address cannot be decoded is refused in words that help', async () => {
  const app = await startApp()
  const { body, headers } = rawCall('tools/call', {
    name: 'edit_image',
    arguments: { prompt: 'at night', image: 'webimgui://images/%' },
  })

  const answer = await app.call('POST', '/mcp', JSON.stringify(body), headers)

  expect(answer.body.result).toMatchObject({ isError: true })
  expect(answer.body.result.content[0].text).toMatch(/^\[invalid_request\] "webimgui:\/\/images\/%" is no picture/)
  expect(app.doubao.billed).toHaveLength(0)
})

test('nonsense is refused in the shape of the protocol, whatever it is', async () => {
  const app = await startApp()

  await fc.assert(
    fc.asyncProperty(call, fc.boolean(), async ({ body, headers }, hasHeaders) => {
      const isAscii = Object.values(headers).every(value => /^[\x20-\x7e]*$/.test(value))
      const sent = hasHeaders && isAscii ? headers : { accept: headers.accept }
      const answer = await app.call('POST', '/mcp', JSON.stringify(body), sent)

      expect(answer.status).toBeLessThan(500)
      expect(JSON.stringify(answer.body)).not.toMatch(/internal_error|Internal error|-32603|Cannot read|undefined is/)
    }),
    { numRuns: 300, examples: [[rawCall('resources/read', { uri: 'webimgui://images/%' }), true]] },
  )
  expect(app.doubao.billed).toHaveLength(0)
  expect(app.qwen.billed).toHaveLength(0)
})
