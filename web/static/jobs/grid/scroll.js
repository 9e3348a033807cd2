/**
 * Where a grid stands in the window, whose top a strip covers.
 *
 * @typedef {{index: number, offset: number}} GridPlace The first picture below the strip, and by how much of it was scrolled past.
 * @typedef {import("./shape.js").GridShape} GridShape
 */

export class GridScroll {
  #list;

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
  }

  /** The height of what covers the top of the window. */
  get #strip() {
    return Number.parseFloat(getComputedStyle(this.#list).scrollMarginTop) || 0;
  }

  /** How far the list is scrolled past the strip, in pixels; negative if its begin is below it. */
  get past() {
    return this.#strip - this.#list.getBoundingClientRect().top;
  }

  /** @param {GridShape} shape @returns {GridPlace|null} null if the list is not scrolled. */
  place(shape) {
    const { past } = this;
    if (past <= 0) return null;
    const row = Math.floor(past / shape.rowHeight);
    return { index: row * shape.columns, offset: past - row * shape.rowHeight };
  }

  /** Scroll to a place, or to the last of n pictures. @param {GridPlace} place @param {GridShape} shape @param {number} n */
  to({ index, offset }, shape, n) {
    const top = shape.topOf(Math.min(index, Math.max(0, n - 1)));
    scrollBy({ top: top + offset - this.past, behavior: "instant" });
  }

  /** Scroll until the picture at a position is in view. @param {number} index @param {GridShape} shape */
  reveal(index, shape) {
    const top = shape.topOf(index) - this.past;
    const below = this.#strip + top + shape.rowHeight - innerHeight;
    if (top < 0 || below > 0) scrollBy({ top: top < 0 ? top : below, behavior: "instant" });
  }
}
