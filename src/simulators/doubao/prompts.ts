/** What the simulated Ark reads out of a prompt. */

const chinese = '一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五'.split(' ')
const english = 'one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen'.split(' ')
const numerals = new Map([chinese, english].flatMap(words => words.map((word, index) => [word, index + 1] as const)))
numerals.set('两', 2)

/** How many pictures the words ask for; undefined when they do not say. */
export function countInPrompt(prompt: string): number | undefined {
  // The longest first: fifteen is not five.
  const words = [...numerals.keys()].toSorted((a, b) => b.length - a.length).join('|')
  const found =
    new RegExp(`(\\d+|${words})\\s*(?:张|幅|页|格)`, 'i').exec(prompt) ??
    new RegExp(
      `\\b(\\d+|${words})\\s+(?:[a-z-]+\\s+){0,2}?(?:images?|pictures?|photos?|illustrations?|frames?|panels?|scenes?)\\b`,
      'i',
    ).exec(prompt)
  const word = found?.[1]?.toLowerCase()
  return word === undefined ? undefined : (numerals.get(word) ?? Number(word))
}
