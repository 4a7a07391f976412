import { isBuiltin } from 'node:module'
import path from 'node:path'
import { defineConfig, type Plugin } from 'vite'
import packageFile from './package.json' with { type: 'json' }

const root = import.meta.dirname

/** The server in a few files, which `tools/webimgui.mjs` starts when they are not older than the sources. */
export default defineConfig({
  root,
  plugins: [builtins(), workers()],
  // These look for files beside themselves, or load packages by a name that is only known when they run; `dependencies` has them.
  ssr: { noExternal: true, external: Object.keys(packageFile.dependencies) },
  build: {
    ssr: true,
    outDir: 'dist/server',
    emptyOutDir: true,
    copyPublicDir: false,
    target: 'node24',
    minify: false,
    reportCompressedSize: false,
    // What is bundled brings its notices along.
    license: { fileName: 'licenses.md' },
    rolldownOptions: {
      input: { main: path.join(root, 'src/main.ts') },
      output: {
        comments: { legal: true, annotation: false, jsdoc: false },
        entryFileNames: '[name].mjs',
        chunkFileNames: '[name]-[hash].mjs',
      },
    },
  },
})

/** `new Worker(new URL('./name.ts', import.meta.url))`, and `fork` in the same way, name a file of the bundle as they name one of the sources. */
function workers(): Plugin {
  const named = /(new Worker|\bfork)\(\s*new URL\(\s*'(\.[^']+\.ts)',\s*import\.meta\.url\s*\)/g
  return {
    name: 'workers',
    apply: 'build',
    // Before the types are taken away, and the form with them.
    enforce: 'pre',
    transform(code, id) {
      if (!/new Worker\(|\bfork\(/.test(code)) return null
      return code.replace(named, (_, call: string, file: string) => {
        const fileName = `${path.basename(file, '.ts')}.mjs`
        this.emitFile({ type: 'chunk', id: path.join(path.dirname(id), file), fileName })
        return `${call}(new URL('./${fileName}', import.meta.url)`
      })
    },
  }
}

/** Importing `node:http` reads every member of it, and one of them loads all that is behind `fetch`: here only what is used is read. */
function builtins(): Plugin {
  const prefix = '\0builtin:'
  return {
    name: 'builtins',
    apply: 'build',
    enforce: 'pre',
    resolveId: (name, _importer, { kind }) =>
      isBuiltin(name) && kind !== 'require-call' ? { id: prefix + name, moduleSideEffects: false } : null,
    load(id) {
      if (!id.startsWith(prefix)) return null
      const name = JSON.stringify(id.slice(prefix.length))
      const members = Object.keys(process.getBuiltinModule(id.slice(prefix.length)) ?? {})
      return [
        `const $builtin = process.getBuiltinModule(${name})`,
        'const $read = name => $builtin[name]',
        'export default $builtin',
        ...members.map(member => `export const ${member} = /* @__PURE__ */ $read('${member}')`),
      ].join('\n')
    },
  }
}
