/** Selecting jobs in the list: all of the page at once, how many are selected, and what can be done with them. */

import { count } from "../shared/text/words.js";

/** @param {HTMLFormElement} form The boxes in the rows belong to it. */
export function openSelection(form) {
  const all = form.querySelector("[data-select-all]");
  const words = form.querySelector('[data-field="selected"]');
  const acts = form.querySelector("[data-acts]");
  const boxes = () => Array.from(form.elements).filter((element) => element.name === "job");
  const show = () => {
    const n = boxes().filter((box) => box.checked).length;
    all.checked = n > 0 && n === boxes().length;
    all.indeterminate = n > 0 && !all.checked;
    words.textContent = n > 0 ? `${count(n)} selected` : "Select all";
    acts.hidden = n === 0;
  };
  all.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    show();
  });
  document.addEventListener("change", (event) => event.target.form === form && event.target.name === "job" && show());
  // The browser's Back button restores the boxes.
  addEventListener("pageshow", show);
  show();
}
