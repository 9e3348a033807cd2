/** The buttons of a large view, and their keys. */

import { listenToKeys } from "../shared/page/keys.js";

const STEPS = { ArrowLeft: -1, PageUp: -1, ArrowRight: 1, PageDown: 1 };
const KEYS = { Enter: "confirm", u: "undo", Backspace: "undo", z: "zoom", "+": "enlarge", "=": "enlarge", "-": "reduce", h: "heat" };

/**
 * @param {HTMLDialogElement} dialog
 * @param {{todo: Record<string, () => void>, onLabel: (label: string, button: Element|null) => void, onStep: (by: number) => void,
 *   moveByKey: (key: string) => boolean, focus: () => void}} on
 *   todo: by the buttons' data-do. onLabel: by a button with data-give, or by its key (null). moveByKey: whether an arrow key has moved the
 *   picture. focus: leave a button that was clicked, so that Enter and Space do not press it again.
 */
export function listenToControls(dialog, { todo, onLabel, onStep, moveByKey, focus }) {
  const all = { ...todo, previous: () => onStep(-1), next: () => onStep(1) };
  dialog.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button === null) return;
    if (button.dataset.give) onLabel(button.dataset.give, button);
    else all[button.dataset.do]?.();
    if (event.detail > 0 && dialog.open) focus();
  });
  dialog.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !(event.key in STEPS || event.key.startsWith("Arrow"))) return;
    event.preventDefault();
    if (!moveByKey(event.key) && event.key in STEPS) onStep(STEPS[event.key]);
  });
  const labels = Array.from(dialog.querySelectorAll("[data-give][aria-keyshortcuts]"), ({ dataset }) => dataset.give);
  const keys = Object.entries(KEYS).filter(([, name]) => name in all && dialog.querySelector(`[data-do="${name}"]:not([hidden])`) !== null);
  listenToKeys(
    new Map([...keys.map(([key, name]) => [key, all[name]]), ...labels.map((label) => [label[0], () => onLabel(label, null)])]),
    null,
    dialog,
  );
}
