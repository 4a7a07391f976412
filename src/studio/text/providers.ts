import { findText } from './text.ts'

/** As people of this language call the service; what the server calls it where there is no such name. */
export function providerName(id: string, name = id) {
  return findText('configurations', id) ?? name
}
