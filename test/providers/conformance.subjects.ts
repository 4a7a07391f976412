/** Who answers the questions of `conformance.ts`. */
import type { ProviderId } from '../../src/providers/index.ts'
import type { Fault } from '../../src/simulators/faults.ts'
import { addOpenai, type TestApp } from '../support/app.ts'
import type { Subject } from './conformance.ts'

const status = (status: number, body: object): Fault => ({ kind: 'status', status, body })
const ark = (code: string, message: string) => ({ error: { code, message, param: '', type: '' } })
const dashScope = (code: string, message: string) => ({ code, message, request_id: 'r-1' })
const openaiStyle = (code: string, message: string) => ({ error: { code, message, type: 'x', param: null } })

const dashScopeRefusals: Subject['refusals'] = {
  provider_rejected: status(400, dashScope('InvalidParameter', 'size must be in the range of the model')),
  provider_access_denied: status(403, dashScope('AccessDenied.Unpurchased', 'Access to model denied.')),
  provider_quota_exhausted: status(
    400,
    dashScope('Arrearage', 'Access denied, please make sure your account is fine.'),
  ),
}

const openaiParts: Omit<Subject, 'name' | 'request' | 'prepare'> = {
  editing: { model: 'gpt-image-1', parameters: { size: '1024x1024' } },
  most: 10,
  simulator: app => app.openai,
  busy: {
    kind: 'status',
    status: 429,
    body: { error: { code: 'rate_limit_exceeded', message: 'Rate limit reached', type: 'requests', param: null } },
  },
  broken: {
    kind: 'status',
    status: 500,
    body: {
      error: { code: 'server_error', message: 'The server had an error', type: 'server_error', param: null },
    },
  },
  refusals: {
    provider_rejected: status(400, openaiStyle('invalid_value', 'Invalid size.')),
    provider_access_denied: status(403, openaiStyle('permission_error', 'You may not use this model.')),
    provider_quota_exhausted: status(429, openaiStyle('insufficient_quota', 'You exceeded your current quota.')),
  },
  blocked: 'something bad [[input-blocked]]',
  hasTasks: false,
}

/** A provider without a line here does not compile. Each has a file of tests, so that they run side by side. */
export const subjects: Record<ProviderId, Subject[]> = {
  doubao: [
    {
      name: 'Doubao',
      request: { model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } },
      most: 15,
      editing: { model: 'doubao-seedream-4-0-20260415', parameters: { size: '960x960' } },
      simulator: app => app.doubao,
      busy: {
        kind: 'status',
        status: 429,
        body: {
          error: {
            code: 'ModelAccountIpmRateLimitExceeded',
            message: 'IPM limit exceeded',
            param: '',
            type: 'TooManyRequests',
          },
        },
      },
      broken: {
        kind: 'status',
        status: 500,
        body: {
          error: {
            code: 'InternalServiceError',
            message: 'The service encountered an unexpected internal error.',
            param: '',
            type: 'InternalServerError',
          },
        },
      },
      refusals: {
        provider_rejected: status(400, ark('InvalidParameter', 'The parameter `size` is not valid.')),
        provider_access_denied: status(404, ark('ModelNotOpen', 'Your account has not activated the model.')),
        provider_quota_exhausted: status(429, ark('SetLimitExceeded', 'Your account has reached the set limit.')),
      },
      blocked: 'something bad [[input-blocked]]',
      hasTasks: false,
    },
  ],
  qwen: [
    {
      name: 'Qwen on the synchronous route',
      request: { model: 'qwen-image-2.0', parameters: { size: '512x512' } },
      most: 10,
      editing: { model: 'qwen-image-2.0', parameters: { size: '512x512' } },
      simulator: app => app.qwen,
      busy: {
        kind: 'status',
        status: 429,
        body: {
          code: 'Throttling.RateQuota',
          message: 'Requests rate limit exceeded, please try again later.',
          request_id: 'r-429',
        },
      },
      broken: {
        kind: 'status',
        status: 504,
        body: '<html><body>504 Gateway Time-out</body></html>',
        headers: { 'content-type': 'text/html' },
      },
      refusals: dashScopeRefusals,
      blocked: 'something bad [[input-blocked]]',
      hasTasks: false,
    },
    {
      name: 'Wan on the task route',
      request: { model: 'wan2.7-image', parameters: { size: '768x768' } },
      most: 10,
      editing: { model: 'wan2.7-image', parameters: { size: '768x768' } },
      simulator: app => app.qwen,
      busy: {
        kind: 'status',
        status: 429,
        body: { code: 'Throttling', message: 'Requests throttling triggered.', request_id: 'r-429' },
      },
      broken: { kind: 'status', status: 502, body: '', headers: { 'content-type': 'text/html' } },
      refusals: dashScopeRefusals,
      blocked: 'something bad [[input-blocked]]',
      hasTasks: true,
    },
  ],
  openai: [
    {
      ...openaiParts,
      name: 'OpenAI style',
      request: { model: 'generic-image', parameters: { size: '1024x1024' } },
      prepare: async app => {
        await addOpenai(app, 'generic-image')
      },
    },
    ...['list', 'location'].map(dialect => ({
      ...openaiParts,
      name: `A gateway that answers with a task (${dialect})`,
      request: { model: `task-image-${dialect}`, parameters: { size: '1024x1024' } },
      prepare: async (app: TestApp) => {
        await addOpenai(app, `task-image-${dialect}`)
      },
    })),
  ],
}
