/** How a picture lies in its frame: pure arithmetic, in pixels of the page, from the middle of the frame. */

export interface View {
  /** 1 fits the picture into the frame. */
  scale: number
  x: number
  y: number
}

export interface Frame {
  width: number
  height: number
  /** Scale relative to the picture as it fits. */
  fittedWidth: number
  fittedHeight: number
  /** At which one pixel of the picture is one pixel of the page. */
  actualScale: number
}

export const fitted: View = { scale: 1, x: 0, y: 0 }

/** `margin`: pixels around a fitted picture. */
export function fitFrame(
  frame: { width: number; height: number },
  image: { width: number; height: number },
  margin = 0,
): Frame {
  const room = (length: number) => Math.max(1, length - 2 * margin)
  const factor = Math.min(room(frame.width) / image.width, room(frame.height) / image.height, 1) || 1
  return {
    ...frame,
    fittedWidth: image.width * factor,
    fittedHeight: image.height * factor,
    actualScale: 1 / factor,
  }
}

/** To four times its own pixels, and always some way in. */
function maxScale(frame: Frame) {
  return Math.max(4, frame.actualScale * 4)
}

/** Within its bounds: never smaller than it fits, and never out of sight. */
export function bounded(view: View, frame: Frame): View {
  const scale = Math.min(maxScale(frame), Math.max(1, view.scale))
  const room = (fitted: number, available: number) => Math.max(0, (fitted * scale - available) / 2)
  const held = (value: number, most: number) => Math.min(most, Math.max(-most, value))
  return {
    scale,
    x: held(view.x, room(frame.fittedWidth, frame.width)),
    y: held(view.y, room(frame.fittedHeight, frame.height)),
  }
}

/** Zooms around a point, counted from the middle of the frame. */
export function zoomed(view: View, scale: number, point: { x: number; y: number }, frame: Frame): View {
  const wanted = Math.min(maxScale(frame), Math.max(1, scale))
  const factor = wanted / view.scale
  return bounded(
    { scale: wanted, x: point.x - (point.x - view.x) * factor, y: point.y - (point.y - view.y) * factor },
    frame,
  )
}
