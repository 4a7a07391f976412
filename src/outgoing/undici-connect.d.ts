/** The part of undici that opens connections: loaded alone, because the rest is twenty times as large. */
declare module 'undici/lib/core/connect.js' {
  export { buildConnector as default } from 'undici'
}
