/** Puts the studio into its page. */
import './theme.css'
import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import { createQueryClient, meQuery, modelsQuery, recentQuery } from './api.ts'
import { followEvents } from './events.ts'
import { createStudioRouter } from './router.tsx'
import { loadLanguage, startingLanguage } from './text/text.ts'
import { applyTheme } from './theme.ts'

applyTheme()
const client = createQueryClient()
// What the first screen needs is on its way before its code is.
void client.prefetchQuery(modelsQuery)
void client.prefetchQuery(recentQuery)
// Which ways there are depends on who it is; nobody waits long for that.
const known = Promise.race([client.prefetchQuery(meQuery), new Promise(resolve => setTimeout(resolve, 400))])
await Promise.all([loadLanguage(startingLanguage()), known])
followEvents(client)

createRoot(document.querySelector('#studio')!).render(
  // The policy of the page allows no style elements; theme.css has what they would hold.
  <CSPProvider disableStyleElements>
    <QueryClientProvider client={client}>
      <RouterProvider router={createStudioRouter()} />
    </QueryClientProvider>
  </CSPProvider>,
)
