import path from 'node:path'
import { defineConfig, type Plugin } from 'vite'

const root = import.meta.dirname

/** The server in a few files, which `tools/webimgui.mjs` starts when they are not older than the sources. */
export default defineConfig({
  root,
  plugins: [workers()],
  // These bring files of their own that they look for beside themselves.
  ssr: { noExternal: true, external: ['sharp', '@scalar/fastify-api-reference'] },
  build: {
    ssr: true,
    outDir: 'dist/server',
    emptyOutDir: true,
    copyPublicDir: false,
    target: 'node24',
    minify: false,
    reportCompressedSize: false,
    rolldownOptions: {
      input: { main: path.join(root, 'src/main.ts') },
      output: { entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
    },
  },
})

/** `new Worker(new URL('./name.ts', import.meta.url))` names a file of the bundle as it names one of the sources. */
function workers(): Plugin {
  const named = /new Worker\(\s*new URL\(\s*'(\.[^']+\.ts)',\s*import\.meta\.url\s*\)/g
  return {
    name: 'workers',
    apply: 'build',
    // Before the types are taken away, and the form with them.
    enforce: 'pre',
    transform(code, id) {
      if (!code.includes('new Worker(')) return null
      return code.replace(named, (_, file: string) => {
        const fileName = `${path.basename(file, '.ts')}.mjs`
        this.emitFile({ type: 'chunk', id: path.join(path.dirname(id), file), fileName })
        return `new Worker(new URL('./${fileName}', import.meta.url)`
      })
    },
  }
}
