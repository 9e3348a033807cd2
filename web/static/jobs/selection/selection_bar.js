/** Selecting pictures in the grid with mouse, touch and keys, and labelling them together. */

import { listenToKeys } from "../../shared/keys.js";
import { count, label as word, plural } from "../../shared/words.js";
import { Batches } from "./label_batches.js";
import { Selection } from "./selection.js";

/** The maximum of ids in one call. For more, use a filter and select all. */
const MOST = 5000;

export class SelectionBar {
  #root = document.querySelector("[data-choose]");
  #list = document.querySelector("[data-grid]");
  #selection = new Selection();
  #anchor = null;
  #isBusy = false;
  #grid;
  #threshold;
  #batches;

  /** @param {{job: string, grid: import("../grid.js").Grid, threshold: () => number}} parts threshold: the one at which labels are shown. */
  constructor({ job, grid, threshold }) {
    if (this.#root === null) return;
    this.#grid = grid;
    this.#threshold = threshold;
    this.#batches = new Batches(job, {
      onProgress: ({ n_labels }) => this.#say(`${plural(n_labels, "label")} written so far …`),
      onTrouble: (error) => error && this.#say("The server is not responding. Retrying until all labels are written."),
    });
    this.#listen();
    this.#root.hidden = false;
    this.#show();
    this.#work(() => this.#batches.resume(), (batch) => batch && "Labels from an earlier page are now complete.");
  }

  /** All pictures can be selected once no more are added. */
  ended(hasEnded) {
    this.#root?.toggleAttribute("data-growing", !hasEnded);
    if (this.#root) this.#show();
  }

  #listen() {
    this.#list.addEventListener("picture:drawn", ({ detail }) => this.#mark(detail.tile, detail.result));
    this.#list.addEventListener("grid:counted", () => this.#show());
    this.#list.addEventListener("change", (event) => {
      if (event.target.matches("[data-check]")) this.#toggle(event.target.closest(".tile"), event.target.checked);
    });
    this.#list.addEventListener("click", (event) => this.#click(event), { capture: true });
    this.#list.addEventListener("keydown", (event) => event.shiftKey && event.key.startsWith("Arrow") && this.#extendByKey(event));
    this.#root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.say) this.#label(button.dataset.say);
      else if (button) this.#todo[button.dataset.do]();
    });
    const keys = new Map([
      ["x", () => this.#focused && this.#toggle(this.#focused, !this.#selection.has(this.#focused.result.image_id))],
      ["a", this.#todo.all],
      ["Escape", this.#todo.none],
      ["y", this.#todo.right],
      ["u", this.#todo.undo],
      ["?", this.#todo.help],
      ...Array.from(this.#root.querySelectorAll("[data-say]"), ({ dataset }) => [dataset.say[0], () => this.#label(dataset.say)]),
    ]);
    listenToKeys(keys, document.querySelector("[data-keys]"));
    addEventListener("beforeunload", (event) => this.#isBusy && event.preventDefault());
  }

  #todo = {
    all: () => {
      if (this.#root.hasAttribute("data-growing") || this.#grid.n === 0 || this.#isBusy) return;
      this.#selection.all();
      this.#show();
    },
    none: () => {
      this.#selection.none();
      this.#anchor = null;
      this.#show();
    },
    right: () => this.#confirm(),
    allRight: () => this.#run({ confirm: true }, {}),
    undo: () => {
      if (!this.#batches.canUndo) return;
      const words = ({ n_labels, n_skipped }) =>
        `${plural(n_labels, "label")} undone.${n_skipped > 0 ? ` ${count(n_skipped)} changed since then and kept.` : ""}`;
      this.#work(() => this.#batches.undo(), words);
    },
    help: () => document.querySelector("[data-help]").showModal(),
  };

  /** The focused tile, if it can be labelled. */
  get #focused() {
    const tile = this.#list.contains(document.activeElement) ? document.activeElement.closest(".tile") : null;
    return tile?.querySelector("[data-check]") ? tile : null;
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
    this.#show();
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
    if (last - first >= MOST) {
      this.#say(`You can select at most ${count(MOST)} pictures one by one. Use a filter and select all instead.`);
      return;
    }
    try {
      const results = await this.#grid.between(first, last);
      this.#selection.set(results.filter((result) => result.error_code === null).map((result) => result.image_id), true);
    } catch (error) {
      this.#say(error.message);
    }
    this.#show();
  }

  #label(name) {
    const some = this.#target();
    if (some !== null) this.#run({ label: name }, some);
  }

  #confirm() {
    const some = this.#target();
    if (some !== null) this.#run({ confirm: true }, some);
  }

  /** The selected pictures, or the focused one. */
  #target() {
    if (this.#selection.count(this.#grid.n) > 0) return this.#selection.body;
    return this.#focused === null ? null : { image_ids: [this.#focused.result.image_id] };
  }

  #run(what, some) {
    if (some.image_ids?.length > MOST || some.except_ids?.length > MOST) {
      this.#say(`You can select at most ${count(MOST)} pictures one by one. Use a filter and select all instead.`);
      return;
    }
    const body = { ...what, ...some, filter: this.#grid.filter, threshold: this.#threshold() };
    this.#work(() => this.#batches.run(body), (batch) => wordsFor(what, batch));
  }

  async #work(call, wordsOf) {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#show();
    let words = "";
    try {
      words = wordsOf(await call());
      if (words) {
        this.#selection.none();
        await this.#grid.reload();
      }
    } catch (error) {
      words = error.message;
    }
    this.#isBusy = false;
    this.#show();
    if (!words) return;
    this.#say(words);
    document.dispatchEvent(new CustomEvent("labels:changed"));
  }

  #mark(tile, result) {
    const box = tile.querySelector("[data-check]");
    if (box === null) return;
    box.checked = this.#selection.has(result.image_id);
    box.setAttribute("aria-label", `Select ${result.path}`);
    tile.classList.toggle("is-chosen", box.checked);
  }

  #show() {
    const n = this.#selection.count(this.#grid.n);
    const hasNoAll = this.#root.hasAttribute("data-growing") || this.#grid.n === 0;
    this.#root.classList.toggle("is-floating", n > 0);
    this.#root.querySelector('[data-field="chosen"]').textContent = n > 0 ? `${count(n)} of ${count(this.#grid.n)} selected` : "";
    this.#root.querySelector('[data-field="shown"]').textContent = n > 0 || this.#grid.n === 0 ? "" : `${plural(this.#grid.n, "file")} shown`;
    for (const part of this.#root.querySelectorAll("[data-if]")) part.hidden = (part.dataset.if === "some") !== n > 0;
    for (const button of this.#root.querySelectorAll("button")) button.disabled = this.#isBusy && button.dataset.do !== "help";
    for (const button of this.#root.querySelectorAll('[data-do="all"], [data-do="allRight"]')) button.hidden ||= hasNoAll;
    this.#root.querySelector('[data-do="undo"]').disabled ||= !this.#batches.canUndo;
    for (const tile of this.#list.querySelectorAll(".tile")) if (tile.result) this.#mark(tile, tile.result);
  }

  #say(words) {
    this.#root.querySelector('[data-field="said"]').textContent = words;
  }
}

function placeOf(tile) {
  return Number(tile.getAttribute("aria-posinset")) - 1;
}

function wordsFor({ confirm, label }, { n_labels, n_skipped }) {
  const left = (words) => (n_skipped > 0 ? ` ${count(n_skipped)} ${words}` : "");
  if (confirm) return `${plural(n_labels, "picture")} confirmed.${left("skipped: unsure, or already labelled by people.")}`;
  return `${plural(n_labels, "picture")} labelled: ${word(label)}.${left("already had this label.")}`;
}
