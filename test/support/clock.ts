/** Puts the clock of this process forward or back, as a time server does. What counts time that passes goes on as before. */
const RealDate = globalThis.Date

export function setClock(offsetMs: number) {
  globalThis.Date = class extends RealDate {
    constructor(...values: [] | [number | string | Date]) {
      if (values.length === 0) super(RealDate.now() + offsetMs)
      else super(...(values as [number]))
    }

    static override now() {
      return RealDate.now() + offsetMs
    }
  } as DateConstructor
}
