/** Keys of the simulated Ark, and what each may do. */
import type { KeyRule } from '../server.ts'

/** Where a key is good, and nowhere else: Ark China by use, its subscription, or BytePlus. */
export type Platform = 'ark' | 'plan' | 'byteplus'

export interface DoubaoKeyRule extends KeyRule {
  /** The refusal that the state of the key or its account brings; both are good when absent. */
  state?: 'overdue' | 'abnormal' | 'paused' | 'denied'
  /** Account number in messages, default 2100000000. */
  account?: string
  /** Ids of the activated models; all when absent. */
  activated?: readonly string[]
  /** Inference endpoints of the account: `ep-…` → model id. */
  endpoints?: Readonly<Record<string, string>>
  /** The key may only use endpoints. */
  endpointsOnly?: boolean
  /** Whether trouble with the account comes before (the default) or after complaints about the body; the service's order is not known. */
  accountCheck?: 'before-body' | 'after-body'
  /** Limit of one account and model version. Unlimited when absent; the service has 500. */
  imagesPerMinute?: number
  /** Default `ark`. */
  platform?: Platform
  /** Has opened no model before it went out of sale: what is `Retiring` does not exist for it. */
  isNew?: boolean
}

/** The good key; everything is activated. */
export const DOUBAO_DEMO_KEY = 'ark-demo-0000-good'
/** An inference endpoint of the account of that key, for the second build of 4.0. */
export const DOUBAO_DEMO_ENDPOINT = 'ep-20261101120000-demo1'

/** Keys for every answer that depends on the key. */
export const doubaoKeys = {
  good: DOUBAO_DEMO_KEY,
  /** A key of the right form that belongs to nobody. */
  unknown: 'ark-demo-0000-nobody',
  malformed: 'not a key',
  overdue: 'ark-demo-0000-overdue',
  abnormal: 'ark-demo-0000-abnormal',
  paused: 'ark-demo-0000-paused',
  /** Has activated the second build of 4.0 and nothing else. */
  partlyActivated: 'ark-demo-0000-partly',
  denied: 'ark-demo-0000-denied',
  endpointsOnly: 'ark-demo-0000-endpoints',
  plan: 'ark-demo-0000-plan',
  byteplus: 'ark-demo-0000-byteplus',
  /** Everything is activated that could be when it was made, after models had gone out of sale. */
  newcomer: 'ark-demo-0000-newcomer',
  /** Two images a minute. */
  limited: 'ark-demo-0000-limited',
} as const

const endpoints = { [DOUBAO_DEMO_ENDPOINT]: 'doubao-seedream-4-0-20260415' }
export const doubaoDemoKeys: Readonly<Record<string, DoubaoKeyRule>> = {
  [doubaoKeys.good]: { name: 'good', endpoints },
  [doubaoKeys.overdue]: { name: 'overdue', state: 'overdue' },
  [doubaoKeys.abnormal]: { name: 'abnormal', state: 'abnormal' },
  [doubaoKeys.paused]: { name: 'paused', state: 'paused' },
  [doubaoKeys.partlyActivated]: { name: 'partlyActivated', activated: ['doubao-seedream-4-0-20260415'] },
  [doubaoKeys.denied]: { name: 'denied', state: 'denied' },
  [doubaoKeys.endpointsOnly]: { name: 'endpointsOnly', endpoints, endpointsOnly: true },
  [doubaoKeys.plan]: { name: 'plan', platform: 'plan' },
  [doubaoKeys.byteplus]: { name: 'byteplus', platform: 'byteplus' },
  [doubaoKeys.newcomer]: { name: 'newcomer', account: '2100000003', isNew: true },
  [doubaoKeys.limited]: { name: 'limited', account: '2100000002', imagesPerMinute: 2 },
}

export function accountOf(rule: DoubaoKeyRule): string {
  return rule.account ?? '2100000000'
}
