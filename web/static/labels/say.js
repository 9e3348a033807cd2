/** Pictures that one says something of, one after the other: by button, or by key where a label is suspected. */

import { callJson } from "../http.js";
import { newUuid } from "../upload/names.js";

const tiles = [...document.querySelectorAll("[data-say]")];
const suspects = document.querySelector("[data-suspects]");
const status = document.querySelector("[data-said]");
/** What was said here, newest last: {tile, key}. */
const said = [];
let marked = 0;

for (const tile of tiles) {
  for (const button of tile.querySelectorAll("[data-label-to]")) {
    button.addEventListener("click", (event) => {
      event.preventDefault();
      say(tile, button.dataset.labelTo);
    });
  }
}

if (suspects !== null) {
  mark(0);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    const tile = tiles[marked];
    switch (event.key.toLowerCase()) {
      case "m":
        return say(tile, tile.dataset.suggested);
      case "k":
        return say(tile, tile.dataset.given);
      case "u":
        return takeBack();
      case "arrowright":
        return mark(marked + 1);
      case "arrowleft":
        return mark(marked - 1);
    }
  });
}

/** Mark the picture that the next key is about. */
function mark(index) {
  if (index < 0 || index >= tiles.length) return;
  tiles[marked].classList.remove("is-marked");
  marked = index;
  tiles[marked].classList.add("is-marked");
  tiles[marked].focus({ preventScroll: true });
  tiles[marked].scrollIntoView({ block: "nearest" });
}

async function say(tile, label) {
  if (tile.dataset.done !== undefined) return;
  tile.dataset.done = label;
  const key = newUuid();
  if (tiles[marked] === tile) mark(marked + 1);
  const source = label === tile.dataset.given ? "confirmation" : "correction";
  try {
    await callJson("POST", "/api/v1/labels", { items: [{ image_id: Number(tile.dataset.say), label, source, key }] });
    said.push({ tile, key });
    tell(`Said: ${label}.`);
  } catch (error) {
    delete tile.dataset.done;
    tell(error.message);
  }
}

async function takeBack() {
  const last = said.pop();
  if (last === undefined) return;
  try {
    await callJson("POST", "/api/v1/labels", {
      items: [{ image_id: Number(last.tile.dataset.say), undoes: last.key, key: newUuid() }],
    });
    delete last.tile.dataset.done;
    mark(tiles.indexOf(last.tile));
    tell("Taken back.");
  } catch (error) {
    said.push(last);
    tell(error.message);
  }
}

function tell(text) {
  if (status !== null) status.textContent = text;
}
