/** The drop zone of a page: takes what is dropped anywhere on the page, or picked with a button. */

import { plural } from "../words.js";
import { collectEntries, collectFiles, takeEntries } from "./collect.js";

/** @param {(found: import("./collect.js").Collection) => void} onFound Called for each drop and each choice. */
export function openZone(onFound) {
  const title = document.querySelector("#drop-title");
  const restingTitle = title.textContent;
  let depth = 0;

  const mark = (event, step) => {
    if (!carriesFiles(event)) return;
    depth = Math.max(0, depth + step);
    document.body.classList.toggle("is-dragging", depth > 0);
  };
  addEventListener("dragenter", (event) => mark(event, 1));
  addEventListener("dragleave", (event) => mark(event, -1));
  addEventListener("dragover", (event) => carriesFiles(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    mark(event, -depth);
    // Before anything is awaited: the browser empties the list as soon as this handler ends.
    const entries = takeEntries(event.dataTransfer);
    collectEntries(entries, (n) => (title.textContent = `Looking through the folder … ${plural(n, "file")}`))
      .then(onFound)
      .finally(() => (title.textContent = restingTitle));
  });
  openButtons(onFound);
}

function openButtons(onFound) {
  for (const element of document.querySelectorAll("[data-needs-script]")) element.hidden = false;
  for (const button of document.querySelectorAll("[data-pick]")) {
    const input = document.querySelector(`[data-input="${button.dataset.pick}"]`);
    button.addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      const found = collectFiles(input.files);
      input.value = "";
      onFound(found);
    });
  }
}

function carriesFiles(event) {
  return Array.from(event.dataTransfer?.types ?? []).includes("Files");
}
