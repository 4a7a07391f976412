/** Rows of `model_lists` and `listed_models`: what services said of their own models. */
import type { Connection } from './connection.ts'
import type { ListedModelRecord, ModelListRecord } from './records.ts'
import { inTransaction } from './transaction.ts'

export function createListedModelRepository(db: Connection) {
  return {
    async all(): Promise<ListedModelRecord[]> {
      const rows = await db.selectFrom('listed_models').selectAll().orderBy('model_id').execute()
      return rows.map(row => ({
        provider: row.provider,
        place: row.place,
        id: row.model_id,
        status: row.status as ListedModelRecord['status'],
        word: row.word,
        told: JSON.parse(row.told),
        since: row.status_since,
        seenAt: row.seen_at,
      }))
    },

    async lists(): Promise<ModelListRecord[]> {
      const rows = await db.selectFrom('model_lists').selectAll().execute()
      return rows.map(row => ({
        provider: row.provider,
        place: row.place,
        askedAt: row.asked_at,
        answeredAt: row.answered_at,
      }))
    },

    /** `since` changes only with the status. */
    async keep(model: Omit<ListedModelRecord, 'since'>) {
      const columns = {
        status: model.status,
        word: model.word,
        told: JSON.stringify(model.told),
        seen_at: model.seenAt,
      }
      const key = { provider: model.provider, place: model.place, model_id: model.id }
      await db
        .insertInto('listed_models')
        .values({ ...key, ...columns, status_since: null })
        .onConflict(conflict =>
          conflict.columns(['provider', 'place', 'model_id']).doUpdateSet(({ eb, ref }) => ({
            ...columns,
            status_since: eb
              .case()
              .when('listed_models.status', '=', model.status)
              .then(ref('listed_models.status_since'))
              .else(model.seenAt)
              .end(),
          })),
        )
        .execute()
    },

    /** Stores that a list came, or none, and what it says about its models. */
    keepList(
      { provider, place, askedAt, answeredAt }: ModelListRecord,
      models: Omit<ListedModelRecord, 'since'>[] = [],
    ) {
      const columns = { asked_at: askedAt, answered_at: answeredAt }
      return inTransaction(db, async transaction => {
        const repository = createListedModelRepository(transaction)
        for (const model of models) await repository.keep(model)
        await transaction
          .insertInto('model_lists')
          .values({ provider, place, ...columns })
          .onConflict(conflict => conflict.columns(['provider', 'place']).doUpdateSet(columns))
          .execute()
      })
    },
  }
}
