/** Puts the studio into its page. */
import { followActivity } from './data/activity.ts'
import { createQueryClient } from './data/client.ts'
import { configurationsQuery } from './data/configurations.ts'
import { recentQuery } from './data/generations.ts'
import { modelsQuery } from './data/models.ts'
import { providersQuery } from './data/providers.ts'
import { meQuery } from './data/tokens.ts'
import './theme.css'
import { CSPProvider } from '@base-ui/react/csp-provider'
import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { createRoot } from 'react-dom/client'
import { followEvents } from './data/events.ts'
import { createKept } from './data/store.ts'
import { followInstallation } from './shell/installed.ts'
import { createStudioRouter, preloadScreens } from './shell/router.tsx'
import { applyTheme } from './shell/theme.ts'
import { loadLanguage, startingLanguage } from './text/text.ts'

applyTheme()
const client = createQueryClient()
// Data of the first screen is requested before its code.
void client.prefetchQuery(modelsQuery)
void client.prefetchQuery(recentQuery)
// The account decides which screens there are, the demo what stands above them; the page waits for both, but not long.
const known = Promise.race([
  Promise.all([
    client.prefetchQuery(meQuery),
    client.prefetchQuery(configurationsQuery),
    client.prefetchQuery(providersQuery),
  ]),
  new Promise(resolve => setTimeout(resolve, 400)),
])
await Promise.all([loadLanguage(startingLanguage()), known])
followEvents(client)
followActivity((generation, running) => {
  void import('./shell/signals.ts').then(({ signalEnd }) => signalEnd(generation, running))
})
// Presses that waited for the server when the page was loaded again.
if (createKept('outbox', Boolean, { isOfTab: true }).read()) {
  void import('./actions/press.ts').then(({ resumePresses }) => resumePresses(client))
}

createRoot(document.querySelector('#studio')!).render(
  // The policy of the page allows no style elements; theme.css has what they would hold.
  <CSPProvider disableStyleElements>
    <QueryClientProvider client={client}>
      <RouterProvider router={createStudioRouter()} />
    </QueryClientProvider>
  </CSPProvider>,
)

// Safari has no idle callback.
const inQuiet = window.requestIdleCallback ?? ((callback: () => void) => setTimeout(callback, 1000))
inQuiet(() => void preloadScreens(), { timeout: 5000 })
followInstallation()
