/** The addresses of the studio's screens. The server answers them with its page, and any other with a 404. */
export const screens = {
  generate: '/',
  gallery: '/gallery',
  picture: '/picture/:generationId',
  compare: '/compare',
  cull: '/cull',
  usage: '/usage',
  configurations: '/configurations',
  team: '/team',
  moving: '/moving',
  status: '/status',
  welcome: '/welcome',
} as const
