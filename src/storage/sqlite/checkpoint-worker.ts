/** The thread of the checkpoints. It imports nothing of the program, so that it is there within milliseconds. */
import { DatabaseSync } from 'node:sqlite'
import { parentPort, workerData } from 'node:worker_threads'
import type { Checkpoint, CheckpointResult } from './checkpoints.ts'

const { file } = workerData as { file: string }
const handle = new DatabaseSync(file)
// NORMAL: a checkpoint syncs the journal before it copies, and the database before the journal may be overwritten.
handle.exec('PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON; PRAGMA wal_autocheckpoint = 0')

parentPort?.on('message', (checkpoint: Checkpoint) => parentPort?.postMessage(run(checkpoint)))

function run(checkpoint: Checkpoint): CheckpointResult | undefined {
  try {
    const mode = checkpoint === 'truncate' ? 'TRUNCATE' : 'PASSIVE'
    const found = handle.prepare(`PRAGMA wal_checkpoint(${mode})`).get()
    // The first commit of a journal that begins anew waits for a sync of its header: here, where nobody waits for it.
    if (checkpoint !== 'copy')
      handle.exec("BEGIN IMMEDIATE; UPDATE counters SET value = value WHERE name = 'revision'; COMMIT")
    return { frames: Number(found?.log), left: Number(found?.log) - Number(found?.checkpointed) }
  } catch {
    // A full disk, or another program: everything is in the journal still.
    if (handle.isTransaction) handle.exec('ROLLBACK')
    return undefined
  }
}
