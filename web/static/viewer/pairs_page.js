/** A page with groups of near-duplicates: two of a group next to each other. */

import { PairViewer } from "./pair_viewer.js";
import { isPlainClick, labelIn } from "./start.js";

const dialog = document.querySelector("[data-pair]");
if (dialog !== null) {
  const groups = Array.from(document.querySelectorAll("[data-group]"), (group) => Array.from(group.querySelectorAll("[data-view]")));
  const viewer = new PairViewer({ dialog, groups, labelling: labelIn(dialog) });
  document.addEventListener("click", (event) => {
    const tile = event.target.closest(".tile__picture")?.closest("[data-view]");
    const group = groups.findIndex((tiles) => tiles.includes(tile));
    if (group < 0 || !isPlainClick(event)) return;
    event.preventDefault();
    const left = groups[group].indexOf(tile);
    viewer.open({ group, left, right: left === 0 ? 1 : 0 });
  });
  const named = pairNamed(groups, location.hash);
  if (named !== null) viewer.open(named);
}

/** The pair that a fragment of the address names; null for none. */
function pairNamed(groups, fragment) {
  const [, ...ids] = fragment.match(/^#pictures-(\d+)-(\d+)$/) ?? [];
  const group = groups.findIndex((tiles) => ids.length > 0 && ids.every((id) => tiles.some((tile) => tile.dataset.view === id)));
  if (group < 0) return null;
  const [left, right] = ids.map((id) => groups[group].findIndex((tile) => tile.dataset.view === id));
  return { group, left, right };
}
