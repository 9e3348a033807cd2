/** Labelling a list of pictures one by one, with buttons or with their keys for the marked picture. The large view shares its labels. */

import { listenToKeys } from "../shared/page/keys.js";
import { asText } from "../shared/text/names.js";
import { labelIn } from "../viewer/start.js";

const tiles = [...document.querySelectorAll("[data-say]")];
const status = document.querySelector("[data-said]");
const labelling = tiles.length > 0 ? labelIn(document.querySelector("[data-viewer]")) : null;
let marked = 0;

for (const [index, tile] of tiles.entries()) {
  tile.addEventListener("focusin", () => mark(index));
  for (const button of buttonsOf(tile)) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      say(tile, button.dataset.labelTo);
    });
  }
}

for (const element of document.querySelectorAll("[data-needs-script]")) element.hidden = false;
if (tiles.length > 0) {
  tiles[0].classList.add("is-marked");
  listenToKeys(keys(), document.querySelector("[data-keys]"));
}

/** The keys of the buttons, the keys that move, and the key for undo. */
function keys() {
  const found = new Map([
    ["u", undo],
    ["ArrowRight", () => go(marked + 1)],
    ["ArrowLeft", () => go(marked - 1)],
  ]);
  for (const button of tiles.flatMap(buttonsOf)) found.set(keyOf(button), () => press(keyOf(button)));
  return found;
}

function press(key) {
  const tile = tiles[marked];
  // Do not label a picture that is not visible.
  if (!isVisible(tile)) return go(marked);
  say(tile, buttonsOf(tile).find((button) => keyOf(button) === key)?.dataset.labelTo);
}

function buttonsOf(tile) {
  return [...tile.querySelectorAll("[data-label-to]")];
}

function keyOf(button) {
  return button.getAttribute("aria-keyshortcuts");
}

function isVisible(tile) {
  const { top, bottom } = tile.getBoundingClientRect();
  return top < innerHeight && bottom > 0;
}

/** Mark the picture for the next key. */
function mark(index) {
  tiles[marked].classList.remove("is-marked");
  marked = index;
  tiles[marked].classList.add("is-marked");
}

function go(index) {
  if (index < 0 || index >= tiles.length) return;
  mark(index);
  tiles[index].focus({ preventScroll: true });
  tiles[index].scrollIntoView({ block: "nearest" });
}

function say(tile, label) {
  if (label === undefined || tile.dataset.done !== undefined) return;
  const { say: id, path, given = null } = tile.dataset;
  const place = tiles.indexOf(tile);
  labelling.give({ image_id: Number(id), path, label: given, before: null, place }, label);
  tile.dataset.done = label;
  if (marked === place) go(place + 1);
  announce(`Labelled ${label}.`);
}

/** Undo the last label, also one that was given in the large view. */
function undo() {
  const step = labelling.undo();
  if (step === undefined) return;
  const place = tiles.findIndex((tile) => tile.dataset.say === String(step.picture.image_id));
  if (place >= 0) {
    delete tiles[place].dataset.done;
    go(place);
  }
  announce(`Undone: ${asText(step.picture.path)}`);
}

function announce(text) {
  if (status !== null) status.textContent = text;
}
