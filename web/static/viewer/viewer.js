/** The large view: one picture as large as the window, labelled by keys or buttons; the next one follows. */

import { asText, showName } from "../shared/text/names.js";
import { LoadedAhead } from "../shared/text/thumbnails.js";
import { count, label as word } from "../shared/text/words.js";
import { listenToControls } from "./controls.js";
import { DialogParts } from "./dialog_parts.js";
import { heatOf, isHeatOn, rememberHeat } from "./heat.js";
import { Overlay } from "./overlay.js";
import { ZoomPane } from "./zoom_pane.js";

/** Pictures that are loaded in advance: a few, and with each step forward more, up to about a minute's work. */
const AHEAD = { first: 3, more: 4, most: 60 };

/**
 * Where the pictures come from.
 *
 * @typedef {object} Source
 * @property {number} n The number of pictures.
 * @property {(place: number) => Promise<Picture|null>} at
 * @property {(picture: Picture) => string} addressOf
 * @property {(picture: Picture, label: string|null) => void} changed A label was given, or undone.
 * @property {(place: number) => void} reveal The viewer shows it: the page behind follows.
 * @property {() => void} closed
 *
 * @typedef {{image_id: number, path: string, label: string|null, proposed: string|null, human_label: string|null, tone: string, shown: string,
 *   words: string, error: string|null, page: string|null}} Picture
 *   label: the one that a label confirms or corrects. proposed: the label that Enter gives. shown: the label in words, in the colour of `tone`.
 *   words: more about it. page: its own page, which has its heat map.
 */

export class Viewer {
  #dialog;
  #parts;
  #source;
  #labelling;
  #overlay;
  #pane;
  #loaded = new LoadedAhead();
  #place = 0;
  #picture = null;
  #nAhead = AHEAD.first;

  /** @param {{dialog: HTMLDialogElement, source: Source, labelling: import("../labels/labelling.js").Labelling}} parts */
  constructor({ dialog, source, labelling }) {
    this.#dialog = dialog;
    this.#parts = new DialogParts(dialog);
    this.#source = source;
    this.#labelling = labelling;
    this.#pane = new ZoomPane(this.#parts.field("stage"), { onSwipe: (by) => this.#step(by) });
    this.#overlay = new Overlay(dialog, {
      onReturn: (place) => this.open(place),
      onClose: () => source.closed(),
    });
    this.#listen();
  }

  /** @param {number} place */
  async open(place) {
    const picture = await this.#source.at(place).catch((error) => this.#parts.say(error.message));
    if (!picture) return;
    this.#place = place;
    this.#picture = picture;
    const isOpening = !this.#overlay.isOpen;
    this.#overlay.show(place, this.#source.addressOf(picture));
    if (isOpening) {
      this.#nAhead = AHEAD.first;
      this.#parts.say("");
    }
    this.#show(picture);
    this.#source.reveal(place);
    this.#focus();
    this.#loadAhead(place);
  }

  #listen() {
    listenToControls(this.#dialog, {
      todo: {
        close: () => this.#overlay.close(),
        confirm: () => this.#confirm(),
        undo: () => this.#undo(),
        zoom: () => this.#pane.toggle(),
        enlarge: () => this.#pane.enlarge(),
        reduce: () => this.#pane.reduce(),
        heat: () => this.#toggleHeat(),
      },
      onLabel: (label) => this.#label(label),
      onStep: (by) => this.#step(by),
      moveByKey: (key) => this.#pane.moveByKey(key),
      focus: () => this.#focus(),
    });
  }

  #step(by) {
    const place = this.#place + by;
    const isInside = place >= 0 && place < this.#source.n;
    this.#parts.say(isInside ? "" : by < 0 ? "This is the first picture." : "This is the last picture.");
    if (!isInside) return;
    if (by > 0) this.#goFurther();
    this.open(place);
  }

  #goFurther() {
    this.#nAhead = Math.min(AHEAD.most, this.#nAhead + AHEAD.more);
  }

  #confirm() {
    const { label, proposed } = this.#picture;
    if (proposed !== null) this.#label(proposed);
    else if (label === "unsure") this.#parts.say("The model is unsure about this picture. Choose a label.");
  }

  #label(label) {
    const picture = this.#picture;
    if (picture.error !== null) {
      this.#parts.say("This file can’t be read, so it has no label.");
      return;
    }
    const { image_id, path } = picture;
    this.#labelling.give({ image_id, path, label: picture.label, before: picture.human_label, place: this.#place }, label);
    this.#source.changed(picture, label);
    const isLast = this.#place + 1 >= this.#source.n;
    this.#parts.say(`${word(label)}: ${nameOf(path)}${isLast ? ". This was the last picture." : ""}`, label);
    this.#goFurther();
    this.open(this.#place + (isLast ? 0 : 1));
  }

  async #undo() {
    const step = this.#labelling.undo();
    if (step === undefined) return;
    const { image_id, path, before, place } = step.picture;
    const picture = await this.#source.at(place).catch(() => null);
    if (picture?.image_id === image_id) {
      this.#source.changed(picture, before);
      await this.open(place);
    }
    this.#parts.say(`Undone: ${nameOf(path)}`);
  }

  #show(picture) {
    const name = nameOf(picture.path);
    showName(this.#parts.field("name"), name);
    showName(this.#parts.field("folder"), picture.path.slice(0, -name.length - 1));
    this.#parts.field("place").textContent = `${count(this.#place + 1)} of ${count(this.#source.n)}`;
    this.#parts.field("stage").setAttribute("aria-label", asText(picture.path));
    this.#showLabel(picture);
    if (picture.error === null) this.#pane.show(this.#loaded.of(picture), picture.image_id);
    else this.#pane.showInstead(Object.assign(document.createElement("p"), { className: "notice notice--bad", textContent: picture.error }));
    this.#parts.button("previous").setAttribute("aria-disabled", String(this.#place === 0));
    this.#parts.button("next").setAttribute("aria-disabled", String(this.#place + 1 >= this.#source.n));
    if (isHeatOn()) this.#showHeat(picture);
  }

  #showLabel({ tone, shown, words, proposed, error, page }) {
    this.#parts.field("label").textContent = shown;
    this.#parts.field("says").dataset.label = tone;
    this.#parts.field("words").textContent = words;
    this.#parts.button("confirm")?.setAttribute("aria-disabled", String(proposed === null));
    this.#parts.button("undo").setAttribute("aria-disabled", String(!this.#labelling.canUndo));
    this.#parts.button("heat").hidden = page === null || error !== null;
    this.#parts.button("heat").setAttribute("aria-pressed", String(isHeatOn()));
  }

  #toggleHeat() {
    if (this.#picture.page === null) return;
    rememberHeat(!isHeatOn());
    this.#parts.button("heat").setAttribute("aria-pressed", String(isHeatOn()));
    if (isHeatOn()) this.#showHeat(this.#picture);
    else this.#pane.cover(null);
  }

  async #showHeat(picture) {
    if (picture.page === null || picture.error !== null) return;
    const { cover, sentence } = await heatOf(picture.page).catch((error) => ({ cover: null, sentence: error.message }));
    if (this.#picture !== picture || !isHeatOn()) return;
    this.#pane.cover(cover);
    this.#parts.say(sentence);
  }

  async #loadAhead(place) {
    const places = [place, place + 1, place - 1, ...Array.from({ length: this.#nAhead - 1 }, (_, n) => place + 2 + n)];
    const inside = places.filter((one) => one >= 0 && one < this.#source.n);
    const pictures = await Promise.all(inside.map((one) => this.#source.at(one).catch(() => null)));
    if (this.#place === place) this.#loaded.keep(pictures.filter((picture) => picture !== null && picture.error === null));
  }

  #focus() {
    this.#parts.field("stage").focus({ preventScroll: true });
  }
}

function nameOf(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}
