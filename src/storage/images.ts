/** Rows of `images`: every stored picture, made or given as a reference. */
import { type Insertable, type InsertResult, type Selectable, sql } from 'kysely'
import type { Connection } from './connection.ts'
import { presentDay } from './days.ts'
import { pick, prepareForEach } from './prepared.ts'
import type { ImageRecord } from './records.ts'
import type { ImagesTable } from './tables.ts'
import { isOrphan } from './trouble.ts'

/** A reference of a generation, with its form that is sent. */
export interface UsedReference {
  image: ImageRecord
  preparedFile: string
  preparedType: string
}

const insert = prepareForEach<Omit<Insertable<ImagesTable>, 'day'>, InsertResult>((db, given, columns) =>
  db
    .insertInto('images')
    .values({ ...pick(given, columns), day: presentDay })
    .onConflict(conflict => conflict.doNothing()),
)

/** `reading` answers what may take long. */
export function createImageRepository(db: Connection, reading = db) {
  return {
    /** False when the generation has a picture at this position already. */
    async insert(image: ImageRecord): Promise<boolean> {
      const row = {
        id: image.id,
        role: image.role,
        generation_id: image.generationId,
        call_id: image.callId,
        position: image.index,
        file: image.file,
        width: image.width,
        height: image.height,
        bytes: image.bytes,
        mime_type: image.mimeType,
        sha256: image.sha256,
        created_at: image.createdAt,
        details: image.details === null ? null : JSON.stringify(image.details),
      }
      return (await insert(Object.keys(row)).run(db, row)) > 0
    },

    async find(id: string): Promise<ImageRecord | undefined> {
      const row = await db.selectFrom('images').selectAll().where('id', '=', id).executeTakeFirst()
      return row && toImage(row)
    },

    /** An image that this token may see: made or used by one of its generations, or uploaded by it. */
    async findOf(id: string, owner: string): Promise<ImageRecord | undefined> {
      const row = await db
        .selectFrom('images')
        .selectAll()
        .where('id', '=', id)
        .where(({ or, exists, selectFrom }) =>
          or([
            exists(
              selectFrom('chat_history')
                .select('chat_history.id')
                .whereRef('chat_history.id', '=', 'images.generation_id')
                .where('chat_history.token_id', '=', owner),
            ),
            exists(
              selectFrom('reference_owners')
                .select('reference_owners.image_id')
                .whereRef('reference_owners.image_id', '=', 'images.id')
                .where('reference_owners.token_id', '=', owner),
            ),
            exists(
              selectFrom('generation_references')
                .innerJoin('chat_history', 'chat_history.id', 'generation_references.generation_id')
                .select('generation_references.image_id')
                .whereRef('generation_references.image_id', '=', 'images.id')
                .where('chat_history.token_id', '=', owner),
            ),
          ]),
        )
        .executeTakeFirst()
      return row && toImage(row)
    },

    /** False when there is no such image any more. `owner` is empty for the access token of the server. */
    async addOwner(id: string, owner: string): Promise<boolean> {
      try {
        await db
          .insertInto('reference_owners')
          .values({ image_id: id, token_id: owner })
          .onConflict(conflict => conflict.columns(['image_id', 'token_id']).doNothing())
          .execute()
        return true
      } catch (error) {
        if (isOrphan(error)) return false
        throw error
      }
    },

    /** True when somebody else still owns it. */
    async removeOwner(id: string, owner: string): Promise<boolean> {
      await db.deleteFrom('reference_owners').where('image_id', '=', id).where('token_id', '=', owner).execute()
      const other = await db
        .selectFrom('reference_owners')
        .select('image_id')
        .where('image_id', '=', id)
        .executeTakeFirst()
      return other !== undefined
    },

    async isUsedBy(id: string, owner: string): Promise<boolean> {
      const row = await db
        .selectFrom('generation_references')
        .innerJoin('chat_history', 'chat_history.id', 'generation_references.generation_id')
        .select('generation_references.image_id')
        .where('generation_references.image_id', '=', id)
        .where('chat_history.token_id', '=', owner)
        .executeTakeFirst()
      return row !== undefined
    },

    /** A stored reference with exactly these bytes. */
    async findReference(sha256: string): Promise<ImageRecord | undefined> {
      const row = await db
        .selectFrom('images')
        .selectAll()
        .where('sha256', '=', sha256)
        .where('role', '=', 'reference')
        .executeTakeFirst()
      return row && toImage(row)
    },

    /** How many there are, references included. */
    async count(): Promise<number> {
      const row = await reading.selectFrom('images').select(sql<number>`count(*)`.as('count')).executeTakeFirstOrThrow()
      return Number(row.count)
    },

    /** In the order of ids, behind that one. */
    async behind(id: string, limit: number): Promise<ImageRecord[]> {
      const query = reading.selectFrom('images').selectAll().where('id', '>', id).orderBy('id').limit(limit)
      return (await query.execute()).map(toImage)
    },

    /** Where the files of these are, by id. */
    async places(ids: readonly string[]): Promise<Map<string, { file: string; role: string }>> {
      if (ids.length === 0) return new Map()
      const rows = await reading.selectFrom('images').select(['id', 'file', 'role']).where('id', 'in', ids).execute()
      return new Map(rows.map(({ id, ...place }) => [id, place]))
    },

    async ofGenerations(ids: string[]): Promise<ImageRecord[]> {
      if (ids.length === 0) return []
      const rows = await db.selectFrom('images').selectAll().where('generation_id', 'in', ids).execute()
      return rows.map(toImage)
    },

    async isUsed(id: string): Promise<boolean> {
      const row = await db
        .selectFrom('generation_references')
        .select('image_id')
        .where('image_id', '=', id)
        .executeTakeFirst()
      return row !== undefined
    },

    /** References that no generation uses and that are of a day before this one, see `days.ts`. */
    async unusedReferences(before: number): Promise<ImageRecord[]> {
      const rows = await reading
        .selectFrom('images')
        .selectAll()
        .where('role', '=', 'reference')
        .where('day', '<', before)
        .where(({ not, exists, selectFrom }) =>
          not(exists(selectFrom('generation_references').select('image_id').whereRef('image_id', '=', 'images.id'))),
        )
        .limit(500)
        .execute()
      return rows.map(toImage)
    },

    async remove(id: string) {
      await db.deleteFrom('images').where('id', '=', id).execute()
    },

    /** In the order of the request. */
    async addReferences(generationId: string, references: readonly UsedReference[]) {
      if (references.length === 0) return
      await db
        .insertInto('generation_references')
        .values(
          references.map(({ image, preparedFile, preparedType }, position) => ({
            generation_id: generationId,
            position,
            image_id: image.id,
            prepared_file: preparedFile,
            prepared_type: preparedType,
          })),
        )
        .execute()
    },

    /** The form of a reference that is sent, while the generation is not ended. */
    async preparedReference(
      generationId: string,
      position: number,
    ): Promise<{ file: string; mimeType: string } | undefined> {
      const row = await db
        .selectFrom('generation_references')
        .selectAll()
        .where('generation_id', '=', generationId)
        .where('position', '=', position)
        .executeTakeFirst()
      return row?.prepared_file ? { file: row.prepared_file, mimeType: row.prepared_type ?? 'image/png' } : undefined
    },

    /** The forms of references that were sent, which the rows forget now. */
    async takePrepared(generationId: string): Promise<string[]> {
      const rows = await db
        .selectFrom('generation_references')
        .select('prepared_file')
        .where('generation_id', '=', generationId)
        .execute()
      await db
        .updateTable('generation_references')
        .set({ prepared_file: null })
        .where('generation_id', '=', generationId)
        .execute()
      return rows.map(row => row.prepared_file).filter(file => file !== null)
    },
  }
}

export function toImage(row: Selectable<ImagesTable>): ImageRecord {
  return {
    id: row.id,
    role: row.role as ImageRecord['role'],
    generationId: row.generation_id,
    callId: row.call_id,
    index: row.position,
    file: row.file,
    width: row.width,
    height: row.height,
    bytes: Number(row.bytes),
    mimeType: row.mime_type,
    sha256: row.sha256,
    createdAt: row.created_at,
    details: row.details === null ? null : JSON.parse(row.details),
  }
}
