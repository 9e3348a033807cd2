/**
 * The tiles of a grid that are in the page: those near the window, positioned by their number and reused while scrolling.
 *
 * The list fires `picture:drawn` (detail: tile, result, place) when a tile shows another result.
 *
 * @typedef {import("./result_pages.js").ResultPages} ResultPages
 * @typedef {import("./shape.js").GridShape} GridShape
 */

import { fill, makeTile } from "./tile.js";

/** Rows above and below the window that are also drawn. */
const AHEAD = 2;
const MOST_SPARE = 60;

export class GridTiles {
  #list;
  #template = document.querySelector("#tile");
  #tiles = new Map();
  #spare = [];
  #n = 0;
  #shape = null;

  /** @param {HTMLElement} list */
  constructor(list) {
    this.#list = list;
    list.addEventListener("keydown", (event) => this.#moveFocus(event));
  }

  /** Put all tiles where another shape has them. @param {GridShape} shape */
  place(shape) {
    this.#shape = shape;
    for (const [index, tile] of this.#tiles) shape.put(tile, index);
  }

  /** Show the results near the window, and load those that are missing. @param {ResultPages} pages @param {GridShape} shape */
  draw(pages, shape) {
    this.#shape = shape;
    this.#n = pages.n;
    const { columns, rowHeight: row } = shape;
    const top = -this.#list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / row) - AHEAD) * columns;
    const last = Math.min(pages.n, (Math.ceil((top + innerHeight) / row) + AHEAD) * columns) - 1;
    for (const [place, tile] of this.#tiles) {
      if (place >= pages.n) this.#remove(place, tile);
      else if (place < first || place > last) this.#drop(place, tile);
    }
    if (last < first) return;
    pages.want(first, last);
    for (let place = first; place <= last; place += 1) this.#show(place, pages.at(place));
  }

  #show(place, result) {
    const tile = this.#tiles.get(place);
    if (result === null || tile?.result === result) return;
    if (tile?.result && tile.dataset.image === String(result.image_id)) {
      fill(tile, result);
    } else {
      const made = makeTile(result, this.#template, tile ?? this.#spare.pop());
      this.#tiles.set(place, made);
      made.setAttribute("aria-posinset", String(place + 1));
      made.querySelector("a").setAttribute("data-place", String(place));
      this.#shape.put(made, place);
      if (tile === undefined) this.#insert(made, place);
      else if (tile !== made) replace(tile, made);
    }
    const shown = this.#tiles.get(place);
    shown.result = result;
    shown.setAttribute("aria-setsize", String(this.#n));
    this.#list.dispatchEvent(new CustomEvent("picture:drawn", { detail: { tile: shown, result, place } }));
  }

  /** Insert tiles in the order of their numbers, for Tab and screen readers. */
  #insert(tile, place) {
    const before = Array.from(this.#list.children).find((other) => Number(other.getAttribute("aria-posinset")) > place + 1);
    this.#list.insertBefore(tile, before ?? null);
  }

  #drop(place, tile) {
    if (tile.contains(document.activeElement)) return;
    this.#tiles.delete(place);
    tile.remove();
    if (this.#spare.length < MOST_SPARE) this.#spare.push(tile);
  }

  /** Remove a tile after the end of a shorter list; its focus moves to the last picture. */
  #remove(place, tile) {
    const hadFocus = tile.contains(document.activeElement);
    this.#tiles.delete(place);
    tile.remove();
    if (hadFocus) this.#tiles.get(this.#n - 1)?.querySelector("a").focus();
  }

  /** Arrow keys move between pictures, also to pictures that are not in the page yet. */
  #moveFocus(event) {
    const place = Number(event.target.closest(".tile")?.getAttribute("aria-posinset") ?? Number.NaN) - 1;
    if (this.#shape === null || Number.isNaN(place) || event.altKey || event.ctrlKey || event.metaKey) return;
    const { columns } = this.#shape;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    const next = place + step;
    if (step === undefined || next < 0 || next >= this.#n) return;
    event.preventDefault();
    this.#tiles.get(next)?.scrollIntoView({ block: "nearest" });
    this.#list.querySelector(`[data-place="${next}"]`)?.focus();
  }
}

/** Replace a tile by another one, and keep the focus. */
function replace(old, made) {
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(made);
  if (hadFocus) made.querySelector("a").focus({ preventScroll: true });
}
