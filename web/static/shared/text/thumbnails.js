/** Thumbnails: their addresses, and those that are loaded before they are shown. */

import { asText } from "./names.js";

/** The size that is shown first, and the sharper ones. */
export const SIZES = [1024, 2048, 4096];

/** @param {number} imageId @param {number} size The longest side in pixels, at most. */
export function thumbnailOf(imageId, size) {
  return `/api/v1/images/${imageId}/thumbnail?size=${size}`;
}

/** So many pictures are loaded at the same time, so that labels do not wait behind them. */
const AT_ONCE = 3;

/** Pictures that are loaded in advance, the first ones first. */
export class LoadedAhead {
  #images = new Map();
  #loading = new Set();
  #waiting = [];

  /** The element of a picture, loaded if there was time. */
  of(picture) {
    if (this.#has(picture)) return this.#images.get(picture.image_id);
    const image = new Image();
    this.#loading.add(image);
    image.addEventListener("load", () => this.#ended(image, true), { once: true });
    image.addEventListener("error", () => this.#ended(image, false), { once: true });
    image.src = thumbnailOf(picture.image_id, SIZES[0]);
    image.alt = asText(picture.path ?? "The picture to label");
    image.decoding = "async";
    this.#images.set(picture.image_id, image);
    return image;
  }

  /** Load these pictures, and forget all others. */
  keep(pictures) {
    const wanted = new Set(pictures.map((picture) => picture.image_id));
    for (const [id, image] of this.#images) {
      if (wanted.has(id)) continue;
      this.#images.delete(id);
      if (this.#loading.delete(image)) image.removeAttribute("src"); // stop loading it
    }
    this.#waiting = pictures;
    this.#loadMore();
  }

  #has({ image_id }) {
    const image = this.#images.get(image_id);
    const hasFailed = image?.complete && image.naturalWidth === 0; // a busy server refuses some
    return image !== undefined && !hasFailed;
  }

  #loadMore() {
    this.#waiting = this.#waiting.filter((picture) => !this.#has(picture));
    while (this.#loading.size < AT_ONCE && this.#waiting.length > 0) this.of(this.#waiting.shift());
  }

  /** After an error, others are loaded only when the next pictures are wanted: the server is busy, or away. */
  #ended(image, isLoaded) {
    if (!this.#loading.delete(image)) return;
    if (isLoaded) this.#loadMore();
    else this.#waiting = [];
  }
}
