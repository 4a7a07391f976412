import tailwind from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const server = 'http://127.0.0.1:8000'

/** The studio. The server serves what is built here; `npm run studio` shows it while it is being worked on. */
export default defineConfig({
  root: 'src/studio',
  // Every address is relative, so that the same files work under any path.
  base: './',
  plugins: [react(), tailwind()],
  build: {
    outDir: '../../dist/studio',
    emptyOutDir: true,
    target: 'es2023',
    // The content security policy knows no inlined files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
  server: {
    proxy: { '/api': server, '^/images/': server, '/login': server, '/docs': server, '/health': server },
  },
})
