/** The pictures of an edit: how many, of which kind, and the mask. */
import sharp from 'sharp'
import { thumbnailOf } from '../drawing/picture.ts'
import { type ImageModel, imageModels } from './models.ts'
import { badRequest, type Form, type Job, quoted } from './requests.ts'

/** Adds the pictures of the form to the job. @throws Refusal */
export async function addInputs(job: Job, form: Form): Promise<void> {
  const { model } = job
  if (model.maxReferences === 0) {
    const able = imageModels.filter(each => each.maxReferences > 0).map(each => each.id)
    const message = `Invalid value: '${model.id}'. Value must be one of ${quoted(able)}.`
    throw badRequest('invalid_value', message, 'model')
  }
  if (form.images.length > model.maxReferences) {
    const message = `Invalid 'image': array too long. Expected an array with maximum length ${model.maxReferences}, but got an array with length ${form.images.length} instead.`
    throw badRequest('array_above_max_length', message, 'image')
  }
  const images = await Promise.all(form.images.map(file => readImage(file, 'image', model)))
  const first = images[0]!
  if (form.mask) {
    const mask = await readImage(form.mask, 'mask', model)
    if (mask.width !== first.width || mask.height !== first.height || !mask.alpha) {
      const message = 'Invalid mask image format - mask size must match the image size and have an alpha channel.'
      throw badRequest('invalid_mask_image_format', message, 'mask')
    }
  }
  for (const image of images) {
    const preview = await thumbnailOf(image.bytes)
    if (preview) job.references.push(preview)
  }
  job.inputs = images.length
  const { size = 'auto' } = job.parameters
  if (size === 'auto' && model.family === 'gpt-image' && first.width !== first.height) {
    const wide = first.width > first.height
    job.width = wide ? 1536 : 1024
    job.height = wide ? 1024 : 1536
  }
}

const megabyte = 2 ** 20

async function readImage(file: File, name: string, model: ImageModel) {
  const bytes = Buffer.from(await file.arrayBuffer())
  const maxMegabytes = model.family === 'dall-e-2' ? 4 : 50
  if (bytes.length > maxMegabytes * megabyte) {
    throw badRequest('image_too_large', `Invalid image file: must be less than ${maxMegabytes}MB.`, name)
  }
  const { width, height, format, hasAlpha } = await sharp(bytes)
    .metadata()
    .catch(() => {
      const message = 'Invalid image file or mode for image, please check your image file.'
      throw badRequest('invalid_image_file', message, name)
    })
  const types = model.family === 'dall-e-2' || name === 'mask' ? ['png'] : ['png', 'jpeg', 'webp']
  // A file is judged by what it is, and by what the form says it is.
  if (!types.includes(format) || file.type !== `image/${format}`) {
    const supported = quoted(types.map(each => `image/${each}`))
    const message = `Invalid file '${name}': unsupported mimetype ('${file.type}'). Supported file formats are ${supported}.`
    throw badRequest('unsupported_file_mimetype', message, name)
  }
  if (model.family === 'dall-e-2' && width !== height) {
    throw badRequest('invalid_image_size', 'Invalid image size: the image must be square.', name)
  }
  return { bytes, width, height, alpha: hasAlpha }
}
