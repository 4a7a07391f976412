import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import tailwind from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

const server = 'http://127.0.0.1:8000'

/** The studio. The server serves what is built here; `npm run studio` shows it while it is being worked on. */
export default defineConfig({
  root: 'src/studio',
  // Every address is relative, so that the same files work under any path.
  base: './',
  plugins: [react(), tailwind(), compressed()],
  build: {
    outDir: '../../dist/studio',
    emptyOutDir: true,
    target: 'es2023',
    // The content security policy knows no inlined files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    // What is bundled brings its notices along.
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      output: {
        // A screen is found by its name among the files, and what several of them share is not taken for one.
        chunkFileNames: ({ isDynamicEntry, name }) =>
          isDynamicEntry ? 'assets/[name]-[hash].js' : `assets/shared-${name.split('~')[0]}-[hash].js`,
        // Few files: a request costs more than the code of an icon that it brings.
        codeSplitting: {
          groups: [
            { name: 'base', priority: 2, tags: ['$initial'], minShareCount: 2 },
            // In one file, so that none of its classes waits for a file that waits for it.
            {
              name: 'components',
              priority: 1,
              test: /[\\/]node_modules[\\/]@(base-ui|floating-ui)[\\/]/,
              minShareCount: 2,
            },
            { name: 'screens', minShareCount: 2, entriesAware: true, entriesAwareMergeThreshold: 20_000 },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      '/api': server,
      '^/images/': server,
      '/login': server,
      '/docs': server,
      '/health': server,
      '/ready': server,
    },
  },
})

/** Puts the compressed forms of every larger text file beside it; the server sends them to browsers that take them. */
function compressed(): Plugin {
  return {
    name: 'compressed',
    apply: 'build',
    async writeBundle({ dir = '' }, bundle) {
      for (const name of Object.keys(bundle)) {
        if (!/\.(js|css|svg)$/.test(name)) continue
        const file = path.join(dir, name)
        const text = await readFile(file)
        if (text.length < 2000) continue
        // The best quality would take as long again for a hundredth of the size.
        const brotli = brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } })
        await writeFile(`${file}.br`, brotli)
        await writeFile(`${file}.gz`, gzipSync(text))
      }
    },
  }
}
