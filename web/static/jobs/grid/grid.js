/**
 * The grid of pictures: as tall as all results together, but only tiles near the window are in the page.
 *
 * The server renders the first results and a link to the next ones. This script replaces them by tiles that are positioned by
 * their number and reused while scrolling. The list fires `picture:drawn` (detail: tile, result) when a tile shows another
 * result, and `grid:counted` when the number of results is known again.
 *
 * @typedef {{index: number, offset: number}} GridPlace The first picture below the strip, and by how much of it was scrolled past.
 */

import { GridShape } from "./shape.js";
import { ResultPages } from "./result_pages.js";
import { fill, makeTile } from "./tile.js";

const PAGE = 60;
const FRESH_EVERY_MS = 3000;
/** Filters whose results are kept, so that Back shows them at once. */
const FILTERS_KEPT = 8;
/** Rows above and below the window that are also drawn. */
const AHEAD = 2;

export class Grid {
  #list = document.querySelector("[data-grid]");
  #template = document.querySelector("#tile");
  #more = document.querySelector("[data-more]");
  #empty = document.querySelectorAll("[data-why-empty]");
  #fresh = document.querySelector('[data-field="fresh"]');
  #pages = null;
  #tiles = new Map();
  #spare = [];
  #shape = new GridShape(0);
  #known = new Map();
  #isOpen = false;
  #isPlanned = false;
  #opening = null;
  #openedAt = 0;

  /**
   * @param {{whyEmpty: () => "filter"|"waiting"|"nothing", expectedN: () => number}} parts
   *   whyEmpty: why there would be no pictures. expectedN: how many there will be, as far as the page knows before they are counted.
   */
  constructor({ whyEmpty, expectedN }) {
    if (this.#list === null) return;
    this.whyEmpty = whyEmpty;
    this.expectedN = expectedN;
    this.#pages = this.#opening = this.#pagesOf(this.#list.dataset.results);
    addEventListener("scroll", () => this.#plan(), { passive: true });
    new ResizeObserver(() => this.#isOpen && this.#measure()).observe(this.#list);
    this.#list.addEventListener("keydown", (event) => this.#moveFocus(event));
    this.#fresh.querySelector("button").addEventListener("click", () => this.reload());
  }

  /**
   * Show the results of a filter, from the first picture or from a place.
   *
   * @param {string} query
   * @param {GridPlace|null} place
   */
  async show(query, place) {
    if (this.#list === null) return;
    const address = new URL(this.#pages.url);
    address.search = query;
    const known = this.#known.get(address.search);
    const arrive = () => {
      if (place !== null) this.#scrollTo(place);
      else if (this.#scrolled > 0) this.#scrollTo({ index: 0, offset: 0 });
      this.#draw();
    };
    const pages = known ?? this.#pagesOf(address);
    if (known) this.#adopt(known);
    else if (!(await this.#open(pages, place?.index ?? 0, arrive))) {
      const again = () => this.#opening === pages && this.show(query, place);
      if (pages.isLost) setTimeout(again, FRESH_EVERY_MS);
      return;
    }
    if (known || place !== null) arrive();
    else this.#draw();
    if (known) await this.#refresh();
  }

  /** Load the same results again: after results, labels or the threshold have changed. */
  async reload() {
    this.#known.clear();
    if (this.#list !== null) await this.#refresh();
  }

  async #refresh() {
    if (await this.#open(this.#pagesOf(this.#opening.url), this.place?.index ?? 0)) this.#draw();
  }

  /** The job has new results: show them at once, or offer them if the user has scrolled down. */
  results(isLast) {
    if (this.#list === null) return;
    clearTimeout(this.freshTimer);
    if (this.#list.getBoundingClientRect().top < -innerHeight / 2) {
      this.#fresh.hidden = false;
      return;
    }
    const wait = isLast ? 0 : Math.max(0, this.#openedAt + FRESH_EVERY_MS - Date.now());
    this.freshTimer = setTimeout(() => this.reload(), wait);
  }

  #pagesOf(address) {
    return new ResultPages({
      address,
      size: PAGE,
      onPage: () => this.#plan(),
      onLost: () => setTimeout(() => this.#plan(), FRESH_EVERY_MS),
    });
  }

  /**
   * Replace the results; false if that failed, or others were asked for in the meantime.
   *
   * @param {() => void} [onFirst] The first ones are there; the others are still being counted.
   */
  async #open(pages, index, onFirst) {
    this.#openedAt = Date.now();
    this.#opening = pages;
    this.#fresh.hidden = true;
    const showFirst = (n) => {
      if (onFirst === undefined || this.#opening !== pages) return;
      pages.n = n < PAGE ? n : Math.max(n, this.expectedN());
      this.#adopt(pages);
      onFirst();
    };
    try {
      await pages.open(index, showFirst);
    } catch (error) {
      pages.isLost = error.isPassing === true;
      return false; // keep the pictures that are shown; at first those from the server, with their link to the next ones
    }
    if (this.#opening !== pages) return false;
    this.#adopt(pages);
    return true;
  }

  #adopt(pages) {
    this.#pages = this.#opening = pages;
    this.#known.delete(pages.url.search);
    this.#known.set(pages.url.search, pages);
    if (this.#known.size > FILTERS_KEPT) this.#known.delete(this.#known.keys().next().value);
    const why = pages.n > 0 ? "" : this.whyEmpty();
    for (const element of this.#empty) element.hidden = element.dataset.whyEmpty !== why;
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#list.classList.add("grid--placed");
      this.#list.replaceChildren();
      this.#more.hidden = true;
    }
    this.#list.dispatchEvent(new CustomEvent("grid:counted"));
    this.#measure();
  }

  #measure() {
    this.#shape = new GridShape(this.#list.clientWidth);
    this.#list.style.height = `${this.#shape.heightOf(this.n)}px`;
    for (const [index, tile] of this.#tiles) this.#shape.put(tile, index);
    this.#plan();
  }

  #plan() {
    if (this.#isPlanned || !this.#isOpen) return;
    this.#isPlanned = true;
    requestAnimationFrame(() => {
      this.#isPlanned = false;
      this.#draw();
    });
  }

  #draw() {
    const { columns, rowHeight: row } = this.#shape;
    const top = -this.#list.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(top / row) - AHEAD) * columns;
    const last = Math.min(this.#pages.n, (Math.ceil((top + innerHeight) / row) + AHEAD) * columns) - 1;
    for (const [place, tile] of this.#tiles) {
      if (place >= this.#pages.n) this.#remove(place, tile);
      else if (place < first || place > last) this.#drop(place, tile);
    }
    if (last < first) return;
    this.#pages.want(first, last);
    for (let place = first; place <= last; place += 1) this.#show(place);
  }

  #show(place) {
    const result = this.#pages.at(place);
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
    shown.setAttribute("aria-setsize", String(this.#pages.n));
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
    if (this.#spare.length < 60) this.#spare.push(tile);
  }

  /** Remove a tile after the end of a shorter list; its focus moves to the last picture. */
  #remove(place, tile) {
    const hadFocus = tile.contains(document.activeElement);
    this.#tiles.delete(place);
    tile.remove();
    if (hadFocus) this.#tiles.get(this.#pages.n - 1)?.querySelector("a").focus();
  }

  /** Arrow keys move between pictures, also to pictures that are not in the page yet. */
  async #moveFocus(event) {
    const place = Number(event.target.closest(".tile")?.getAttribute("aria-posinset") ?? Number.NaN) - 1;
    const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: this.#shape.columns, ArrowUp: -this.#shape.columns }[event.key];
    if (step === undefined || Number.isNaN(place) || event.altKey || event.ctrlKey || event.metaKey) return;
    const next = place + step;
    if (next < 0 || next >= this.#pages.n) return;
    event.preventDefault();
    this.#tiles.get(next)?.scrollIntoView({ block: "nearest" });
    this.#list.querySelector(`[data-place="${next}"]`)?.focus();
  }

  /** The height of what covers the top of the window. */
  get #strip() {
    return Number.parseFloat(getComputedStyle(this.#list).scrollMarginTop) || 0;
  }

  /** How far the list is scrolled past the strip, in pixels; negative if its begin is below it. */
  get #scrolled() {
    return this.#strip - this.#list.getBoundingClientRect().top;
  }

  /** @returns {GridPlace|null} null if the list is not scrolled. */
  get place() {
    const scrolled = this.#scrolled;
    if (!this.#isOpen || scrolled <= 0) return null;
    const row = Math.floor(scrolled / this.#shape.rowHeight);
    return { index: row * this.#shape.columns, offset: scrolled - row * this.#shape.rowHeight };
  }

  #scrollTo({ index, offset }) {
    const top = this.#shape.topOf(Math.min(index, Math.max(0, this.n - 1)));
    scrollBy({ top: top + offset - this.#scrolled, behavior: "instant" });
  }

  /** Scroll until the picture at a position is in view, below the strip. */
  reveal(index) {
    const top = this.#shape.topOf(index) - this.#scrolled;
    const below = this.#strip + top + this.#shape.rowHeight - innerHeight;
    if (top < 0 || below > 0) scrollBy({ top: top < 0 ? top : below, behavior: "instant" });
    this.#draw();
  }

  /** Whether the number of results is known for certain. */
  get isCounted() {
    return this.#pages?.isCounted ?? false;
  }

  /** The number of results. */
  get n() {
    return this.#pages?.n ?? 0;
  }

  /** The filter, for calls about all results. */
  get filter() {
    return this.#pages.filter;
  }

  /** The result at a position; null while it is not loaded. */
  at(index) {
    return this.#pages.at(index);
  }

  /** The result at a position, also if it is not loaded yet; null if there is none. */
  async load(index) {
    return this.#pages.load(index);
  }

  /** All results between two positions, also those not loaded yet. */
  between(first, last) {
    return this.#pages.between(first, last);
  }

  /** The positions of the pictures that a rectangle touches, in pixels of the list. */
  within(box) {
    return this.#shape.within(box, this.n);
  }
}

/** Replace a tile by another one, and keep the focus. */
function replace(old, made) {
  const hadFocus = old.contains(document.activeElement);
  old.replaceWith(made);
  if (hadFocus) made.querySelector("a").focus({ preventScroll: true });
}
