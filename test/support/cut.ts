import type { ServerResponse } from 'node:http'

/** The client gets all of this, and then the connection ends although more was promised. */
export function writeAndCut(response: ServerResponse, text: string) {
  response.write(text)
  response.socket?.destroySoon()
}
