/** Results by position: pages are fetched when needed, and dropped when they are far away. */

import { callJson } from "../../shared/server/http.js";

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
    this.isCounted = false;
    /** Whether they could not be opened, and can be later. */
    this.isLost = false;
  }

  /**
   * Load the number of results, the cursors of their pages, and the page of one result.
   *
   * @param {number} index
   * @param {(n: number) => void} [onFirst] The first page is there before the number of all results: how many it has.
   * @throws {import("../../shared/server/http.js").CallError}
   */
  async open(index, onFirst = () => {}) {
    const counted = this.#count();
    if (index === 0) {
      await this.fetch(0); // it needs no cursor
      onFirst(this.#pages.get(0)?.length ?? 0);
    }
    const { n, cursors } = await counted;
    this.#cursors = ["", ...cursors];
    this.n = n;
    this.isCounted = true;
    await this.fetch(this.#pageOf(Math.min(index, Math.max(0, n - 1))));
  }

  #count() {
    const url = new URL(this.url);
    url.pathname += "/landmarks";
    url.searchParams.set("every", String(this.size));
    const counted = callJson("GET", url.pathname + url.search);
    counted.catch(() => {}); // it is awaited after the first page, which may fail before
    return counted;
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
   * @throws {import("../../shared/server/http.js").CallError}
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

  /**
   * The result at a position, loaded with its page if it is missing; null if there is none.
   *
   * @throws {import("../../shared/server/http.js").CallError}
   */
  async load(place) {
    await this.fetch(this.#pageOf(place));
    return this.at(place);
  }

  /** Load the missing pages between two positions, and drop pages far away. */
  want(first, last) {
    const [from, to] = [Math.floor(first / this.size), Math.floor(Math.max(first, last) / this.size)];
    for (const [number, { stopper }] of this.#under) if (number < from || number > to) stopper.abort();
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
   * @throws {import("../../shared/server/http.js").CallError}
   */
  async fetch(number) {
    if (this.#pages.has(number) || number >= this.#cursors.length) return;
    const stopper = new AbortController();
    if (!this.#under.has(number)) this.#under.set(number, { stopper, loaded: this.#fetch(number, stopper) });
    await this.#under.get(number).loaded;
  }

  async #fetch(number, stopper) {
    try {
      const url = new URL(this.url);
      url.searchParams.set("limit", String(this.size));
      if (number > 0) url.searchParams.set("cursor", this.#cursors[number]);
      const page = await callJson("GET", url.pathname + url.search, undefined, stopper.signal);
      if (!stopper.signal.aborted) this.#pages.set(number, page.items);
    } catch (error) {
      if (!stopper.signal.aborted) throw error;
    } finally {
      if (this.#under.get(number)?.stopper === stopper) this.#under.delete(number);
    }
  }
}
