/**
 * One-line faults of the core that the simulation has to find: `npm run simulate -- --mutations`. Each is made in a copy, so nothing here
 * touches the program.
 */
export interface Mutation {
  /** What is wrong then. */
  name: string
  /** From `src`. */
  file: string
  /** Stands there exactly once. */
  from: string
  to: string
}

export const mutations: readonly Mutation[] = [
  // ── What must be on disk before the next step ─────────────────────────────────────────────────────────────────────
  {
    name: 'steps of the ledger do not wait for the journal',
    file: 'storage/ledger/ledger.ts',
    from: 'if (!laterDurable.has(name)) await database.whenDurable?.()',
    to: '',
  },
  {
    name: '`send` does not wait for the journal',
    file: 'storage/ledger/ledger.ts',
    from: "  'create',\n  'move',",
    to: "  'create',\n  'send',\n  'move',",
  },
  {
    name: '`answer` does not wait for the journal',
    file: 'storage/ledger/ledger.ts',
    from: "  'create',\n  'move',",
    to: "  'create',\n  'answer',\n  'move',",
  },
  {
    name: 'the journal counts commits that came during a sync',
    file: 'storage/sqlite/journal.ts',
    from: 'durable = Math.max(durable, begun)',
    to: 'durable = Math.max(durable, begun, written)',
  },
  {
    name: 'the journal is never synced',
    file: 'storage/sqlite/journal.ts',
    from: '      await sync(descriptor)\n',
    to: '',
  },
  {
    name: 'the file of a picture is not synced',
    file: 'images/download.ts',
    from: '    if (syncs) await handle.sync()\n',
    to: '',
  },
  {
    name: 'the folder of a picture is not synced',
    file: 'storage/files/folder.ts',
    from: '        await syncFolders(dirname(place), firstMade)\n',
    to: '',
  },
  {
    name: 'a new folder is not synced in its parent',
    file: 'storage/files/sync-folder.ts',
    from: '      await syncFolder(dirname(child))\n',
    to: '',
  },
  {
    name: 'a folder that another process has made is taken for durable',
    file: 'storage/files/sync-folder.ts',
    from: 'child !== last &&',
    to: 'firstMade !== undefined && child !== last &&',
  },
  {
    name: 'the file of a growing answer is not synced',
    file: 'storage/answers.ts',
    from: '          await file.datasync()\n',
    to: '',
  },
  {
    name: 'the name of a growing answer is not synced',
    file: 'storage/answers.ts',
    from: '      let file = await opened(name)\n      await syncFolders(folder)\n',
    to: '      let file = await opened(name)\n',
  },
  {
    name: 'a large answer is told before it is on disk',
    file: 'generation/calls/exchange.ts',
    from: '          await keeper.commit()\n          if (streamed.length === 0)',
    to: '          if (streamed.length === 0)',
  },
  // ── What must not be sent again, or at all ────────────────────────────────────────────────────────────────────────
  {
    name: 'the request leaves before the ledger says so',
    file: 'generation/calls/send.ts',
    from: '    if (!(await noteSending(call, context))) return await drop(call)\n    await exchange(call, context)\n',
    to: '    const sent = exchange(call, context)\n    await noteSending(call, context)\n    await sent\n',
  },
  {
    name: 'what may have been billed is sent again',
    file: 'generation/calls/exchange.ts',
    from: "if (failure.disposition === 'retry_safe') return repeatOrRefuse(call, failure)",
    to: "if (failure.disposition !== 'refused') return repeatOrRefuse(call, failure)",
  },
  {
    name: 'an answer with a doubtful error is sent again',
    file: 'generation/calls/process-answer.ts',
    from: "if (parsed.complete && failure.disposition === 'retry_safe')",
    to: "if (parsed.complete && failure.disposition !== 'refused')",
  },
  {
    name: 'a connection that broke proves that nothing was sent',
    file: 'outgoing/client.ts',
    from: "throw isConnected ? lost(error, host, 'headers') : unsent(error, host)",
    to: 'throw unsent(error, host)',
  },
  {
    name: 'what a gateway says of a broken connection is not looked at',
    file: 'providers/failures.ts',
    from: 'return isReset && !',
    to: 'return isReset && false && !',
  },
  {
    name: 'a 503 that broke off counts as a refusal',
    file: 'providers/answers.ts',
    from: 'if (status !== 503 || complete ||',
    to: 'if (status !== 503 || complete || status === 503 ||',
  },
  {
    name: 'after a restart what was sent is refused without cost',
    file: 'generation/calls/in-doubt.ts',
    from: "await settleCall(call, { outcome: 'unknown', charge: 'unknown', error: toErrorRecord({ ...failure, requestId }) })",
    to: "await settleCall(call, { outcome: 'refused', charge: 'none', error: toErrorRecord({ ...failure, requestId }) })",
  },
  {
    name: 'a cancel is not looked at again before sending',
    file: 'generation/run.ts',
    from: '    if (generation.cancelRequested) cancel.abort()\n',
    to: '',
  },
  {
    name: 'a cancel is not looked at where a request is noted as sent',
    file: 'storage/ledger/call-steps.ts',
    from: "  if (changed?.cancelRequested) throw new Undone('cancelled')\n",
    to: '',
  },
  {
    name: 'a cancel is not written',
    file: 'generation/history.ts',
    from: '      await store.ledger.requestCancel({ id })\n',
    to: '',
  },
  {
    name: 'two requests with one key are two generations',
    file: 'storage/ledger/create.ts',
    from: "    if (!isNew) return { type: 'key_taken' }\n",
    to: '',
  },
  // ── Words of money ────────────────────────────────────────────────────────────────────────────────────────────────
  {
    name: 'a cancel that the service refused counts as one',
    file: 'generation/calls/task.ts',
    from: 'if (await provider.cancel?.(task, context)) {',
    to: 'if ((await provider.cancel?.(task, context)) !== undefined) {',
  },
  {
    name: 'a cut answer counts as a whole one',
    file: 'generation/calls/in-doubt.ts',
    from: 'complete: isWholeJson(body) }, file)',
    to: 'complete: true }, file)',
  },
  {
    name: 'the end of a generation forgets what is unknown',
    file: 'generation/finish.ts',
    from: "calls.some(call => call.charge === 'unknown')",
    to: "calls.every(call => call.charge === 'unknown')",
  },
  {
    name: 'a reservation is given back while nobody knows',
    file: 'members/budget.ts',
    from: "  if (ended.charge === 'unknown') return 'keep'\n",
    to: '',
  },
  {
    name: 'a cap is compared without what is asked for',
    file: 'storage/ledger/reservation.ts',
    from: 'totals.images + wanted.images > monthlyImages',
    to: 'totals.images > monthlyImages',
  },
  {
    name: 'a call moves past the cap of another configuration',
    file: 'storage/ledger/reservation.ts',
    from: '    if (await findShortage(db, limit, part)) return false\n',
    to: '    await findShortage(db, limit, part)\n',
  },
  // ── What must not be lost ─────────────────────────────────────────────────────────────────────────────────────────
  {
    name: 'a task that a row knows is adopted once more',
    file: 'generation/calls/adopt.ts',
    from: 'found.filter(id => !known.has(id))',
    to: 'found.filter(id => known.size >= 0 || id)',
  },
  {
    name: 'a lost submit beside another one is not looked at',
    file: 'generation/calls/adopt.ts',
    from: '    if (others.lost > 0) return false\n',
    to: '',
  },
  {
    name: 'a damaged picture is kept at once',
    file: 'images/download.ts',
    from: "if (file.state === 'whole' || file.state === 'not_shown') return file",
    to: "if (file.state !== 'unknown') return file",
  },
  {
    name: 'a picture is given up at its first refusal',
    file: 'images/download.ts',
    from: 'const isFinal = status === 410',
    to: 'const isFinal = status >= 400',
  },
  {
    name: 'a copy that the disk did not take is not kept',
    file: 'images/collect.ts',
    from: 'if (bytes !== kept) best = await longest(best, bytes)',
    to: 'if (bytes !== kept) await rm(bytes.temporaryPath, { force: true }).catch(() => {})',
  },
  {
    name: 'a picture whose name was not synced is not looked for',
    file: 'images/collect.ts',
    from: '    offered.set(id, file)\n',
    to: '',
  },
  {
    name: 'the row of a single picture is not written with the end',
    file: 'storage/ledger/generation-steps.ts',
    from: '  for (const image of images) await repository.insert(image)\n',
    to: '',
  },
  {
    name: 'a file that could not be removed is forgotten',
    file: 'core.ts',
    from: '    await removals.repeat()\n',
    to: '',
  },
  {
    name: 'a follower takes what it is told for all that changed',
    file: 'coordination/events.ts',
    from: 'const isComplete = records?.every(({ revision }, index) => revision === seen + 1 + index)',
    to: 'const isComplete = true',
  },
  {
    name: 'a task of another program is taken without a look at its prompt',
    file: 'generation/calls/poll.ts',
    from: 'if (call.record.wasFound && provider.isOwnTask?.(polled.answer, call.record) === false) return { polled }',
    to: '',
  },
  {
    name: 'nothing is resumed after a start',
    file: 'generation/run.ts',
    from: '      for (const id of unfinished) void run(id)\n',
    to: '',
  },
  {
    name: 'a place is not given back',
    file: 'generation/calls/send.ts',
    from: '  } finally {\n    lease.release()\n',
    to: '  } finally {\n',
  },
  {
    name: 'the repeat of a refused call is not written',
    file: 'storage/ledger/call-steps.ts',
    from: '  await insertCall(db, next)\n',
    to: '',
  },
  {
    name: 'a file without a row is not offered to its generation',
    file: 'core.ts',
    from: '    collector.offer(unrecorded)\n',
    to: '',
  },
]
