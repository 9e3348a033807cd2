/**
 * The grid of pictures: as tall as all results together, but only tiles near the window are in the page.
 *
 * The server renders the first results and a link to the next ones. This script replaces them by tiles of any results. The list
 * fires `grid:counted` when the number of results is known again.
 */

import { GridScroll } from "./scroll.js";
import { GridShape } from "./shape.js";
import { GridTiles } from "./tiles.js";
import { ResultPages } from "./result_pages.js";

/** @typedef {import("./scroll.js").GridPlace} GridPlace */

const PAGE = 60;
const FRESH_EVERY_MS = 3000;
/** Filters whose results are kept, so that Back shows them at once. */
const FILTERS_KEPT = 8;

export class Grid {
  #list = document.querySelector("[data-grid]");
  #more = document.querySelector("[data-more]");
  #empty = document.querySelectorAll("[data-why-empty]");
  #fresh = document.querySelector('[data-field="fresh"]');
  #pages = null;
  #tiles = null;
  #scroll = null;
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
    this.#tiles = new GridTiles(this.#list);
    this.#scroll = new GridScroll(this.#list);
    addEventListener("scroll", () => this.#plan(), { passive: true });
    new ResizeObserver(() => this.#isOpen && this.#measure()).observe(this.#list);
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
      if (place !== null) this.#scroll.to(place, this.#shape, this.n);
      else if (this.#scroll.past > 0) this.#scroll.to({ index: 0, offset: 0 }, this.#shape, this.n);
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
    this.#tiles.place(this.#shape);
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
    this.#tiles.draw(this.#pages, this.#shape);
  }

  /** @returns {GridPlace|null} null if the list is not scrolled. */
  get place() {
    return this.#isOpen ? this.#scroll.place(this.#shape) : null;
  }

  /** Scroll until the picture at a position is in view, below the strip. */
  reveal(index) {
    this.#scroll.reveal(index, this.#shape);
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
