import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import tailwind from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import sharp from 'sharp'
import { defineConfig, type Plugin } from 'vite'

const studio = path.join(import.meta.dirname, 'src/studio')
const server = 'http://127.0.0.1:8000'

/** The studio. The server serves what is built here; `npm run studio` shows it while it is being worked on. */
export default defineConfig({
  root: 'src/studio',
  // Every address is relative, so that the same files work under any path.
  base: './',
  plugins: [react(), tailwind(), installable(), compressed()],
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
      input: { index: path.join(studio, 'index.html'), 'service-worker': path.join(studio, 'service-worker.ts') },
      output: {
        entryFileNames: ({ name }) => (name === 'service-worker' ? '[name].js' : 'assets/[name]-[hash].js'),
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

/** What a device needs to install the studio: manifest, icons from the seal, and in the service worker the names of all files. */
function installable(): Plugin {
  const paper = '#f5efe3'
  const icon = (name: string, size: number, purpose: 'any' | 'maskable') => ({
    src: `icons/${name}.png`,
    sizes: `${size}x${size}`,
    type: 'image/png',
    purpose,
  })
  const manifest = {
    id: './',
    name: 'webimgui',
    short_name: 'webimgui',
    // Relative to the manifest, so that they hold under any path.
    start_url: './',
    scope: './',
    display: 'standalone',
    background_color: paper,
    theme_color: paper,
    categories: ['graphics', 'photo'],
    icons: [icon('icon-192', 192, 'any'), icon('icon-512', 512, 'any'), icon('maskable-512', 512, 'maskable')],
    share_target: {
      action: './share',
      method: 'POST',
      enctype: 'multipart/form-data',
      params: { files: [{ name: 'pictures', accept: ['image/*'] }] },
    },
  }
  return {
    name: 'installable',
    apply: 'build',
    transformIndexHtml: () => [
      { tag: 'link', attrs: { rel: 'manifest', href: './manifest.webmanifest' }, injectTo: 'head' },
      { tag: 'link', attrs: { rel: 'apple-touch-icon', href: './icons/touch-180.png' }, injectTo: 'head' },
    ],
    async generateBundle(_, bundle) {
      const seal = await readFile(path.join(studio, 'seal.svg'))
      const drawn = (size: number) => sharp(seal, { density: 1200 }).resize(size, size).png()
      // Devices cut these into their own shapes: the red goes to the edge, and what is drawn stays in the middle.
      const filled = async (size: number) =>
        sharp({ create: { width: size, height: size, channels: 4, background: '#b5372a' } })
          .composite([{ input: await drawn(Math.round(size * 0.8)).toBuffer() }])
          .png()
      const icons = {
        'icon-192': drawn(192),
        'icon-512': drawn(512),
        'maskable-512': await filled(512),
        'touch-180': await filled(180),
      }
      for (const [name, image] of Object.entries(icons)) {
        this.emitFile({ type: 'asset', fileName: `icons/${name}.png`, source: await image.toBuffer() })
      }
      this.emitFile({ type: 'asset', fileName: 'manifest.webmanifest', source: JSON.stringify(manifest) })
      const worker = bundle['service-worker.js']
      if (worker?.type !== 'chunk') this.error('The service worker was not built.')
      const files = Object.keys(bundle).filter(name => name.startsWith('assets/'))
      const version = createHash('sha256').update(files.toSorted().join()).digest('hex').slice(0, 12)
      worker.code = worker.code.replace('shellFiles', () => JSON.stringify({ version, files }))
    },
  }
}

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
