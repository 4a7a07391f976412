#!/usr/bin/env node
// Starts the program: the built server, or the sources where they are younger, as in the checkout of whoever changes them.
import './node-runtime/check.mjs'
import './allocator.mjs'
import module from 'node:module'
import { built, isUpToDate } from './built.mjs'

if (isUpToDate(built.server)) {
  // What was compiled once is kept beside it, and goes with it at the next build.
  module.enableCompileCache(`${import.meta.dirname}/../dist/server/compiled`)
  // Normally it is written when the process ends; one that is killed would never have it.
  setTimeout(() => module.flushCompileCache(), 10_000).unref()
  await import(`../${built.server.file}`)
} else {
  await import('../src/main.ts')
}
