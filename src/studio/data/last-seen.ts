/** The picture that somebody looked at last: where the gallery goes on from. */
let imageId: string | undefined

export const lastSeen = () => imageId

export function noteSeen(id: string) {
  imageId = id
}
