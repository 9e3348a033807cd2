/** What is dropped on a page: accepts files dropped anywhere on the page, pasted, or chosen with a button. */

import { sayCounting } from "../../shared/page/counting.js";
import { plural } from "../../shared/text/words.js";
import { collectEntries, collectFiles, takeEntries } from "./collect.js";
import { namedPasted } from "./names.js";

/** @param {(found: import("./collect.js").Collection) => void} onFound Called for each drop, paste or choice. */
export function openZone(onFound) {
  const looking = document.querySelector("[data-looking]");
  let depth = 0;

  const mark = (event, step) => {
    if (!carriesFiles(event.dataTransfer)) return;
    depth = Math.max(0, depth + step);
    document.body.classList.toggle("is-dragging", depth > 0);
  };
  const look = (entries) => {
    const say = (n) => looking && sayCounting(looking, "Reading the folder …", plural(n, "file"));
    collectEntries(entries, say)
      .then(onFound)
      .finally(() => looking?.replaceChildren());
  };
  addEventListener("dragenter", (event) => mark(event, 1));
  addEventListener("dragleave", (event) => mark(event, -1));
  addEventListener("dragover", (event) => carriesFiles(event.dataTransfer) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!carriesFiles(event.dataTransfer)) return;
    event.preventDefault();
    mark(event, -depth);
    // Before any await: the browser empties the list when this handler ends.
    look(takeEntries(event.dataTransfer));
  });
  addEventListener("paste", (event) => {
    if (!carriesFiles(event.clipboardData)) return;
    event.preventDefault();
    look(takeEntries(event.clipboardData).map(namedPasted));
  });
  openButtons(onFound);
}

function openButtons(onFound) {
  for (const element of document.querySelectorAll("[data-needs-script]")) element.hidden = false;
  for (const button of document.querySelectorAll("[data-pick]")) {
    const input = document.querySelector(`[data-input="${button.dataset.pick}"]`);
    // Some phone browsers can't open folders.
    button.hidden = button.dataset.pick === "folder" && !("webkitdirectory" in input);
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const found = collectFiles(input.files);
      input.value = "";
      onFound(found);
    });
  }
}

function carriesFiles(transfer) {
  return Array.from(transfer?.types ?? []).includes("Files");
}
