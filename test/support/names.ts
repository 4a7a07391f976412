/** Every parameter name that some model of the shipped catalogue knows. */
import { collectNames } from '../../src/catalogue/parameters.ts'
import { shipped } from '../../src/providers/index.ts'

export const knownNames = collectNames(shipped.all().map(({ model }) => model))
