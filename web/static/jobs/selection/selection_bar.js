/** The bar above the grid: how many pictures are selected, and the labels to give them together. */

import { listenToKeys, showKeys } from "../../shared/page/keys.js";
import { asText } from "../../shared/text/names.js";
import { count, label as word, plural } from "../../shared/text/words.js";
import { Batches } from "./label_batches.js";
import { MOST, Picking, TOO_MANY } from "./picking.js";
import { Selection } from "./selection.js";

export class SelectionBar {
  #root = document.querySelector("[data-choose]");
  #ask = document.querySelector("[data-ask]");
  #list = document.querySelector("[data-grid]");
  #selection = new Selection();
  #isBusy = false;
  #grid;
  #threshold;
  #batches;
  #picking;

  /** @param {{job: string, grid: import("../grid/grid.js").Grid, threshold: () => number}} parts threshold: the one at which labels are shown. */
  constructor({ job, grid, threshold }) {
    if (this.#root === null) return;
    this.#grid = grid;
    this.#threshold = threshold;
    this.#batches = new Batches(job, {
      onProgress: ({ n_labels }) => this.#say(`${plural(n_labels, "label")} written so far …`),
      onTrouble: (error) => error && this.#say("The server is not responding. Retrying until all labels are written."),
    });
    this.#picking = new Picking({
      list: this.#list,
      grid,
      selection: this.#selection,
      onChange: () => this.#show(),
      onProblem: (words) => this.#say(words),
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

  /** The filter has changed: what was selected may be out of sight. */
  clear() {
    this.#picking?.none();
  }

  #listen() {
    this.#list.addEventListener("picture:drawn", ({ detail }) => this.#mark(detail.tile, detail.result));
    this.#list.addEventListener("grid:counted", () => this.#show());
    this.#root.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button?.dataset.say) this.#label(button.dataset.say);
      else if (button) this.#todo[button.dataset.do]();
    });
    const keys = new Map([
      ["x", () => this.#picking.toggleFocused()],
      ["a", this.#todo.all],
      ["Escape", this.#todo.none],
      ["y", this.#todo.right],
      ["u", this.#todo.undo],
      ["?", this.#todo.help],
      ...Array.from(this.#root.querySelectorAll("[data-say]"), ({ dataset }) => [dataset.say[0], () => this.#label(dataset.say)]),
    ]);
    listenToKeys(keys, document.querySelector("[data-keys]"));
    this.#ask.addEventListener("close", () => this.#ask.returnValue === "yes" && this.#run({ confirm: true }, {}));
    addEventListener("beforeunload", (event) => this.#isBusy && event.preventDefault());
  }

  #todo = {
    all: () => {
      if (this.#hasNoAll || this.#isBusy) return;
      this.#selection.all();
      this.#show();
    },
    none: () => this.#picking.none(),
    right: () => this.#run({ confirm: true }, this.#target()),
    allRight: () => {
      this.#ask.returnValue = "";
      const pictures = plural(this.#grid.n, "picture");
      const question = this.#isOfNeither ? `Label all ${pictures} “neither”?` : `Confirm the model’s labels of all ${pictures}?`;
      this.#ask.querySelector('[data-field="ask"]').textContent = question;
      this.#ask.querySelector('[data-field="ask-yes"]').textContent = `${this.#isOfNeither ? "Label" : "Confirm"} ${count(this.#grid.n)}`;
      for (const words of this.#ask.querySelectorAll("[data-ask-of]")) words.hidden = (words.dataset.askOf === "neither") !== this.#isOfNeither;
      this.#ask.showModal();
    },
    undo: () => {
      if (!this.#batches.canUndo) return;
      const words = ({ n_labels, n_skipped }) =>
        `${plural(n_labels, "label")} undone.${n_skipped > 0 ? ` ${count(n_skipped)} changed since then and kept.` : ""}`;
      this.#work(() => this.#batches.undo(), words);
    },
    help: showKeys,
  };

  /** Whether all pictures shown are probably neither, so that confirming labels them so. */
  get #isOfNeither() {
    return this.#grid.filter.neither !== undefined;
  }

  /** Whether all pictures shown are unsure: the model has no label for them that could be confirmed. */
  get #isUnsure() {
    return this.#grid.filter.label === "unsure" && !this.#isOfNeither;
  }

  /** More pictures may come, or there are none, or nobody knows yet how many there are. */
  get #hasNoAll() {
    return this.#root.hasAttribute("data-growing") || this.#grid.n === 0 || !this.#grid.isCounted;
  }

  #label(name) {
    this.#run({ label: name }, this.#target());
  }

  /** The selected pictures, or the focused one; null without either. */
  #target() {
    if (this.#selection.count(this.#grid.n) > 0) return this.#selection.body;
    return this.#picking.focused === null ? null : { image_ids: [this.#picking.focused.result.image_id] };
  }

  #run(what, target) {
    if (target === null) return;
    if (target.image_ids?.length > MOST || target.except_ids?.length > MOST) return this.#say(TOO_MANY);
    const body = { ...what, ...target, filter: this.#grid.filter, threshold: this.#threshold() };
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
    box.setAttribute("aria-label", `Select ${asText(result.path)}`);
    tile.classList.toggle("is-chosen", box.checked);
  }

  #show() {
    const n = this.#selection.count(this.#grid.n);
    const field = (name) => this.#root.querySelector(`[data-field="${name}"]`);
    field("chosen").textContent = n > 0 ? `${count(n)} of ${count(this.#grid.n)} selected` : "";
    field("shown").textContent = n > 0 || this.#grid.n === 0 ? "" : `${plural(this.#grid.n, "file")} shown`;
    field("all-right").textContent = this.#isOfNeither ? `Label all ${count(this.#grid.n)} “neither”` : `Confirm all ${count(this.#grid.n)}`;
    for (const part of this.#root.querySelectorAll("[data-if]")) part.hidden = (part.dataset.if === "some") !== n > 0;
    for (const button of this.#root.querySelectorAll("button")) button.disabled = this.#isBusy && button.dataset.do !== "help";
    for (const button of this.#root.querySelectorAll('[data-do="all"], [data-do="allRight"]')) button.hidden ||= this.#hasNoAll;
    this.#root.querySelector('[data-do="allRight"]').hidden ||= this.#isUnsure;
    this.#root.querySelector('[data-do="undo"]').disabled ||= !this.#batches.canUndo;
    for (const tile of this.#list.querySelectorAll(".tile")) if (tile.result) this.#mark(tile, tile.result);
  }

  #say(words) {
    this.#root.querySelector('[data-field="said"]').textContent = words;
  }
}

function wordsFor({ confirm, label }, { n_labels, n_skipped }) {
  const left = (words) => (n_skipped > 0 ? ` ${count(n_skipped)} ${words}` : "");
  if (confirm) return `${plural(n_labels, "picture")} confirmed.${left("skipped: unsure, or already labelled by people.")}`;
  return `${plural(n_labels, "picture")} labelled: ${word(label)}.${left("already had this label.")}`;
}
