/** The programs whose pictures can be taken over; `files` are pictures that do not tell what made them. */
export const sourceNames = {
  webimgui: 'webimgui',
  a1111: 'AUTOMATIC1111',
  comfyui: 'ComfyUI',
  invokeai: 'InvokeAI',
  swarmui: 'SwarmUI',
  novelai: 'NovelAI',
  'gpt-image-playground': 'gpt_image_playground',
  'nova-image-studio': 'nova-image-studio',
  files: 'files',
} as const

export type Source = keyof typeof sourceNames
