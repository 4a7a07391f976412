import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { fastify } from 'fastify'
import { expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { Problem } from '../../src/api/problems.ts'
import { V1Error } from '../../src/api/v1/errors.ts'
import { Refusal } from '../../src/errors.ts'
import { shipped } from '../../src/providers/index.ts'
import { createDiscretion } from '../../src/server/access/discretion.ts'
import { presentProblem, problemType } from '../../src/server/api/problems.ts'
import { answerBrokenRequest } from '../../src/server/errors/bare-connection.ts'
import { errorTable } from '../../src/server/errors/codes.ts'
import { nothingThere } from '../../src/server/errors/refusals.ts'
import { addFace, type Face, faceAt, sendError } from '../../src/server/face.ts'
import { watchApi } from '../../src/server/openapi.ts'
import type { App } from '../../src/server/route.ts'
import { startApp } from '../support/app.ts'

test('what goes wrong under /api is a problem, whatever it is and whoever asks', async () => {
  const { call } = await startApp()
  const accept = { accept: 'text/html' }
  const form = 'multipart/form-data; boundary=b'

  const answers = [
    await call('GET', '/api/nothing', undefined, accept),
    await call('POST', '/api/nothing', '{'),
    await call('GET', '/images/none', undefined, accept),
    await call('GET', '/images/a/b/c', undefined, accept),
    await call('GET', '/api/history/%ZZ', undefined, accept),
    await call('GET', '/api/generate', undefined, accept),
    await call('POST', '/api/generate', '{'),
    await call('POST', '/api/generate', 'no form', { 'content-type': form }),
    await call('OPTIONS', '/api/generate', undefined, {
      origin: 'https://elsewhere.example',
      'access-control-request-method': 'POST',
    }),
  ]

  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404, 400, 405, 400, 400, 403])
  for (const { headers, body } of answers) {
    expect(headers.get('content-type')).toBe(problemType)
    expect(Problem.parse(body).request_id).toBe(headers.get('x-request-id'))
  }
})

test('what goes wrong under /mcp is an error of JSON-RPC', async () => {
  const { call } = await startApp()
  const list = { jsonrpc: '2.0', id: 1, method: 'tools/list' }

  const answers = [
    await call('GET', '/mcp'),
    await call('POST', '/mcp/nothing', {}),
    await call('POST', '/mcp', '{'),
    await call('POST', '/mcp', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
    await call('POST', '/mcp', {}, { origin: 'https://elsewhere.example' }),
    await call('POST', '/mcp', list),
    await call('POST', '/mcp', list, { 'mcp-session-id': 'none' }),
    await call('DELETE', '/mcp', undefined, { 'mcp-session-id': 'none' }),
  ]

  expect(answers.map(({ status }) => status)).toEqual([405, 404, 400, 415, 403, 400, 404, 404])
  for (const { headers, body } of answers) {
    expect(headers.get('content-type')).toMatch(/^application\/json/)
    expect(body).toMatchObject({
      jsonrpc: '2.0',
      id: null,
      error: { code: expect.any(Number), message: expect.any(String) },
    })
  }
})

test('what goes wrong under /v1 is an error of the OpenAI API', async () => {
  const { call } = await startApp()

  const answers = [
    await call('GET', '/v1/nothing', undefined, { accept: 'text/html' }),
    await call('GET', '/v1/images/generations'),
    await call('POST', '/v1/images/generations', '{'),
    await call('POST', '/v1/images/generations', '{}'),
    await call('POST', '/v1/images/edits', 'no form', { 'content-type': 'multipart/form-data; boundary=b' }),
    await call('POST', '/v1/images/generations', 'x', { 'content-type': 'text/plain' }),
    await call('GET', '/v1/%ZZ'),
  ]

  expect(answers.map(({ status }) => status)).toEqual([404, 405, 400, 400, 400, 415, 400])
  for (const { headers, body } of answers) {
    expect(headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(V1Error.parse(body).error).toMatchObject({
      ...{ type: 'invalid_request_error', request_id: headers.get('x-request-id') },
    })
  }
})

test('each face tells errors in its own shape, also where it has no route and before it has one', async () => {
  const notFound = async () => {
    throw nothingThere()
  }
  const api: Face = {
    prefixes: ['/api'],
    isForPeople: false,
    errorType: problemType,
    errorSchema: Problem,
    presentError: presentProblem,
    answerNotFound: notFound,
  }
  const other: Face = {
    prefixes: ['/v1'],
    isForPeople: false,
    errorType: 'application/json; charset=utf-8',
    errorSchema: z.object({ error: z.object({ message: z.string() }) }).meta({ id: 'OtherError' }),
    presentError: ({ code, detail }) => ({
      error: { message: detail, type: errorTable[code].status < 500 ? 'invalid_request_error' : 'api_error', code },
    }),
    answerNotFound: notFound,
  }
  const rest: Face = {
    ...api,
    prefixes: [],
    answerNotFound: async (_request, reply) => reply.code(404).send('nothing'),
  }
  const faces = [api, other, rest]
  const chooseFace = (url: string) => faceAt(faces, url)
  const app = fastify({
    frameworkErrors: (error, request, reply) => void sendError(chooseFace(request.url), error, request, reply),
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, chooseFace),
  })
  const describe = watchApi(app as unknown as App, {
    version: '0',
    prefix: '',
    needsToken: false,
    sessionCookie: 's',
    faceAt: chooseFace,
  })
  onTestFinished(() => app.close())
  const discretion = createDiscretion(shipped, async () => [])
  for (const face of faces) {
    await addFace(app as unknown as App, face, discretion, scope => {
      const [prefix = ''] = face.prefixes
      scope.post(`${prefix}/thing`, () => {
        throw new Refusal('conflict', 'It is busy.')
      })
    })
  }
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const ask = async (path: string, body = '{}') => {
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(url + path, { method: 'POST', headers, body })
    return [answer.status, await answer.text()] as const
  }

  for (const [path, body, status, code] of [
    ['/thing', '{}', 409, 'conflict'],
    ['/thing', '{', 400, 'bad_request'],
    ['/nothing', '{}', 404, 'not_found'],
    ['/%ZZ', '{}', 400, 'bad_request'],
  ] as const) {
    const [apiStatus, problem] = await ask(`/api${path}`, body)
    const [otherStatus, error] = await ask(`/v1${path}`, body)
    expect([apiStatus, JSON.parse(problem).code], path).toEqual([status, code])
    expect(otherStatus, path).toBe(status)
    expect(JSON.parse(error), path).toEqual({
      error: { message: JSON.parse(problem).detail, type: 'invalid_request_error', code },
    })
  }
  expect(await ask('/v10/nothing')).toEqual([404, 'nothing'])

  const { port } = new URL(url)
  const askBroken = async (packet: string) => {
    const socket = connect(Number(port), '127.0.0.1')
    socket.write(packet)
    return text(socket)
  }
  const brokenProblem = await askBroken('GET /api/thing?q=中文 HTTP/1.1\r\n\r\n')
  const brokenError = await askBroken('GET /v1/thing?q=中文 HTTP/1.1\r\n\r\n')
  expect(brokenProblem).toContain('Content-Type: application/problem+json')
  expect(brokenProblem).toContain('"code":"bad_request"')
  expect(brokenError).toContain('Content-Type: application/json')
  expect(brokenError).toContain('"type":"invalid_request_error","code":"bad_request"')
  expect(await askBroken('nonsense\r\n\r\n')).toContain('Content-Type: application/problem+json')

  const { paths } = (await describe()) as { paths: Record<string, { post: { responses: { default: unknown } } }> }
  expect(paths['/api/thing']!.post.responses.default).toMatchObject({
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  })
  expect(paths['/v1/thing']!.post.responses.default).toMatchObject({
    content: { 'application/json': { schema: { $ref: '#/components/schemas/OtherError' } } },
  })
  expect(JSON.parse((await ask('/thing'))[1])).toMatchObject({ code: 'conflict' })
})
