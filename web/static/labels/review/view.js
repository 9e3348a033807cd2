/** The view of the review: the picture, its prediction, the progress, unsent labels. */

import { showName } from "../../shared/text/names.js";
import { probablyNeither, sharesOf } from "../../shared/text/neither.js";
import { ZoomPane } from "../../viewer/zoom_pane.js";
import { count, label, percent, plural } from "../../shared/text/words.js";

const SLOW_MS = 1500;

export class View {
  #root;
  #pane;
  #timer = 0;
  #slowAt = 0;

  constructor(root) {
    this.#root = root;
    const stage = this.#field("stage");
    // The page can be scrolled over the picture, so the wheel zooms with Ctrl only.
    this.#pane = new ZoomPane(stage, { onSection: () => this.#showZoom(), zoomsByWheelAlone: false });
    stage.addEventListener("keydown", (event) => this.#pane.moveByKey(event.key) && event.preventDefault());
  }

  /** @param {object|null} picture @param {HTMLImageElement|null} image */
  picture(picture, image) {
    this.hint("");
    this.#root.querySelector('[data-do="confirm"]')?.setAttribute("aria-disabled", String(picture?.label === "unsure" && probablyNeither(picture) === null));
    this.#field("end").hidden = true;
    this.#root.querySelector("[data-desk]").hidden = false;
    if (image === null) this.#pane.showInstead(span("quiet", "Loading more pictures …"));
    else this.#pane.show(image, picture.image_id);
    this.#showZoom();
    this.#says(picture);
    showName(this.#field("path"), picture?.path ?? "");
  }

  #says(picture) {
    const says = this.#field("says");
    says.replaceChildren();
    delete says.dataset.label;
    if (!picture?.label) return;
    says.dataset.label = picture.label;
    const neither = probablyNeither(picture);
    const word = neither === null ? label(picture.label) : `Probably neither ${percent(neither)}`;
    says.append(span("dot", word), " ", span("quiet", sharesOf(picture.probabilities).join(" · ")));
    if (picture.human_label) says.append(" ", span("quiet", `– folder: ${label(picture.human_label)}`));
  }

  end({ n_others, n_skipped }) {
    const end = this.#field("end");
    this.#root.querySelector("[data-desk]").hidden = true;
    end.hidden = false;
    end.querySelector('[data-field="others"]').hidden = n_others === 0;
    end.querySelector('[data-field="skipped"]').hidden = !n_skipped;
    end.querySelector('[data-count="skipped"]').textContent = plural(n_skipped ?? 0, "picture");
    end.querySelector("[data-again]").hidden = !n_skipped;
  }

  /** @param {{reviewed: number, all: number, unsure: number, neither: number}} progress */
  progress(progress) {
    for (const [name, n] of Object.entries(progress)) {
      const element = this.#root.querySelector(`[data-count="${name}"]`);
      if (element !== null && n !== null) element.textContent = count(n);
    }
    const bar = this.#field("bar");
    bar.max = progress.all || 1;
    bar.value = progress.reviewed;
  }

  /** Show the number of unsent labels, but only after a while, so that it does not flicker with every label. */
  sending(n) {
    this.#root.dataset.unsent = String(n);
    const field = this.#field("sending");
    if (n === 0) {
      clearTimeout(this.#timer);
      this.#timer = 0;
      field.textContent = "Every label is saved at once. You can close this page at any time.";
    } else if (this.#timer === 0) {
      this.#timer = setTimeout(() => this.sending(Number(this.#root.dataset.unsent)), SLOW_MS);
      this.#slowAt = Date.now() + SLOW_MS;
    } else if (Date.now() >= this.#slowAt) {
      field.textContent = `Sending ${plural(n, "label")} …`;
    }
  }

  /** @param {string} sentence "" if there is no problem. */
  trouble(sentence) {
    const notice = this.#field("trouble");
    if (notice.textContent !== sentence) notice.textContent = sentence;
    notice.hidden = sentence === "";
  }

  /** Why a key does nothing. @param {string} sentence */
  hint(sentence) {
    this.#field("hint").textContent = sentence;
  }

  say(sentence) {
    this.#field("announce").textContent = sentence;
  }

  /** Enlarge the picture, or show the whole again. */
  zoom() {
    this.#pane.toggle();
    if (this.#pane.isZoomed) this.focus(); // so that arrow keys move it
  }

  #showZoom() {
    this.#root.querySelector('[data-do="zoom"]').setAttribute("aria-pressed", String(this.#pane.isZoomed));
  }

  /** Focus the picture, so that it receives keys. */
  focus() {
    this.#field("stage").focus({ preventScroll: true });
  }

  #field(name) {
    return this.#root.querySelector(`[data-field="${name}"]`);
  }
}

function span(className, text) {
  return Object.assign(document.createElement("span"), { className, textContent: text });
}
