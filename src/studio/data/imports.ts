/** Imports, which go on at the server whoever looks. */
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { api } from './client.ts'
import { useMe } from './tokens.ts'

export type { Import } from '../../api/imports.ts'

const lookEveryMs = 1000

export const importsQuery = queryOptions({
  queryKey: ['imports'],
  queryFn: api.imports.list,
  staleTime: 0,
  // No event tells of it; nobody asks while nothing goes on.
  refetchInterval: ({ state: { data } }) =>
    data?.items.some(({ state }) => state === 'running') ? lookEveryMs : false,
})

const none: readonly { id: string; name: string }[] = []

/** The programs whose pictures are in the gallery, and their names; only administrators see those. */
export function useImportSources({ isNeeded = true } = {}) {
  const isAdmin = useMe()?.role === 'admin'
  return useQuery({ ...importsQuery, refetchInterval: false, enabled: isAdmin && isNeeded }).data?.sources ?? none
}

export function folderQuery(path: string) {
  return queryOptions({
    queryKey: [...importsQuery.queryKey, 'folder', path],
    queryFn: () => api.imports.folder(path),
    staleTime: 0,
  })
}

/** Of a file of the own machine, which is uploaded first, or of something in the allowed folder. */
export type ImportSource = { file: File; onProgress(share: number): void } | { path: string }

export function useStartImport() {
  const client = useQueryClient()
  return useMutation({
    async mutationFn(source: ImportSource) {
      if ('path' in source) return api.imports.start({ path: source.path })
      const upload = await api.imports.upload(source.file, { name: source.file.name, onProgress: source.onProgress })
      return api.imports.start({ upload })
    },
    onSettled: () => client.invalidateQueries({ queryKey: importsQuery.queryKey }),
  })
}

export function useChangeImport(id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (state: 'running' | 'paused' | 'stopped') => api.imports.change(id, { state }),
    onSettled: () => client.invalidateQueries({ queryKey: importsQuery.queryKey }),
  })
}
