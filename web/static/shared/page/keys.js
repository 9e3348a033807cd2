/** Single-key shortcuts. Users can switch them off, for example if they use speech input. */

const STORED = "pawsort-single-keys";
let isOn = read() !== "off";

/**
 * @param {Map<string, () => void>} actions By `KeyboardEvent.key`, letters in lower case.
 * @param {HTMLInputElement|null} box Switches shortcuts on and off; a page without it uses the stored setting.
 * @param {HTMLDialogElement|null} dialog Where they apply; null for the page below all dialogs.
 */
export function listenToKeys(actions, box = null, dialog = null) {
  if (box !== null) {
    box.checked = isOn;
    box.addEventListener("change", () => {
      isOn = box.checked;
      write(isOn ? "on" : "off");
    });
  }
  document.addEventListener("keydown", (event) => {
    if (!isOn || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (topDialog() !== dialog || isTakenBy(event.target, event.key)) return;
    const action = actions.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (action === undefined) return;
    event.preventDefault();
    if (!event.repeat) action();
  });
}

/** Open a list of keys at its beginning: the button that closes it has the focus, and is at its end. */
export function showKeys() {
  const dialog = document.querySelector("[data-help]");
  dialog.showModal();
  dialog.scrollTop = 0;
}

function topDialog() {
  return Array.from(document.querySelectorAll("dialog[open]")).at(-1) ?? null;
}

/** Fields use all keys; buttons, links and checkboxes use those that press them. */
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
    // Storage is not available: the setting is for this page only.
  }
}
