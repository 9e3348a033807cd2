/** Single keys for what is done again and again. They can be switched off: some people speak to their computer, others rest a hand on it. */

const STORED = "pawsort-single-keys";

/**
 * @param {Map<string, () => void>} actions By the key's name, as `KeyboardEvent.key` gives it, in lower case.
 * @param {HTMLInputElement|null} box Whether single keys are on; a page without it does as was said on another.
 */
export function listenToKeys(actions, box = null) {
  let isOn = read() !== "off";
  if (box !== null) {
    box.checked = isOn;
    box.addEventListener("change", () => {
      isOn = box.checked;
      write(isOn ? "on" : "off");
    });
  }
  document.addEventListener("keydown", (event) => {
    if (!isOn || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") !== null || isTakenBy(event.target, event.key)) return;
    const action = actions.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (action === undefined) return;
    event.preventDefault();
    if (!event.repeat) action();
  });
}

/** A field takes all keys, a button, link or box those that press it. */
function isTakenBy(element, key) {
  if (element.closest('input:not([type="checkbox"]), select, textarea') !== null) return true;
  return (key === " " || key === "Enter") && element.closest("button, a, summary, input") !== null;
}

function read() {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

function write(value) {
  try {
    localStorage.setItem(STORED, value);
  } catch {
    // Then it holds for this page only.
  }
}
