/** Two pictures of a group next to each other: enlarged and moved together, and labelled together or one by one. */

import { showName } from "../shared/text/names.js";
import { LoadedAhead } from "../shared/text/thumbnails.js";
import { bytes, count, label as word } from "../shared/text/words.js";
import { listenToControls } from "./controls.js";
import { DialogParts } from "./dialog_parts.js";
import { Overlay } from "./overlay.js";
import { ZoomPane } from "./zoom_pane.js";

/** @typedef {{group: number, left: number, right: number}} Pair The first picture stays on the left; the others follow on the right. */

export class PairViewer {
  #dialog;
  #parts;
  #groups;
  #labelling;
  #overlay;
  #sides;
  #loaded = new LoadedAhead();
  /** @type {Pair} */
  #pair = { group: 0, left: 0, right: 1 };

  /** @param {{dialog: HTMLDialogElement, groups: HTMLElement[][], labelling: import("../labels/labelling.js").Labelling}} parts */
  constructor({ dialog, groups, labelling }) {
    this.#dialog = dialog;
    this.#parts = new DialogParts(dialog);
    this.#groups = groups;
    this.#labelling = labelling;
    this.#overlay = new Overlay(dialog, {
      onReturn: (pair) => this.open(pair),
      onClose: () => this.#tiles[0].querySelector(".tile__picture").focus(),
    });
    this.#sides = Array.from(dialog.querySelectorAll("[data-side]"), (element, index) => {
      const follow = (section) => this.#sides[1 - index].pane.follow(section);
      return { element, pane: new ZoomPane(element.querySelector('[data-field="stage"]'), { onSection: follow }) };
    });
    const [{ pane }] = this.#sides;
    listenToControls(dialog, {
      todo: {
        close: () => this.#overlay.close(),
        undo: () => this.#undo(),
        zoom: () => pane.toggle(),
        enlarge: () => pane.enlarge(),
        reduce: () => pane.reduce(),
      },
      onLabel: (label, button) => this.#label(label, button?.closest("[data-side]") ?? null),
      onStep: (by) => this.#step(by),
      moveByKey: (key) => pane.moveByKey(key),
      focus: () => this.#focus(),
    });
  }

  /** @param {Pair} pair */
  open(pair) {
    this.#pair = pair;
    const [left, right] = this.#tiles;
    if (!this.#overlay.isOpen) this.#parts.say("");
    this.#overlay.show(pair, `#pictures-${left.dataset.view}-${right.dataset.view}`);
    const group = this.#groups[pair.group];
    this.#parts.field("place").textContent = `${count(pair.left + 1)} and ${count(pair.right + 1)} of ${count(group.length)}`;
    this.#tiles.forEach((tile, index) => this.#show(this.#sides[index], tile));
    this.#parts.button("previous").setAttribute("aria-disabled", String(this.#beside(-1) === null));
    this.#parts.button("next").setAttribute("aria-disabled", String(this.#beside(1) === null));
    this.#focus();
  }

  get #tiles() {
    const { group, left, right } = this.#pair;
    return [this.#groups[group][left], this.#groups[group][right]];
  }

  /** The place of the picture that follows on the right, or comes before it. */
  #beside(by) {
    const { group, left, right } = this.#pair;
    const place = right + by === left ? left + by : right + by;
    return place in this.#groups[group] ? place : null;
  }

  #step(by) {
    const right = this.#beside(by);
    this.#parts.say(right === null ? "There are no more pictures in this group." : "");
    if (right !== null) this.open({ ...this.#pair, right });
  }

  async #show({ element, pane }, tile) {
    const picture = pictureOf(tile);
    showName(element.querySelector('[data-field="path"]'), picture.path);
    this.#showLabels();
    const pixels = element.querySelector('[data-field="pixels"]');
    pixels.textContent = bytes(Number(tile.dataset.bytes));
    pane.show(this.#loaded.of(picture), picture.image_id);
    const { width, height, isWhole } = await pane.sharpest();
    if (!this.#tiles.includes(tile) || width === 0) return;
    pixels.textContent = `${count(width)} × ${count(height)} pixels${isWhole ? "" : " or more"} · ${bytes(Number(tile.dataset.bytes))}`;
  }

  #showLabels() {
    this.#tiles.forEach((tile, index) => {
      const label = tile.dataset.label ?? "";
      const field = this.#sides[index].element.querySelector('[data-field="label"]');
      field.dataset.label = label;
      field.textContent = label === "" ? "No label" : word(label);
    });
    this.#parts.button("undo").setAttribute("aria-disabled", String(!this.#labelling.canUndo));
  }

  /** @param {string} label @param {Element|null} side null for both. */
  #label(label, side) {
    const tiles = this.#tiles.filter((tile, index) => side === null || this.#sides[index].element === side);
    tiles.forEach((tile, index) => {
      this.#labelling.give({ ...pictureOf(tile), isSecond: index > 0 }, label);
      showLabel(tile, label);
    });
    this.#showLabels();
    const right = side === null ? this.#beside(1) : null;
    if (right !== null) this.open({ ...this.#pair, right });
    this.#parts.say(`${word(label)}: ${tiles.map((tile) => nameOf(tile.dataset.path)).join(" and ")}`, label);
  }

  #undo() {
    const step = this.#labelling.undo();
    if (step === undefined) return;
    const { image_id, label, path, isSecond } = step.picture;
    const tile = this.#groups.flat().find((one) => one.dataset.view === String(image_id));
    if (tile !== undefined) showLabel(tile, label);
    this.#showLabels();
    if (isSecond) this.#undo();
    else this.#parts.say(`Undone: ${nameOf(path)}`);
  }

  #focus() {
    this.#sides[0].element.querySelector('[data-field="stage"]').focus({ preventScroll: true });
  }
}

function pictureOf({ dataset: { view, path, label } }) {
  return { image_id: Number(view), path, label: label || null };
}

function showLabel(tile, label) {
  tile.dataset.label = label ?? "";
  tile.querySelector("[data-tile-label]").textContent = label === null ? "No label" : word(label);
}

function nameOf(path) {
  return path.slice(path.lastIndexOf("/") + 1);
}
