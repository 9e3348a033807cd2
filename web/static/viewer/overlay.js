/** A dialog as large as the window, with an entry in the history: Back closes it, and the address names what it shows. */

export class Overlay {
  #dialog;
  #on;
  /** Whether the entry in the history was made by this page, so that closing goes back. */
  #isPushed = false;

  /**
   * @param {HTMLDialogElement} dialog
   * @param {{onReturn: (place: number) => void, onClose: () => void}} on onReturn: Forward leads to a place that was left.
   */
  constructor(dialog, on) {
    this.#dialog = dialog;
    this.#on = on;
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
    addEventListener("popstate", ({ state }) => this.#follow(state?.viewer));
  }

  get isOpen() {
    return this.#dialog.open;
  }

  /** @param {number} place What is shown. @param {string} address Of what is shown. */
  show(place, address) {
    if (this.isOpen) {
      history.replaceState({ viewer: place }, "", address);
      return;
    }
    if (history.state?.viewer === undefined) {
      history.pushState({ viewer: place }, "", address);
      this.#isPushed = true;
    }
    this.#dialog.showModal();
  }

  close() {
    if (!this.isOpen) return;
    if (this.#isPushed) {
      history.back();
    } else {
      history.replaceState(null, "", location.pathname + location.search);
      this.#hide();
    }
  }

  #follow(place) {
    if (place === undefined) this.#hide();
    else if (!this.isOpen) {
      this.#isPushed = true;
      this.#on.onReturn(place);
    }
  }

  #hide() {
    this.#isPushed = false;
    if (!this.isOpen) return;
    this.#dialog.close();
    this.#on.onClose();
  }
}
