/**
 * The grid of pictures: more of them while one scrolls, new ones while the job is running.
 *
 * The server renders the first page and a link to the next; this goes on from that link's cursor with the API's results.
 */

import { callJson } from "../http.js";
import { fill, makeTile } from "./tile.js";

const PAGE = 60;
/** How far below the window the next page is asked for. */
const AHEAD = "1200px";
const FRESH_EVERY_MS = 3000;

export class Grid {
  #list = document.querySelector("[data-grid]");
  #template = document.querySelector("#tile");
  #more = document.querySelector("[data-more]");
  #empty = document.querySelector('[data-field="empty"]');
  #fresh = document.querySelector('[data-field="fresh"]');
  #next = "";
  #isLoading = false;
  #hasGrown = false;
  #isFirstPage = !new URLSearchParams(location.search).has("cursor");
  #freshAt = 0;
  #freshTimer = 0;

  constructor() {
    if (this.#list === null) return;
    this.#next = this.#list.dataset.next;
    const watcher = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.#load(), {
      rootMargin: AHEAD,
    });
    watcher.observe(this.#more);
    this.#watcher = watcher;
    this.#more.addEventListener("click", (event) => {
      if (!event.target.closest("a") || event.metaKey || event.ctrlKey) return;
      event.preventDefault();
      this.#load();
    });
  }

  #watcher = null;

  /** The job has new results. Shows them at once while nobody has scrolled on, else offers them. */
  results(isLast) {
    if (this.#list === null) return;
    if (this.#hasGrown || !this.#isFirstPage) {
      this.#fresh.hidden = false;
      return;
    }
    clearTimeout(this.#freshTimer);
    const wait = isLast ? 0 : Math.max(0, this.#freshAt + FRESH_EVERY_MS - Date.now());
    this.#freshTimer = setTimeout(() => this.#renew(), wait);
  }

  async #renew() {
    if (this.#hasGrown || this.#isLoading) return;
    this.#freshAt = Date.now();
    this.#isLoading = true;
    try {
      const page = await callJson("GET", this.#address(""));
      this.#list.replaceChildren(...page.items.map((item) => this.#tileFor(item)));
      this.#setNext(page.next);
    } catch {
      // The next change of the job asks again.
    } finally {
      this.#isLoading = false;
    }
  }

  async #load() {
    if (this.#next === "" || this.#isLoading) return;
    this.#isLoading = true;
    try {
      const page = await callJson("GET", this.#address(this.#next));
      this.#hasGrown = true;
      this.#list.append(...page.items.map((item) => makeTile(item, this.#template)));
      this.#setNext(page.next);
    } catch {
      // The link below stays: pressing it, or scrolling again, tries once more.
    } finally {
      this.#isLoading = false;
    }
    // The observer speaks only when something changes: looking anew asks on while the end is still in sight.
    this.#watcher.unobserve(this.#more);
    if (this.#next !== "") this.#watcher.observe(this.#more);
  }

  /** Tiles that are there stay: their pictures neither flicker nor lose the focus. */
  #tileFor(item) {
    const known = this.#list.querySelector(`[data-image="${item.image_id}"]`);
    if (known === null || (item.error_code === null) !== (known.querySelector("img") !== null)) {
      return makeTile(item, this.#template);
    }
    fill(known, item);
    return known;
  }

  #address(cursor) {
    const url = new URL(this.#list.dataset.results, location.href);
    url.searchParams.set("limit", String(PAGE));
    if (cursor !== "") url.searchParams.set("cursor", cursor);
    return url.pathname + url.search;
  }

  #setNext(next) {
    this.#next = next ?? "";
    this.#empty.hidden = this.#list.childElementCount > 0;
    const link = this.#more.querySelector("a");
    if (this.#next === "") {
      link?.remove();
      return;
    }
    const url = new URL(location.href);
    url.searchParams.set("cursor", this.#next);
    const shown = link ?? this.#more.appendChild(Object.assign(document.createElement("a"), { className: "button", rel: "next" }));
    shown.textContent = "More pictures";
    shown.href = url.pathname + url.search;
  }
}
