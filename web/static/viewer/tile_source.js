/** The pictures of a list that the server has rendered, for the large view: suspects, samples, errors. */

import { label as word } from "../shared/text/words.js";
import { isPlainClick, labelIn } from "./start.js";
import { Viewer } from "./viewer.js";

/** Open the tiles with data-view in the large view. */
export function viewTiles() {
  const dialog = document.querySelector("[data-viewer]");
  if (dialog === null) return; // there are no pictures
  const source = new TileSource(Array.from(document.querySelectorAll("[data-view]")));
  const viewer = new Viewer({ dialog, source, labelling: labelIn(dialog) });
  document.addEventListener("click", (event) => {
    const place = source.placeOf(event.target.closest(".tile__picture"));
    if (place < 0 || !isPlainClick(event)) return;
    event.preventDefault();
    viewer.open(place);
  });
  const named = source.placeNamed(location.hash);
  if (named >= 0) viewer.open(named);
}

/** @implements {import("./viewer.js").Source} */
class TileSource {
  #tiles;
  #place = 0;

  /** @param {HTMLElement[]} tiles */
  constructor(tiles) {
    this.#tiles = tiles;
  }

  get n() {
    return this.#tiles.length;
  }

  async at(place) {
    return pictureOf(this.#tiles[place]);
  }

  /** The place of a link to a picture; -1 for anything else. */
  placeOf(link) {
    return this.#tiles.indexOf(link?.closest("[data-view]"));
  }

  /** The place that a fragment of the address names; -1 for none. */
  placeNamed(fragment) {
    return this.#tiles.findIndex((tile) => fragment === fragmentOf(tile.dataset.view));
  }

  addressOf(picture) {
    return fragmentOf(picture.image_id);
  }

  changed({ image_id }, label) {
    for (const tile of this.#tiles.filter((one) => one.dataset.view === String(image_id))) {
      if (label === null) delete tile.dataset.done;
      else tile.dataset.done = label;
    }
  }

  reveal(place) {
    this.#place = place;
    this.#tiles[place].scrollIntoView({ block: "nearest" });
  }

  closed() {
    this.#tiles[this.#place].querySelector(".tile__picture").focus({ preventScroll: true });
  }
}

function fragmentOf(imageId) {
  return `#picture-${imageId}`;
}

function pictureOf(tile) {
  const { view, path, given = null, done = null } = tile.dataset;
  const lines = Array.from(tile.querySelectorAll(".tile__text > :not(.tile__path, .tile__name)"), textOf);
  return {
    image_id: Number(view),
    path,
    label: given,
    proposed: given,
    human_label: done,
    tone: done ?? "",
    shown: done === null ? "" : word(done),
    words: lines.join(" · "),
    error: null,
    page: null,
  };
}

/** The text of an element, with blanks between its parts. */
function textOf(element) {
  const parts = Array.from(element.childNodes, (node) => node.textContent.trim());
  return parts.filter((part) => part !== "").join(" ");
}
