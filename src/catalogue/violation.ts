/** What is wrong with a request, found before anything is sent: data that each face words. Here are the words of the API. */

export type Values = Readonly<Record<string, string | number>>

/** The rule of a model that a request breaks. `values` holds what changes in a sentence about it. */
export interface RuleViolation {
  /** Dotted, such as `parameters.n`. */
  path: string
  code: ViolationCode
  values: Values
}

/** A violation that no rule of the catalogue has a code for, already in words. */
export interface StatedViolation {
  path: string
  message: string
}

export type Violation = RuleViolation | StatedViolation

/** A request that the model would refuse; holds every violation. */
export class InvalidRequest extends Error {
  override name = 'InvalidRequest'
  readonly violations: readonly Violation[]

  constructor(violations: readonly Violation[]) {
    super(violations.map(describeViolation).join(' '))
    this.violations = violations
  }
}

/** The sentence of the API: what is wrong, and what would work. */
export function describeViolation(violation: Violation): string {
  return 'message' in violation ? violation.message : sentences[violation.code](violation.values)
}

/** Each has a text of the studio in every language, and a row in docs/api.md. */
export type ViolationCode = keyof typeof sentences

type Words = Record<string, string | number | undefined>

const sentences = {
  // The whole request.
  unknown_parameter: ({ parameter, near, known }) =>
    `No model has a parameter "${parameter}". ${near ? `Did you mean "${near}"?` : `This model takes: ${known}.`}`,
  prompt_missing: () => 'Say in "prompt" what to draw.',
  too_many_references: ({ model, max, got, parameter }) => {
    if (max === 0) return `${model} takes no references; got ${got}. Choose another model to edit a picture.`
    const mode = parameter ? ` where ${parameter} is true` : ''
    return `${model} takes at most ${many(max, 'reference')}${mode}; got ${got}.`
  },
  too_few_references: ({ model, min, parameter }) =>
    parameter
      ? `${model} needs at least ${many(min, 'reference')} where ${parameter} is false: give it in "images".`
      : `${model} edits pictures: give it ${min === 1 ? 'a reference picture' : `${min} reference pictures`} in "images".`,
  too_many_pictures: ({ model, max, got, together, series, parameter }) => {
    const why = together ? `, of ${together} together with the references` : ''
    const way = series ? ` Use n: ${max}, or ask for a series of up to ${series} with ${parameter}: true.` : ''
    return `${model} makes at most ${max} pictures here${why}; got n = ${got}.${way}`
  },

  // One value.
  wrong_type: ({ parameter, type, got }) => `${parameter} must be ${typeNames[String(type)] ?? type}; got ${got}.`,
  not_listed: ({ parameter, model, allowed, got }) =>
    `${parameter} must be one of ${allowed} for ${model}; got ${got}.`,
  too_small: ({ parameter, model, limit, got }) =>
    `${parameter} must be at least ${limit} for ${model}; got ${got}. Use ${limit} or more.`,
  too_large: ({ parameter, model, limit, got }) =>
    `${parameter} must be at most ${limit} for ${model}; got ${got}. Use ${limit} or less.`,
  too_short: ({ parameter, model, limit, length }) =>
    `${parameter} must have at least ${limit} characters for ${model}; it has ${length}.`,
  too_long: ({ parameter, model, limit, length }) =>
    `${parameter} must have at most ${limit} characters for ${model}; it has ${length}.`,
  entry_count: ({ parameter, model, min, max, length }) => {
    const range = max === '∞' ? `at least ${min}` : min === 0 ? `at most ${max}` : `${min} to ${max}`
    return `${parameter} must have ${range} entries for ${model}; it has ${length}.`
  },
  wrong_form: ({ parameter, model, pattern, got }) =>
    `${parameter} must match the pattern ${pattern} for ${model}; got ${got}.`,
  member_missing: ({ parameter, model, member }) => `${parameter} must have a member "${member}" for ${model}.`,
  member_unknown: ({ parameter, model, member }) => `${parameter} has no member "${member}" for ${model}.`,
  not_valid: ({ parameter, model, got }) => `${parameter} is not valid for ${model}; got ${got}.`,

  // The size.
  size_type: ({ example }) => `size must be a string such as "${example}".`,
  size_unknown: values => `size "${values.size}" is not one that ${values.model} takes. ${choice(values)}`,
  size_no_ratio: values => `size "${values.size}" is not a ratio. ${choice(values)}`,
  size_ratio_unlisted: values => `${values.model} has no size of the ratio ${values.size}. ${choice(values)}`,
  size_no_area: values => `size ${values.size} has no area. ${choice(values)}`,
  size_no_pixels: values => `${values.model} takes no size in pixels. ${choice(values)}`,
  size_unlisted: ({ model, allowed, nearest, size }) =>
    `${model} takes only the sizes ${allowed}; ${nearest} is the nearest to ${size}.`,
  size_ratio: ({ size, model, shape, min, max, proposal }) =>
    `size ${size} is too ${shape}: ${model} takes ratios from ${min} to ${max}.${advice(proposal)}`,
  size_side: ({ size, model, min, max, proposal }) =>
    `size ${size} has a side out of bounds: ${model} takes ${min} to ${max} pixels a side.${advice(proposal)}`,
  size_area: ({ size, model, area, min, max, proposal }) =>
    `size ${size} has ${number(area)} pixels in all: ${model} takes ${number(min)} to ${number(max)} pixels.${advice(proposal)}`,
  size_multiple: ({ step, size, proposal }) =>
    `Width and height must be multiples of ${step}; got ${size}. Use ${proposal}.`,

  // Several parameters together.
  layers_one_reference: ({ model, got }) =>
    `${model} splits exactly one picture into layers; got ${got}. Give it one in "images".`,
  layers_small_reference: ({ area, example, got }) =>
    `A picture to split into layers needs at least ${area} pixels, as ${example} has; got ${got}.`,
  layers_reference_type: () => 'A picture to split into layers must be PNG or JPEG; got HEIC. Save it as JPEG first.',
  layers_with_background: () => 'A background cannot be chosen together with layers. Leave out one of the two.',
  transparent_format: ({ allowed, got }) =>
    `A transparent background needs ${allowed}; got ${got}. Choose that as output_format.`,
  transparent_reference: ({ model, got }) =>
    `A transparent background needs exactly one reference with ${model}; got ${got}. Give one transparent PNG.`,
  transparent_reference_opaque: ({ model }) =>
    `A transparent background needs a PNG with at least one transparent pixel as the reference of ${model}.`,
  compression_without_loss: () =>
    'output_compression is for jpeg and webp. Choose one of them as output_format, or leave it out.',
  agent_with_references: () => 'The mode "agent" works without references only; use "direct".',
  palette_sum: ({ total }) =>
    `The ratios add up to ${total} and must add up to 100.00%, for example 40.00%, 35.00% and 25.00%.`,
  boxes_per_reference: ({ references, got }) =>
    `There must be one list of boxes for each of the ${references} references, [] for none, not ${got} lists.`,
  box_corners: () =>
    'A box is [x1, y1, x2, y2] with x2 greater than x1 and y2 greater than y1, for example [0, 0, 100, 100].',
  function_one_reference: ({ function: name }) =>
    `The function "${name}" takes 1 reference; send 1, or use "description_edit_with_mask" with a mask as the second.`,
  mask_missing: () =>
    'An edit with a mask takes at least 2 references: the picture, and its mask as the last. Give the mask in "mask", transparent where to change.',
  mask_opaque: () => 'A mask must be a PNG that is transparent where to change the picture.',
  mask_not_taken: ({ model, models }) =>
    `${model} takes no mask. Choose ${models ? `a model that does (${models})` : 'another model'}, or leave the mask out and say in the prompt what to change and where.`,
  mask_one_picture: ({ model, max, got }) =>
    `With a mask ${model} edits ${max === 1 ? 'one picture' : `1 to ${max} pictures`}; got ${got} in "images".`,
  mask_size: ({ got, size }) => `The mask is ${got} and must have the size of the picture, ${size}.`,
} satisfies Record<string, (values: Words) => string>

/** Types of JSON Schema and of zod, in a sentence. */
export const typeNames: Readonly<Record<string, string>> = {
  integer: 'a whole number',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  string: 'a string',
  array: 'a list',
  tuple: 'a list',
  object: 'an object',
  record: 'an object',
}

function choice({ choices, example }: Words) {
  const forms = [choices, example && `a size such as ${example}`].filter(Boolean)
  return forms.length > 0 ? `Choose one of: ${forms.join(', ')}.` : 'Leave size out: the picture follows the input.'
}

function advice(proposal: string | number | undefined) {
  return proposal === undefined ? '' : ` ${proposal} would work.`
}

function many(count: string | number | undefined, noun: string) {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function number(value: string | number | undefined) {
  return typeof value === 'number' ? value.toLocaleString('en-US') : value
}
