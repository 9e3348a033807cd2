/**
 * Which part of a picture a pane shows.
 *
 * @typedef {{scale: number, x: number, y: number}} Section
 *   The scale, 1 as large as the stage, and which point of the picture is in the middle, as shares of its sides.
 * @typedef {{width: number, height: number}} Size In pixels.
 */

const LARGEST = 16;

/** @type {Section} */
export const WHOLE = { scale: 1, x: 0.5, y: 0.5 };

/** @param {HTMLElement} element @returns {Size} */
export function sizeIn({ clientWidth, clientHeight }) {
  return { width: clientWidth, height: clientHeight };
}

/** The size of a picture when all of it is shown; that of the stage while it is unknown. @param {HTMLImageElement|null} image @param {Size} stage */
export function fitting(image, stage) {
  if (!image?.naturalWidth) return { width: stage.width || 1, height: stage.height || 1 };
  const { naturalWidth, naturalHeight } = image;
  const share = Math.min(stage.width / naturalWidth, stage.height / naturalHeight);
  return { width: naturalWidth * share || 1, height: naturalHeight * share || 1 };
}

/** Enlarge a section. @param {Section} section @param {{x: number, y: number}} shift From the middle to the point that stays. @param {Size} whole */
export function zoomed(section, factor, shift, whole) {
  const scale = Math.min(LARGEST, Math.max(1, section.scale * factor));
  const by = 1 / section.scale - 1 / scale;
  return { scale, x: section.x + (shift.x / whole.width) * by, y: section.y + (shift.y / whole.height) * by };
}

/** Move a section by pixels of the stage. @param {Section} section @param {Size} whole */
export function moved({ scale, x, y }, byX, byY, whole) {
  return { scale, x: x - byX / (whole.width * scale), y: y - byY / (whole.height * scale) };
}

/** A section, moved so that the picture leaves no more of the stage empty than it must. @param {Section} section @param {Size} whole @param {Size} stage */
export function inside({ scale, x, y }, whole, stage) {
  const keep = (middle, side, room) => {
    const half = Math.min(0.5, room / (2 * side * scale));
    return Math.min(1 - half, Math.max(half, middle));
  };
  return { scale, x: keep(x, whole.width, stage.width), y: keep(y, whole.height, stage.height) };
}
