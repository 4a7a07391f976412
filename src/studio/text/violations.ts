/** What is wrong with a request, in the language of the page: said before it is sent, and after the server refused it. */
import type { Problem } from '../../api/problems.ts'
import type { Values } from '../../catalogue/violation.ts'
import { findText, type TextKey, t } from './text.ts'

interface CodedViolation {
  path: string
  code: string
  values: Values
}

/** `model`: its name; its id where nobody knows that. */
export function describeViolation({ code, values }: CodedViolation, model = String(values.model ?? '')): string {
  const { parameter = '' } = values
  const [name = '', ...inside] = String(parameter).split('.')
  const label = findText('parameters', name) ?? name.replaceAll('_', ' ')
  if (besideField.has(code)) {
    const reason = describeValue({ path: inside.join('.'), code, values })
    return t('violations.of', { parameter: label, reason })
  }
  const variant = variants[code]?.(values)
  const key = variant === undefined ? code : `${code}_${variant}`
  return t(`violations.${key}` as TextKey, {
    ...values,
    model,
    parameter: code === 'unknown_parameter' ? parameter : label,
  })
}

/** Beside the field of the value, which names it already. */
export function describeValue({ path, code, values }: CodedViolation): string {
  const type = findText('violations', `type_${values.type}`) ?? values.type ?? ''
  const reason = t(`violations.${code}` as TextKey, { ...values, type })
  return path === '' ? reason : t('violations.at', { path, reason })
}

/** Words a violation that the server found; its own sentence where the code is not known here. */
export function describeRefusal(refusal: NonNullable<Problem['errors']>[number], model?: string): string {
  const { path, code, values = {}, message } = refusal
  const isKnown = code !== undefined && findText('violations', code) !== undefined
  return isKnown ? describeViolation({ path, code, values }, model) : message
}

const besideField = new Set([
  'wrong_type',
  'not_listed',
  'too_small',
  'too_large',
  'too_short',
  'too_long',
  'entry_count',
  'wrong_form',
  'member_missing',
  'member_unknown',
  'not_valid',
])

const variants: Record<string, (values: Values) => string | undefined> = {
  unknown_parameter: ({ near }) => (near ? 'near' : undefined),
  too_many_references: ({ max, parameter }) => (max === 0 ? 'none' : parameter ? 'mode' : undefined),
  too_few_references: ({ parameter }) => (parameter ? 'mode' : undefined),
  too_many_pictures: ({ together, series }) => (together ? 'together' : series ? 'series' : undefined),
}
