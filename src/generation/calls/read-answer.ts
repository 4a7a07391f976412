/** Reads the file of an answer, which may have been moved away. */
import { resultLifeMs } from '../../images/collect.ts'
import type { OpenCall } from './open.ts'
import { throwIfStopping } from './open.ts'
import { note, wait } from './until-stored.ts'

/** The body of an answer; undefined when its file is lost for good. */
export function readAnswer(call: OpenCall, file: string): Promise<string | undefined> {
  return readUntilThere(call, file, () => call.parts.answers.read(file))
}

/** A missing file may be put back; it is given up when the images of the answer have expired, or with a cancel. */
export async function readUntilThere<T>(
  call: OpenCall,
  file: string,
  read: () => Promise<T | undefined>,
): Promise<T | undefined> {
  const { pauses, stopping } = call.parts
  const { cancelled } = call.generation
  const beganAt = performance.now()
  for (let tries = 1; ; tries++) {
    const found = await read()
    if (found !== undefined || cancelled.aborted || performance.now() - beganAt > pauses.scaled(resultLifeMs)) {
      await note(call, null)
      return found
    }
    const message = `The file answers/${file} of the data folder, which holds the answer of the service, is missing. Put it back, or cancel the generation to give up its pictures.`
    await note(call, { code: 'answer_file_gone', message, values: { file: `answers/${file}` } })
    await wait(call, pauses.storing(tries), cancelled, stopping)
    throwIfStopping(call)
  }
}
