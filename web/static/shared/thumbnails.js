/** Thumbnails: their addresses, and those that are loaded before they are shown. */

import { asText } from "./names.js";

/** The size that is shown first, and the sharper ones. */
export const SIZES = [1024, 2048, 4096];

/** @param {number} imageId @param {number} size The longest side in pixels, at most. */
export function thumbnailOf(imageId, size) {
  return `/api/v1/images/${imageId}/thumbnail?size=${size}`;
}

/** Pictures that are loaded in advance. */
export class LoadedAhead {
  #images = new Map();

  /** The element of a picture, loaded if there was time. */
  of(picture) {
    const known = this.#images.get(picture.image_id);
    const hasFailed = known?.complete && known.naturalWidth === 0; // a busy server refuses some
    if (known !== undefined && !hasFailed) return known;
    const image = new Image();
    image.src = thumbnailOf(picture.image_id, SIZES[0]);
    image.alt = asText(picture.path ?? "The picture to label");
    image.decoding = "async";
    this.#images.set(picture.image_id, image);
    return image;
  }

  /** Load these pictures, and forget all others. */
  keep(pictures) {
    const wanted = new Set(pictures.map((picture) => picture.image_id));
    for (const id of this.#images.keys()) if (!wanted.has(id)) this.#images.delete(id);
    pictures.forEach((picture) => this.of(picture));
  }
}
