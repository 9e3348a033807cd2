/** The large view of a page: its dialog, and the labels that are given in it. */

import { Labelling } from "../labels/labelling.js";
import { troubleSentence } from "../labels/outbox.js";

/** The labels of each dialog: the page below it shares them, so that both undo the same steps. */
const known = new WeakMap();

/**
 * @param {HTMLDialogElement} dialog
 * @returns {Labelling} Shows in the dialog, and in the page, what becomes of its labels.
 */
export function labelIn(dialog) {
  if (!known.has(dialog)) known.set(dialog, open(dialog));
  return known.get(dialog);
}

function open(dialog) {
  const notices = [dialog.querySelector('[data-field="trouble"]'), ...document.querySelectorAll("[data-label-trouble]")];
  const show = (sentence) => {
    for (const notice of notices) {
      if (notice.textContent !== sentence) notice.textContent = sentence;
      notice.hidden = sentence === "";
    }
  };
  dialog.dataset.unsent = "0";
  return new Labelling({
    user: dialog.dataset.user,
    name: `viewer:${location.pathname}`,
    onChange(unsent) {
      dialog.dataset.unsent = String(unsent);
      if (unsent === 0) document.dispatchEvent(new CustomEvent("labels:changed"));
    },
    onTrouble: (error) => show(error === null ? "" : troubleSentence(error)),
    onRefused: (error) => show(`A label was not saved: ${error.message}`),
  });
}

/** Whether a click is meant to open the large view, and not a new tab or a selection. */
export function isPlainClick(event) {
  return !event.defaultPrevented && event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
}
