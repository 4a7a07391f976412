/** An error whose message is one sentence for whoever runs this program, in both of its languages. */
export class SentenceError extends Error {
  override name = 'SentenceError'
  /** The message in Chinese. */
  readonly zh: string

  constructor(en: string, zh: string, options: { cause?: unknown } = {}) {
    super(en, options)
    this.zh = zh
  }
}
