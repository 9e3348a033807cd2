/** The pictures of a job's grid, for the large view. */

import { fill, pageOf } from "../jobs/grid/tile.js";
import { probablyNeither, sharesOf } from "../shared/text/neither.js";
import { label as word } from "../shared/text/words.js";
import { isPlainClick, labelIn } from "./start.js";
import { Viewer } from "./viewer.js";

/** Open the pictures of the grid in the large view. @param {import("../jobs/grid/grid.js").Grid} grid */
export function viewGrid(grid) {
  const [dialog, list] = [document.querySelector("[data-viewer]"), document.querySelector("[data-grid]")];
  if (dialog === null || list === null) return;
  const source = new GridSource(grid, list);
  const viewer = new Viewer({ dialog, source, labelling: labelIn(dialog) });
  list.addEventListener("click", (event) => {
    const link = event.target.closest("[data-place]");
    if (link === null || !isPlainClick(event)) return;
    event.preventDefault();
    viewer.open(Number(link.dataset.place));
  });
}

/** @implements {import("./viewer.js").Source} */
class GridSource {
  #grid;
  #list;
  #place = 0;

  constructor(grid, list) {
    this.#grid = grid;
    this.#list = list;
  }

  get n() {
    return this.#grid.n;
  }

  async at(place) {
    const result = await this.#grid.load(place);
    return result === null ? null : pictureOf(result);
  }

  addressOf(picture) {
    return picture.page;
  }

  async changed({ image_id }, label) {
    const tile = this.#list.querySelector(`[data-image="${image_id}"]`);
    const result = tile?.result ?? (await this.#grid.load(this.#place));
    if (result?.image_id !== image_id) return;
    result.human_label = label;
    if (tile !== null) fill(tile, result);
  }

  reveal(place) {
    this.#place = place;
    this.#grid.reveal(place);
  }

  closed() {
    this.#list.querySelector(`[data-place="${this.#place}"]`)?.focus({ preventScroll: true });
  }
}

function pictureOf(result) {
  const { label, human_label } = result;
  const called = probablyNeither(result) === null ? label : "probably neither";
  const proposed = { unsure: null, "probably neither": "neither" };
  return {
    image_id: result.image_id,
    path: result.path,
    label,
    proposed: called in proposed ? proposed[called] : label,
    human_label,
    tone: human_label ?? label ?? "failed",
    shown: word(human_label ?? called ?? "failed"),
    words: [...(human_label ? ["by people", `the model: ${called}`] : []), ...sharesOf(result.probabilities)].join(" · "),
    error: result.error,
    page: pageOf(result),
  };
}
