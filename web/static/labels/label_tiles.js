/** Labelling a list of pictures one by one, with buttons or with their keys for the marked picture. */

import { callJson } from "../shared/http.js";
import { listenToKeys } from "../shared/keys.js";
import { newUuid } from "../shared/uuid.js";

const tiles = [...document.querySelectorAll("[data-say]")];
const status = document.querySelector("[data-said]");
/** The labels given here, newest last: {tile, key}. */
const history = [];
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

async function say(tile, label) {
  if (label === undefined || tile.dataset.done !== undefined) return;
  tile.dataset.done = label;
  const key = newUuid();
  if (tiles[marked] === tile) go(marked + 1);
  const source = label === tile.dataset.given ? "confirmation" : "correction";
  try {
    await callJson("POST", "/api/v1/labels", { items: [{ image_id: Number(tile.dataset.say), label, source, key }] });
    history.push({ tile, key });
    announce(`Labelled ${label}.`);
  } catch (error) {
    delete tile.dataset.done;
    announce(error.message);
  }
}

async function undo() {
  const last = history.pop();
  if (last === undefined) return;
  try {
    await callJson("POST", "/api/v1/labels", {
      items: [{ image_id: Number(last.tile.dataset.say), undoes: last.key, key: newUuid() }],
    });
    delete last.tile.dataset.done;
    go(tiles.indexOf(last.tile));
    announce("Undone.");
  } catch (error) {
    history.push(last);
    announce(error.message);
  }
}

function announce(text) {
  if (status !== null) status.textContent = text;
}
