import type { Recipe } from '../../api/recipes.ts'
import type { Generation } from './generations.ts'

/** What is taken into the form: `navigate({ to: '/', state: { recipe } })`. */
export type TakenRecipe = Pick<Recipe, 'prompt' | 'model' | 'parameters'> & { references: { id: string }[] }

export function toRecipe({ prompt, model, parameters, references }: Generation): TakenRecipe {
  return { prompt, model, parameters, references: references.map(({ id }) => ({ id })) }
}
