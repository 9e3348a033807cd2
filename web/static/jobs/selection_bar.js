/** Choosing pictures in the grid by mouse, finger and keys, and saying in one go what all of them show. */

import { listenToKeys } from "../shared/keys.js";
import { count, label as word, plural } from "../shared/words.js";
import { Batches } from "./label_batches.js";
import { Chosen } from "./selection.js";

/** As many ids as one call takes; whoever wants more takes all that a filter shows. */
const MOST = 5000;

export class Choose {
  #root = document.querySelector("[data-choose]");
  #list = document.querySelector("[data-grid]");
  #chosen = new Chosen();
  #anchor = null;
  #isBusy = false;
  #grid;
  #threshold;
  #batches;

  /** @param {{job: string, grid: import("./grid.js").Grid, threshold: () => number}} parts threshold: that labels are shown at. */
  constructor({ job, grid, threshold }) {
    if (this.#root === null) return;
    this.#grid = grid;
    this.#threshold = threshold;
    this.#batches = new Batches(job, {
      onProgress: ({ n_labels }) => this.#say(`${plural(n_labels, "label")} written so far …`),
      onTrouble: (error) => error && this.#say("The server does not answer at the moment. It is asked again until all is written."),
    });
    this.#listen();
    this.#root.hidden = false;
    this.#show();
    this.#work(() => this.#batches.resume(), (batch) => batch && "What a page before this one had begun is finished now.");
  }

  /** All that the view shows can be taken as soon as the view no longer grows by itself. */
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
      ["x", () => this.#focused && this.#toggle(this.#focused, !this.#chosen.has(this.#focused.result.image_id))],
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
      this.#chosen.all();
      this.#show();
    },
    none: () => {
      this.#chosen.none();
      this.#anchor = null;
      this.#show();
    },
    right: () => this.#confirm(),
    allRight: () => this.#run({ confirm: true }, {}),
    undo: () => {
      if (!this.#batches.canUndo) return;
      const words = ({ n_labels, n_skipped }) =>
        `${plural(n_labels, "label")} taken back.${n_skipped > 0 ? ` ${count(n_skipped)} were changed since and stay.` : ""}`;
      this.#work(() => this.#batches.undo(), words);
    },
    help: () => document.querySelector("[data-help]").showModal(),
  };

  /** The tile that has the focus, if it can be labelled. */
  get #focused() {
    const tile = this.#list.contains(document.activeElement) ? document.activeElement.closest(".tile") : null;
    return tile?.querySelector("[data-check]") ? tile : null;
  }

  #click(event) {
    const tile = event.target.closest(".tile__picture, .tile__check")?.closest(".tile");
    // Enter on a picture opens it always, a click only while none is chosen; Shift takes all between two clicks.
    if (!tile?.querySelector("[data-check]") || event.detail === 0 || event.ctrlKey || event.metaKey) return;
    const isOwnWay = event.target.closest(".tile__check") !== null || this.#chosen.count(this.#grid.n) === 0;
    if (isOwnWay && !event.shiftKey) return;
    event.preventDefault();
    if (event.shiftKey) this.#extend(tile);
    else this.#toggle(tile, !this.#chosen.has(tile.result.image_id));
  }

  #toggle(tile, isOn) {
    this.#anchor = placeOf(tile);
    this.#chosen.set([tile.result.image_id], isOn);
    this.#show();
  }

  /** The grid has moved the focus by then. */
  #extendByKey(event) {
    const from = event.target.closest(".tile");
    if (from) this.#anchor ??= placeOf(from);
    this.#extend(document.activeElement.closest(".tile"));
  }

  /** Choose all from the one chosen last to this one. */
  async #extend(tile) {
    if (!tile) return;
    this.#anchor ??= placeOf(tile);
    const [first, last] = [this.#anchor, placeOf(tile)].sort((a, b) => a - b);
    if (last - first >= MOST) {
      this.#say(`At most ${count(MOST)} can be chosen one by one. Narrow what is shown, and take all of it.`);
      return;
    }
    try {
      const results = await this.#grid.between(first, last);
      this.#chosen.set(results.filter((result) => result.error_code === null).map((result) => result.image_id), true);
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

  /** What is chosen, else the picture that has the focus. */
  #target() {
    if (this.#chosen.count(this.#grid.n) > 0) return this.#chosen.body;
    return this.#focused === null ? null : { image_ids: [this.#focused.result.image_id] };
  }

  #run(what, some) {
    if (some.image_ids?.length > MOST || some.except_ids?.length > MOST) {
      this.#say(`At most ${count(MOST)} can be chosen one by one. Narrow what is shown, and take all of it.`);
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
        this.#chosen.none();
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
    box.checked = this.#chosen.has(result.image_id);
    box.setAttribute("aria-label", `Choose ${result.path}`);
    tile.classList.toggle("is-chosen", box.checked);
  }

  #show() {
    const n = this.#chosen.count(this.#grid.n);
    const hasNoAll = this.#root.hasAttribute("data-growing") || this.#grid.n === 0;
    this.#root.classList.toggle("is-floating", n > 0);
    this.#root.querySelector('[data-field="chosen"]').textContent = n > 0 ? `${count(n)} of ${count(this.#grid.n)} chosen` : "";
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
  if (confirm) return `${plural(n_labels, "picture")} confirmed.${left("left as they are: unsure, or labelled by people before.")}`;
  return `${plural(n_labels, "picture")} labelled: ${word(label)}.${left("had that label already.")}`;
}
