/** Members are `maxArea` in code and `max_area` in JSON. What is absent in code stands in JSON as null. Not for tables, whose keys are data. */

type Snake<Name> = Name extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${Snake<Tail>}`
  : Name
type Camel<Name> = Name extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Name

type ToJson<Value> = Value extends readonly unknown[]
  ? { -readonly [Index in keyof Value]: ToJson<Value[Index]> }
  : Value extends object
    ? { -readonly [Name in keyof Value as Snake<Name>]: ToJson<Value[Name]> }
    : Value

type FromJson<Value> = Value extends null
  ? undefined
  : Value extends readonly unknown[]
    ? { [Index in keyof Value]: FromJson<Value[Index]> }
    : Value extends object
      ? { [Name in keyof Value as Camel<Name>]: FromJson<Value[Name]> }
      : Value

/** A copy without members that are undefined; null stays. */
export function toJson<Value extends object>(value: Value): ToJson<Value> {
  const spell = (name: string) => name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
  return rename(value, spell, member => member !== undefined) as ToJson<Value>
}

/** A copy without members that are null. */
export function fromJson<Value extends object>(value: Value): FromJson<Value> {
  const spell = (name: string) => name.replace(/_[a-z]/g, part => part.charAt(1).toUpperCase())
  return rename(value, spell, member => member !== undefined && member !== null) as FromJson<Value>
}

function rename(value: unknown, spell: (name: string) => string, isKept: (member: unknown) => boolean): unknown {
  if (Array.isArray(value)) return value.map(item => rename(item, spell, isKept))
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(([, member]) => isKept(member))
  return Object.fromEntries(members.map(([name, member]) => [spell(name), rename(member, spell, isKept)]))
}
