/** Results by position: pages are fetched when needed, and dropped when they are far away. */

import { callJson } from "../shared/http.js";

const KEPT = 16;
const MOST_AT_ONCE = 1000;

export class ResultPages {
  #cursors = [""];
  #pages = new Map();
  #under = new Map();

  /**
   * @param {{address: string, size: number, onPage: () => void, onLost: () => void}} options
   *   address: the results in the API, with the filters. onPage: missing results were loaded.
   */
  constructor({ address, size, onPage, onLost }) {
    this.url = new URL(address, location.href);
    this.size = size;
    this.onPage = onPage;
    this.onLost = onLost;
    this.n = 0;
  }

  /**
   * Load the number of results, the cursors of their pages, and the page of one result.
   *
   * @param {number} index
   * @throws {import("../shared/http.js").CallError}
   */
  async open(index) {
    const url = new URL(this.url);
    url.pathname += "/landmarks";
    url.searchParams.set("every", String(this.size));
    const first = index === 0 ? this.fetch(0) : null; // it needs no cursor
    const [{ n, cursors }] = await Promise.all([callJson("GET", url.pathname + url.search), first]);
    this.#cursors = ["", ...cursors];
    this.n = n;
    await this.fetch(this.#pageOf(Math.min(index, Math.max(0, n - 1))));
  }

  #pageOf(index) {
    return Math.floor(index / this.size);
  }

  /** The filter, for calls about all results. */
  get filter() {
    const numbers = ["min_confidence", "max_confidence"];
    const wanted = Array.from(this.url.searchParams).filter(([name]) => name !== "sort");
    return Object.fromEntries(wanted.map(([name, value]) => [name, numbers.includes(name) ? Number(value) : value]));
  }

  /**
   * All results between two positions, also those not loaded.
   *
   * @throws {import("../shared/http.js").CallError}
   */
  async between(first, last) {
    const kept = Array.from({ length: last - first + 1 }, (_, n) => this.at(first + n));
    if (!kept.includes(null)) return kept;
    const number = this.#pageOf(first);
    const url = new URL(this.url);
    url.searchParams.set("limit", String(MOST_AT_ONCE));
    const found = [];
    for (let cursor = this.#cursors[number]; cursor !== null && number * this.size + found.length <= last; ) {
      if (cursor !== "") url.searchParams.set("cursor", cursor);
      const page = await callJson("GET", url.pathname + url.search);
      found.push(...page.items);
      cursor = page.next;
    }
    return found.slice(first - number * this.size, last - number * this.size + 1);
  }

  /** The result at a position, or null while it is not loaded. */
  at(place) {
    const number = this.#pageOf(place);
    const page = this.#pages.get(number);
    if (page === undefined) return null;
    return page[place % this.size] ?? null;
  }

  /** Load the missing pages between two positions, and drop pages far away. */
  want(first, last) {
    const [from, to] = [Math.floor(first / this.size), Math.floor(Math.max(first, last) / this.size)];
    for (const [number, stopper] of this.#under) if (number < from || number > to) stopper.abort();
    for (let number = from; number <= to; number += 1) {
      if (!this.#pages.has(number)) this.fetch(number).then(this.onPage, this.onLost);
    }
    for (const number of this.#pages.keys()) {
      if (this.#pages.size > KEPT && (number < from || number > to)) this.#pages.delete(number);
    }
  }

  /**
   * Load one page, unless it is already loaded.
   *
   * @throws {import("../shared/http.js").CallError}
   */
  async fetch(number) {
    if (this.#under.has(number) || this.#pages.has(number) || number >= this.#cursors.length) return;
    const stopper = new AbortController();
    this.#under.set(number, stopper);
    try {
      const url = new URL(this.url);
      url.searchParams.set("limit", String(this.size));
      if (number > 0) url.searchParams.set("cursor", this.#cursors[number]);
      const page = await callJson("GET", url.pathname + url.search, undefined, stopper.signal);
      if (!stopper.signal.aborted) this.#pages.set(number, page.items);
    } catch (error) {
      if (!stopper.signal.aborted) throw error;
    } finally {
      if (this.#under.get(number) === stopper) this.#under.delete(number);
    }
  }
}
