/** A long history: filled in the form of the previous program, which the program takes over, and the floor reads as it is. */
import { DatabaseSync } from 'node:sqlite'
import { median, withPool } from './load.ts'
import { createFolder, startProgram, type Target } from './programs.ts'

const subjects = [
  '水墨山水',
  '江南烟雨',
  'a quiet street',
  'a fox in the snow',
  '敦煌飞天',
  'neon city',
  '青花瓷',
  '竹林',
]
const styles = ['工笔', 'watercolour', '写意', 'film grain', '版画', 'ukiyo-e', '水彩', 'isometric']
const perQuestion = 40

const questions: [name: string, query: string, isForFloor: boolean][] = [
  ['first page of 100', 'limit=100', true],
  ['a common word', 'limit=20&q=watercolour', true],
  ['a rare word', 'limit=20&q=zyxquill', true],
  ['a word that nobody wrote', 'limit=20&q=qqqwwwzzz', true],
  ['two Chinese characters', `limit=20&q=${encodeURIComponent('竹林')}`, false],
]

/** Milliseconds of each question, and of a start on the rows. */
export async function measureRows(target: Target, rows: number, service: string) {
  const folder = createFolder()
  const database = `${folder}/history.db`
  fill(database, rows, target !== 'webimgui')
  const times: Record<string, number> = {}
  const first = await startProgram(target, { service, folder, database })
  if (target === 'webimgui') times['taking over'] = first.startMs
  await first.stop()
  const program = await startProgram(target, { service, folder, database })
  times.start = program.startMs
  try {
    await withPool(program.origin, 1, async pool => {
      for (const [name, query, isForFloor] of questions) {
        if (target !== 'webimgui' && !isForFloor) continue
        const taken: number[] = []
        for (let round = 0; round < perQuestion; round++) {
          const began = performance.now()
          const { statusCode, body } = await pool.request({ method: 'GET', path: `/api/history?${query}` })
          await body.text()
          if (statusCode !== 200) throw new Error(`${name}: answered ${statusCode}`)
          taken.push(performance.now() - began)
        }
        times[name] = median(taken)
      }
    })
  } finally {
    await program.stop()
  }
  return times
}

function fill(file: string, rows: number, hasWords: boolean) {
  const database = new DatabaseSync(file)
  database.exec(`
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
    CREATE TABLE configurations (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(200) NOT NULL, provider VARCHAR(50) NOT NULL, api_key TEXT NOT NULL, model VARCHAR(200), is_active BOOLEAN);
    CREATE TABLE chat_history (id INTEGER NOT NULL PRIMARY KEY, prompt TEXT NOT NULL, image_urls TEXT, timestamp INTEGER NOT NULL, model VARCHAR(200), parameters TEXT);
    BEGIN;
  `)
  const insert = database.prepare('INSERT INTO chat_history VALUES (?, ?, ?, ?, ?, ?)')
  for (let row = 1; row <= rows; row++) {
    const rare = row % Math.ceil(rows / 10) === 7 ? ' zyxquill' : ''
    const prompt = `${subjects[row % 8]}, ${styles[(row * 7919) % 8]}, ${(row * 2654435761) % 1_000_003}${rare}`
    const image = JSON.stringify([`/images/${row.toString(16).padStart(32, '0')}.jpeg`])
    insert.run(row, prompt, image, 1_735_689_600_000 + row * 30_000, 'qwen-image-plus', '{"size":"1328x1328"}')
  }
  database.exec('COMMIT')
  if (hasWords) {
    database.exec(`
      CREATE VIRTUAL TABLE words USING fts5(prompt, content='chat_history', content_rowid='id', tokenize='trigram');
      INSERT INTO words(words) VALUES ('rebuild');
    `)
  }
  database.close()
}
