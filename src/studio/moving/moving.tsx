/** Moving in: pictures of other programs. Moving out: all that is here, as files. */
import { useQuery } from '@tanstack/react-query'
import { Download, FolderInput } from 'lucide-react'
import { api } from '../data/client.ts'
import { importsQuery } from '../data/imports.ts'
import { useText } from '../text/text.ts'
import { buttonClasses } from '../ui/button.tsx'
import { Page } from '../ui/page.tsx'
import { Loading, Query } from '../ui/query.tsx'
import { EmptyState } from '../ui/states.tsx'
import { ImportCard } from './import-card.tsx'
import { StartImport } from './start-import.tsx'

export function MovingScreen() {
  const t = useText()
  const imports = useQuery(importsQuery)
  const isBusy = imports.data?.items.some(({ finished_at }) => finished_at === null) ?? false
  return (
    <Page title={t('shell.moving')} lead={t('moving.lead')} isLoose>
      <section className="flex flex-col gap-4">
        <h2 className="text-xl">{t('moving.in')}</h2>
        <p className="max-w-prose text-ink-soft text-sm">{t('moving.inHint')}</p>
        <StartImport hasFolder={imports.data?.has_folder ?? false} isBusy={isBusy} />
        <Query
          query={imports}
          failed={t('moving.failed')}
          loading={<Loading className="flex flex-col gap-3" shapes={['h-28']} />}
        >
          {({ items }) =>
            items.length === 0 ? (
              <EmptyState icon={<FolderInput aria-hidden />} title={t('moving.none')}>
                {t('moving.noneHint')}
              </EmptyState>
            ) : (
              <ul aria-label={t('moving.imports')} className="flex flex-col gap-3">
                {items.map(one => (
                  <ImportCard key={one.id} given={one} isBusy={isBusy} />
                ))}
              </ul>
            )
          }
        </Query>
      </section>
      <section className="flex flex-col items-start gap-4">
        <h2 className="text-xl">{t('moving.out')}</h2>
        <p className="max-w-prose text-ink-soft text-sm">{t('moving.outHint')}</p>
        <a href={api.exportUrl({})} download className={buttonClasses()}>
          <Download aria-hidden className="size-5" />
          {t('moving.exportAll')}
        </a>
      </section>
    </Page>
  )
}
