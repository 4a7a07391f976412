/** What a run of the tests makes once (`once.ts`). */
export type Once = 'programs' | 'postgres'

/** Undefined outside of a run of tests, as in `bench`. */
export async function askOnce(name: Once): Promise<string | undefined> {
  const address = process.env.TEST_ONCE
  if (address === undefined) return undefined
  const answer = await fetch(`${address}/${name}`)
  const text = await answer.text()
  if (!answer.ok) throw new Error(text)
  return text
}
