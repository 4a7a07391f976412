/** What an order tells while it runs: people read sentences and see a bar, programs read one event a line. */
import type { Estimate } from '../../api/estimate.ts'
import type { Generation } from '../../api/generations.ts'
import type { Image } from '../../api/images.ts'
import { describeError, exitCodeOf, exitCodes } from './end.ts'
import type { Order, OrderItem } from './orders.ts'
import { brief, plain, print, printJson, say, spellMoney } from './output.ts'
import { createSpending, describePrice, type Price } from './price.ts'
import { createProgress } from './progress.ts'

export interface OrderTeller {
  /** The same was asked for before. */
  found(order: Order): void
  price(estimates: readonly Estimate[], price: Price, isDryRun: boolean): void
  begin(run: { here: OrderItem[]; images: number; price?: Price }): void
  change(generation: Generation): void
  saved(image: Image, file: string, generation: Generation): void
  ended(generation: Generation): void
  failed(item: OrderItem, error: unknown): void
  /** Takes the bar away. */
  clear(): void
  /** @returns the exit code */
  conclude(order: Order, isSentOnly: boolean): number
}

/** What became of it, for both. */
interface Outcome {
  files: string[]
  spent: { amount: number; currency: string }[]
  /** Ended with fewer pictures than were asked for. */
  incomplete: Generation[]
  unclear: OrderItem[]
  isUnderWay: boolean
  unsent: number
  code: number
}

export function createTeller({ json }: { json?: boolean }): OrderTeller {
  const spending = createSpending()
  const ended: Generation[] = []
  const errors: unknown[] = []
  const teller = json ? tellPrograms() : tellPeople(spending)
  return {
    ...teller,
    change(generation) {
      spending.note(generation)
      teller.change(generation)
    },
    ended(generation) {
      ended.push(generation)
      teller.ended(generation)
    },
    failed(item, error) {
      errors.push(error)
      teller.failed(item, error)
    },
    conclude(order, isSentOnly) {
      const outcome = sumUp(order, { ended, errors, spent: spending.spent(), isSentOnly })
      teller.conclude(outcome)
      return outcome.code
    },
  }
}

type Voice = Omit<OrderTeller, 'conclude'> & { conclude(outcome: Outcome): void }

function sumUp(
  { items }: Order,
  {
    ended,
    errors,
    spent,
    isSentOnly,
  }: { ended: Generation[]; errors: unknown[]; spent: Outcome['spent']; isSentOnly: boolean },
): Outcome {
  const facts = {
    files: items.flatMap(item => item.files),
    spent,
    incomplete: ended.filter(({ images, failures }) => images.length === 0 || failures.length > 0),
    unclear: items.filter(({ state }) => state === 'unclear'),
    isUnderWay: items.some(({ state }) => state === 'sent'),
    unsent: isSentOnly ? items.filter(({ state }) => state === 'planned').length : 0,
  }
  return { ...facts, code: chooseCode(facts, errors) }
}

function chooseCode({ files, incomplete, unclear, isUnderWay, unsent }: Omit<Outcome, 'code'>, errors: unknown[]) {
  if (errors.some(error => exitCodeOf(error) === exitCodes.unreachable)) return exitCodes.unreachable
  if (isUnderWay || unsent > 0) return exitCodes.unfinished
  if (incomplete.length > 0 || unclear.length > 0) return exitCodes.missing
  if (errors.length > 0) return files.length > 0 ? exitCodes.missing : exitCodeOf(errors[0])
  return exitCodes.done
}

function tellPrograms(): Voice {
  return {
    found() {},
    price: (estimates, { images, costs, unpriced }) =>
      printJson({ event: 'estimate', images, costs, unpriced, requests: estimates }),
    begin() {},
    change() {},
    saved({ id, width, height, bytes, mime_type, sha256 }, file, generation) {
      const facts = { width, height, bytes, mime_type, sha256 }
      printJson({ event: 'saved', generation_id: generation.id, image_id: id, file, ...facts })
    },
    ended: generation => printJson({ event: 'ended', generation }),
    failed: ({ prompt, generation_id }, error) =>
      printJson({ event: 'error', prompt, generation_id, detail: describeError(error) }),
    clear() {},
    conclude({ files, spent, incomplete, isUnderWay, code }) {
      const missing = incomplete.map(({ id }) => id)
      printJson({ event: 'summary', files, spent, missing, unfinished: isUnderWay, exit_code: code })
    },
  }
}

function tellPeople(spending: ReturnType<typeof createSpending>): Voice {
  const progress = createProgress()
  /** A sentence that is told of one generation need not be told of the next. */
  const told = new Set<string>()
  let images = 0
  let price: Price | undefined

  function sayOnce(text: string | null) {
    if (text === null || told.has(text)) return
    told.add(text)
    progress.above(() => say(plain(text)))
  }

  function show() {
    progress.show(spending.saved(), Math.max(images, spending.saved()), describeSpent(spending.spent(), price))
  }

  return {
    found: sayFound,
    price(estimates, sum, isDryRun) {
      for (const { warnings } of estimates) for (const { message } of warnings) sayOnce(message)
      if (!isDryRun) return say(describePrice(sum))
      print(describePrice(sum))
      for (const { reasons } of estimates) reasons.forEach(sayOnce)
    },
    begin(run) {
      ;({ images, price } = run)
      for (const file of run.here.flatMap(({ files }) => files)) print(file)
      show()
    },
    change(generation) {
      sayOnce(generation.waiting)
      show()
    },
    saved(_image, file) {
      progress.above(() => print(file))
    },
    ended(generation) {
      for (const { message } of generation.warnings) sayOnce(message)
      progress.above(() => sayEnd(generation))
    },
    failed: ({ prompt }, error) => progress.above(() => say(`${brief(prompt, 60)}: ${describeError(error)}`)),
    clear: progress.end,
    conclude: sayOutcome,
  }
}

function sayFound({ made_at: madeAt, items }: Order) {
  const at = new Date(madeAt).toLocaleString('sv-SE')
  const here = items.filter(({ state }) => state === 'collected').length
  const [done, doneZh] =
    items.length > 1 ? [` ${here} of ${items.length} are here.`, `已取回 ${here}/${items.length}。`] : ['', '']
  say(
    `The same was asked for at ${at}; what was made or is being made is not paid for again.${done} --again orders anew.\n${at} 已提交过相同的请求，已生成和生成中的部分不会重复付费。${doneZh}--again 重新下单。`,
  )
}

function describeSpent(spent: readonly { amount: number; currency: string }[], price: Price | undefined) {
  const max = price?.costs.map(({ max, currency }) => spellMoney({ amount: max, currency })).join(' + ')
  return `${spent.map(spellMoney).join(' + ') || '0'}${max ? ` / ≤ ${max}` : ''}`
}

function sayEnd({ error, failures, advice, prompt, images }: Generation) {
  if (error) say(`${brief(prompt, 60)}: ${plain(error.message)} (${error.code})`)
  else if (failures.length > 0) {
    const reasons = [...new Set(failures.map(({ message }) => plain(message)))]
    say(`${brief(prompt, 60)}: ${images.length} of ${images.length + failures.length}. ${reasons.join(' ')}`)
  }
  if (advice) say(`${advice.en} ${advice.zh}`)
}

function sayOutcome({ files, spent, incomplete, unclear, isUnderWay, unsent }: Outcome) {
  const sum = spent.map(spellMoney).join(' + ') || '0'
  say(`Saved 已保存: ${files.length} ${files.length === 1 ? 'picture' : 'pictures'} 张; spent 花费 ${sum}`)
  for (const { prompt, generation_id: id } of unclear) {
    const [again, againZh] = id
      ? [`\`webimgui retry ${id}\`, or --again`, `webimgui retry ${id} 或 --again`]
      : ['--again', '--again']
    say(
      `"${brief(prompt, 60)}" may have been paid for, so it is not asked for again. Look at the service's usage page; then ${again}. 可能已被收费，不会自动重试；请先查看服务商的用量页面，再用 ${againZh}。`,
    )
  }
  const partly = incomplete.filter(({ images }) => images.length > 0)
  if (partly.length > 0) {
    say(`What is missing alone 只补缺失的图片: webimgui retry ${partly.map(({ id }) => id).join(' ')}`)
  }
  if (unsent > 0) {
    say(
      `${unsent} of it was never sent; the same command asks for it. 另有 ${unsent} 条从未发送，重新执行同一命令即可。`,
    )
  }
  if (isUnderWay) {
    say(
      'The rest goes on at the server; the same command, or `webimgui resume`, collects it. 其余部分仍在服务器进行，重新执行同一命令或运行 webimgui resume 即可取回。',
    )
  }
}
