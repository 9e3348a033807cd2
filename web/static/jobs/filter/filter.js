/**
 * The filter of a job's pictures. It is kept in the address and changes without a page load, by the form, by links with data-set
 * (what they change, as a query; an empty value removes a filter), and by Back and Forward.
 */

import { newUuid } from "../../shared/server/uuid.js";

const TYPING_MS = 300;
/** Fields with these values are left out of the address. */
const DEFAULTS = new Set(["", "order"]);

export class Filter {
  #form = document.querySelector("[data-filter]");
  #query;
  #entry;
  #path = location.pathname;
  #typing = 0;
  #on;

  /**
   * @param {string} query As the server understood the address.
   * @param {{onLeave: () => void, onChange: () => void}} on onLeave: the filter is about to change. onChange: it has changed.
   */
  constructor(query, on) {
    this.#query = query;
    this.#on = on;
    history.replaceState({ entry: history.state?.entry ?? newUuid() }, "", this.#address(query));
    this.#entry = history.state.entry;
    this.#show();
    this.#form?.addEventListener("change", () => this.#apply());
    this.#form?.addEventListener("input", (event) => event.target.matches("[type=search]") && this.#applyLater());
    this.#form?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#apply();
    });
    document.addEventListener("click", (event) => this.#follow(event));
    addEventListener("popstate", ({ state }) => this.#return(state));
  }

  /** The filter as a query, in the order of the form. */
  get query() {
    return this.#query;
  }

  /** What the counts are of: everything but the label, which the counts are by, and the order. */
  get scope() {
    const fields = Array.from(new URLSearchParams(this.#query)).filter(([name]) => !["label", "neither", "sort"].includes(name));
    return String(new URLSearchParams(fields));
  }

  /** The address of the page, also while the large view shows another one. */
  get address() {
    return this.#address(this.#query);
  }

  /** The entry of the browser's history. */
  get entry() {
    return this.#entry;
  }

  /** Whether it restricts the pictures at all. */
  get isActive() {
    return Array.from(new URLSearchParams(this.#query).keys()).some((name) => name !== "sort");
  }

  /** New links of the server have come into the page. */
  refreshLinks() {
    const now = new URLSearchParams(this.#query);
    for (const link of document.querySelectorAll("a[data-set]")) {
      const changes = new URLSearchParams(link.dataset.set);
      link.href = this.#address(this.#with(changes));
      const isShown = Array.from(changes).every(([name, value]) => (now.get(name) ?? "") === value);
      if (link.matches(".tally__item") && isShown) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    for (const link of document.querySelectorAll("[data-filtered]")) link.href = `${link.dataset.filtered}${this.#query}`;
  }

  #apply() {
    clearTimeout(this.#typing);
    const fields = Array.from(new FormData(this.#form)).filter(([, value]) => !DEFAULTS.has(value));
    this.#go(String(new URLSearchParams(fields)));
  }

  #applyLater() {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => this.#apply(), TYPING_MS);
  }

  #follow(event) {
    const link = event.target.closest("a[data-set]");
    if (link === null || this.#form === null || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.#go(this.#with(new URLSearchParams(link.dataset.set)));
  }

  #go(query) {
    if (query === this.#query) return;
    this.#on.onLeave();
    history.pushState({ entry: newUuid() }, "", this.#address(query));
    this.#arrive(query);
  }

  /** By Back or Forward. Entries of the large view and of links to a part of the page are not of a filter. */
  #return(state) {
    if (state?.entry === undefined || state.entry === this.#entry) return;
    this.#on.onLeave();
    this.#arrive(location.search.slice(1));
  }

  #arrive(query) {
    this.#query = query;
    this.#entry = history.state.entry;
    this.#show();
    this.#on.onChange();
  }

  /** The query with some changes, in the order of the form, so that a filter has one address. */
  #with(changes) {
    const all = new URLSearchParams(this.#query);
    for (const [name, value] of changes) all.set(name, value);
    const names = Array.from(this.#form?.elements ?? []).map(({ name }) => name);
    const kept = names.filter((name) => name !== "" && !DEFAULTS.has(all.get(name) ?? "")).map((name) => [name, all.get(name)]);
    return String(new URLSearchParams(kept));
  }

  #address(query) {
    return this.#path + (query === "" ? "" : `?${query}`);
  }

  #show() {
    const now = new URLSearchParams(this.#query);
    for (const field of this.#form?.elements ?? []) {
      if (field.name === "") continue;
      field.value = now.get(field.name) ?? (field.name === "sort" ? "order" : "");
      if (field.type === "hidden") field.disabled = field.value === "";
    }
    for (const element of document.querySelectorAll("[data-clear], [data-while-filtered]")) element.hidden = !this.isActive;
    this.refreshLinks();
  }
}
