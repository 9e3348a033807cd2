/** The parts of a dialog of the large view by their names, and the line in which it says what was done. */

export class DialogParts {
  #dialog;

  /** @param {HTMLDialogElement} dialog */
  constructor(dialog) {
    this.#dialog = dialog;
  }

  /** @param {string} name Of a `data-field`. */
  field(name) {
    return this.#dialog.querySelector(`[data-field="${name}"]`);
  }

  /** @param {string} name Of a `data-do`. */
  button(name) {
    return this.#dialog.querySelector(`[data-do="${name}"]`);
  }

  /** @param {string} sentence @param {string} [label] A label that was given. */
  say(sentence, label = "") {
    const said = this.field("said");
    said.textContent = sentence;
    said.dataset.label = label;
    said.classList.toggle("dot", label !== "");
  }
}
