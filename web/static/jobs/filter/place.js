/**
 * Where the reader was in the grid: for each entry of the browser's history, and last under each filter. Kept for this tab, so that
 * Back, a reload and the links of a picture lead to the same place.
 */

const MOST = 50;

export class Place {
  #name;
  #job;
  #grid;

  /**
   * @param {string} job
   * @param {import("../grid/grid.js").Grid} grid
   */
  constructor(job, grid) {
    this.#name = `pawsort-places:${job}`;
    this.#job = job;
    this.#grid = grid;
    history.scrollRestoration = "manual";
  }

  /**
   * @param {string} entry Of the history.
   * @param {string} query The filter.
   */
  save(entry, query) {
    const others = this.#read().filter((one) => one.entry !== entry);
    try {
      sessionStorage.setItem(this.#name, JSON.stringify([...others, { entry, query, place: this.#grid.place }].slice(-MOST)));
    } catch {
      // Storage is not available: the grid begins with its first picture.
    }
  }

  /** @returns {import("../grid/grid.js").GridPlace|null} Of an entry of the history; null for the first picture. */
  recall(entry) {
    return this.#read().find((one) => one.entry === entry)?.place ?? null;
  }

  /** Where a page begins that was just opened: as `recall`, and behind a link of one of its pictures, the last place under the filter. */
  recallOpened(entry, query) {
    const isFromPicture = document.referrer.includes(`/jobs/${this.#job}/images/`);
    return this.recall(entry) ?? (isFromPicture ? (this.#read().findLast((one) => one.query === query)?.place ?? null) : null);
  }

  #read() {
    try {
      const places = JSON.parse(sessionStorage.getItem(this.#name) ?? "[]");
      return Array.isArray(places) ? places : [];
    } catch {
      return [];
    }
  }
}
