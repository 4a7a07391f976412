/** Where the login at an issuer begins and comes back to, and where it may lead in the end. */
import type { FastifyRequest } from 'fastify'
import { screens } from '../../api/screens.ts'
import { isLoopback } from '../../settings.ts'
import type { Parts } from '../parts.ts'

export const oidcPath = '/login/oidc'

/** Where browsers find this server. Without PUBLIC_URL it serves this machine only, under one of the machine's own names. */
export function baseOf({ settings, prefix }: Parts, { headers, socket }: Pick<FastifyRequest, 'headers' | 'socket'>) {
  if (settings.publicUrl !== undefined) return settings.publicUrl
  const { host = '' } = headers
  const isOwn = isLoopback(
    host
      .replace(/:\d*$/, '')
      .replace(/^\[(.*)\]$/, '$1')
      .toLowerCase(),
  )
  return `http://${isOwn ? host : `127.0.0.1:${socket.localPort}`}${prefix}`
}

/** An address of the studio, as it is after the prefix. Anything else is its first screen: nobody is led elsewhere after a login. */
export function insideStudio(to: unknown): string {
  if (typeof to !== 'string' || to.length > 2000 || !/^\/[\x21-\x7e]*$/.test(to) || to.includes('\\')) return '/'
  const url = URL.parse(to, 'http://studio.invalid')
  if (url?.origin !== 'http://studio.invalid') return '/'
  const isScreen = Object.values(screens).some(screen => {
    const pattern = screen.replace(/:\w+/g, '[^/]+')
    return new RegExp(`^${pattern}$`).test(url.pathname)
  })
  return isScreen ? url.pathname + url.search : '/'
}
