/** Selecting pictures of the grid: by checkbox, by click, from one click to another, by arrow keys, and with a frame. */

import { openFrame } from "./frame.js";

/** The maximum of ids in one call. For more, use a filter and select all. */
export const MOST = 5000;
export const TOO_MANY = `You can select at most ${MOST.toLocaleString("en")} pictures one by one. Use a filter and select all instead.`;

export class Picking {
  #list;
  #grid;
  #selection;
  #on;
  #anchor = null;

  /**
   * @param {{list: Element, grid: import("../grid/grid.js").Grid, selection: import("./selection.js").Selection,
   *   onChange: () => void, onProblem: (words: string) => void}} parts
   */
  constructor({ list, grid, selection, ...on }) {
    this.#list = list;
    this.#grid = grid;
    this.#selection = selection;
    this.#on = on;
    list.addEventListener("change", (event) => {
      if (event.target.matches("[data-check]")) this.#toggle(event.target.closest(".tile"), event.target.checked);
    });
    list.addEventListener("click", (event) => this.#click(event), { capture: true });
    list.addEventListener("keydown", (event) => event.shiftKey && event.key.startsWith("Arrow") && this.#extendByKey(event));
    openFrame(list, { onBegin: (isAdding) => this.#beginFrame(isAdding), onMove: (before, box) => this.#frame(before, box) });
  }

  /** The focused tile, if it can be labelled. */
  get focused() {
    const tile = this.#list.contains(document.activeElement) ? document.activeElement.closest(".tile") : null;
    return tile?.querySelector("[data-check]") ? tile : null;
  }

  toggleFocused() {
    if (this.focused) this.#toggle(this.focused, !this.#selection.has(this.focused.result.image_id));
  }

  none() {
    this.#selection.none();
    this.#anchor = null;
    this.#on.onChange();
  }

  #click(event) {
    const tile = event.target.closest(".tile__picture, .tile__check")?.closest(".tile");
    // Enter always opens a picture; a click opens it only if none is selected; Shift selects all between two clicks.
    if (!tile?.querySelector("[data-check]") || event.detail === 0 || event.ctrlKey || event.metaKey) return;
    const isOwnWay = event.target.closest(".tile__check") !== null || this.#selection.count(this.#grid.n) === 0;
    if (isOwnWay && !event.shiftKey) return;
    event.preventDefault();
    if (event.shiftKey) this.#extend(tile);
    else this.#toggle(tile, !this.#selection.has(tile.result.image_id));
  }

  #toggle(tile, isOn) {
    this.#anchor = placeOf(tile);
    this.#selection.set([tile.result.image_id], isOn);
    this.#on.onChange();
  }

  /** The grid has already moved the focus. */
  #extendByKey(event) {
    const from = event.target.closest(".tile");
    if (from) this.#anchor ??= placeOf(from);
    this.#extend(document.activeElement.closest(".tile"));
  }

  /** Select all pictures from the last selected one to this one. */
  async #extend(tile) {
    if (!tile) return;
    this.#anchor ??= placeOf(tile);
    const [first, last] = [this.#anchor, placeOf(tile)].sort((a, b) => a - b);
    if (last - first >= MOST) return this.#on.onProblem(TOO_MANY);
    try {
      this.#add(await this.#grid.between(first, last));
    } catch (error) {
      this.#on.onProblem(error.message);
    }
    this.#on.onChange();
  }

  #beginFrame(isAdding) {
    if (!isAdding) this.#selection.none();
    return this.#selection.copy();
  }

  /** Select what was selected before, and all pictures that the frame touches. */
  #frame(before, box) {
    this.#selection.restore(before);
    this.#add(this.#grid.within(box).map((index) => this.#grid.at(index)));
    this.#on.onChange();
  }

  /** Failed files cannot be labelled, and those not loaded yet are not seen. */
  #add(results) {
    this.#selection.set(results.filter((result) => result?.error_code === null).map((result) => result.image_id), true);
  }
}

function placeOf(tile) {
  return Number(tile.getAttribute("aria-posinset")) - 1;
}
