/** The server that this page came from. */
import { QueryClient } from '@tanstack/react-query'
import { createClient } from '../../client/client.ts'
import { ApiError } from '../../client/errors.ts'

export const api = createClient({
  // The server writes its own path into the `<base>` of the page, wherever it is mounted.
  baseUrl: document.baseURI,
  onUnauthorized: () => leaveTo('login?ended'),
})

/** To a page of the server that is not one of the studio. */
export function leaveTo(path: string) {
  location.assign(new URL(path, document.baseURI))
}

export function createQueryClient() {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        retry: (count, error) => count < 2 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
        retryDelay: count => 500 * 2 ** count,
        // Whether the server is there says more than what the browser thinks of the network: it may be on this machine.
        networkMode: 'always',
      },
      mutations: { networkMode: 'always' },
    },
  })
}
