/** What the browser has to load before anything is seen. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, inject, test } from 'vitest'

const folder = inject('studio')
const page = readFileSync(path.join(folder, 'index.html'), 'utf8')
const assets = readdirSync(path.join(folder, 'assets'))

/** Files that the page or another file loads before it does anything. */
function entryScripts() {
  const scripts = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+\.js)"/g)].map(match => match[1]!)
  for (const script of scripts) {
    const code = readFileSync(path.join(folder, script), 'utf8')
    for (const [, name] of code.matchAll(/(?:\bfrom|^import|[;}]import)\s*"\.\/([^"]+\.js)"/g)) {
      if (!scripts.includes(`assets/${name}`)) scripts.push(`assets/${name}`)
    }
  }
  return scripts
}

test('the scripts before the first screen are few, and within 150 kB, compressed', () => {
  const sizes = entryScripts().map(script => gzipSync(readFileSync(path.join(folder, script))).length)

  expect(sizes.length).toBeGreaterThan(1)
  expect(sizes.length).toBeLessThan(10)
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000)
})

test('every screen has a file of its own', () => {
  for (const screen of [
    'generate',
    'gallery',
    'picture',
    'compare',
    'cull',
    'usage',
    'configurations',
    'team',
    'status',
    'welcome',
  ]) {
    expect(assets.filter(name => name.startsWith(`${screen}-`) && name.endsWith('.js'))).toHaveLength(1)
    expect(entryScripts().some(script => script.startsWith(`assets/${screen}-`))).toBe(false)
  }
})

test('nothing stands in the page that its policy forbids, and nothing comes from elsewhere', () => {
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=/)
  expect(page).not.toMatch(/https?:\/\//)
  for (const name of assets.filter(name => name.endsWith('.css'))) {
    expect(readFileSync(path.join(folder, 'assets', name), 'utf8')).not.toMatch(/url\(["']?(https?:)?\/\/|@import/)
  }
})

test('text files stand there compressed as well', () => {
  for (const script of entryScripts()) {
    const { length } = readFileSync(path.join(folder, script))
    if (length >= 2000)
      expect(assets).toEqual(expect.arrayContaining([`${script}.br`, `${script}.gz`].map(name => name.slice(7))))
  }
})
