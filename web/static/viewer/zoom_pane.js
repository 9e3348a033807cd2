/**
 * A picture that can be enlarged and moved. It begins as large as its stage; sharper thumbnails are loaded when the screen can show more
 * pixels than the picture on it has.
 */

import { SIZES, thumbnailOf } from "../shared/text/thumbnails.js";
import { listenToGestures } from "./gestures.js";
import { WHOLE, fitting, inside, moved, sizeIn, zoomed } from "./zoom_section.js";

/** @typedef {import("./zoom_section.js").Section} Section */

/** A picture that could not be loaded is requested again after this time. */
const AGAIN_MS = 3000;
/** Between small steps and getting there: as in browsers. */
const STEP = 1.5;
/** How far an arrow key moves a picture, as a share of the stage. */
const MOVE = 0.2;
const ARROWS = { ArrowLeft: [-MOVE, 0], ArrowRight: [MOVE, 0], ArrowUp: [0, -MOVE], ArrowDown: [0, MOVE] };

export class ZoomPane {
  #stage;
  #frame = Object.assign(document.createElement("div"), { className: "zoom__frame" });
  #image = null;
  #imageId = 0;
  #size = 0;
  #section = WHOLE;
  #onSection;

  /**
   * @param {HTMLElement} stage Has the class "zoom".
   * @param {{onSection?: (section: Section) => void, onSwipe?: (by: number) => void, zoomsByWheelAlone?: boolean}} options
   *   onSection: the user has enlarged or moved the picture. onSwipe: over the whole picture. zoomsByWheelAlone: without Ctrl.
   */
  constructor(stage, { onSection = () => {}, onSwipe = () => {}, zoomsByWheelAlone = true } = {}) {
    this.#stage = stage;
    this.#onSection = onSection;
    new ResizeObserver(() => this.#place()).observe(stage);
    listenToGestures(stage, {
      zoomsByWheelAlone,
      onZoom: (factor, point) => this.#zoom(factor, point),
      onMove: (x, y) => this.#move(x, y),
      onToggle: (point) => this.toggle(point),
      onSwipe: (by) => !this.isZoomed && onSwipe(by),
    });
  }

  /** @param {HTMLImageElement} image Its smallest thumbnail. @param {number} imageId */
  show(image, imageId) {
    this.#image = image;
    this.#imageId = imageId;
    this.#size = SIZES[0];
    image.draggable = false;
    this.#frame.replaceChildren(image);
    this.#stage.replaceChildren(this.#frame);
    this.#set(WHOLE);
    if (image.complete) return;
    image.addEventListener("load", () => this.#image === image && this.#place(), { once: true });
    image.addEventListener("error", () => this.#image === image && this.#showLost(image, imageId), { once: true });
  }

  /** Say that a picture can't be loaded, and try again. */
  #showLost(image, imageId) {
    const words = "This picture can’t be loaded right now. It appears here when the server is back.";
    this.#stage.replaceChildren(Object.assign(document.createElement("p"), { className: "notice", textContent: words }));
    setTimeout(() => {
      if (this.#image !== image) return;
      image.addEventListener("load", () => this.#image === image && this.show(image, imageId), { once: true });
      image.addEventListener("error", () => this.#image === image && this.#showLost(image, imageId), { once: true });
      image.src = thumbnailOf(imageId, SIZES[0]);
    }, AGAIN_MS);
  }

  /** Show something else than a picture. */
  showInstead(...nodes) {
    this.#image = null;
    this.#stage.replaceChildren(...nodes);
    this.#set(WHOLE);
  }

  /** Lay something over the picture; null takes it away. */
  cover(element) {
    this.#frame.querySelector(".zoom__cover")?.remove();
    if (element === null) return;
    element.classList.add("zoom__cover");
    this.#frame.append(element);
  }

  get isZoomed() {
    return this.#section.scale > 1;
  }

  /** Enlarge to the pixels of the screen, or show the whole picture again. @param {{x: number, y: number}} [point] */
  toggle(point) {
    if (this.isZoomed) this.#change(WHOLE);
    else this.#zoom(2.5, point);
  }

  enlarge() {
    this.#zoom(STEP);
  }

  reduce() {
    this.#zoom(1 / STEP);
  }

  /** Move an enlarged picture by an arrow key. @returns {boolean} Whether it was one. */
  moveByKey(key) {
    if (!this.isZoomed || !(key in ARROWS)) return false;
    const [x, y] = ARROWS[key];
    this.#move(-x * this.#stage.clientWidth, -y * this.#stage.clientHeight);
    return true;
  }

  /** Show the same section as another pane. @param {Section} section */
  follow(section) {
    this.#set(section);
  }

  /** @param {{x: number, y: number}} [point] On the stage, which stays where it is; by default the middle. */
  #zoom(factor, point = { x: this.#stage.clientWidth / 2, y: this.#stage.clientHeight / 2 }) {
    const shift = { x: point.x - this.#stage.clientWidth / 2, y: point.y - this.#stage.clientHeight / 2 };
    this.#change(zoomed(this.#section, factor, shift, this.#whole));
  }

  #move(x, y) {
    this.#change(moved(this.#section, x, y, this.#whole));
  }

  #change(section) {
    if (this.#image === null) return;
    this.#set(section);
    this.#onSection(this.#section);
  }

  #set(section) {
    this.#section = inside(section, this.#whole, sizeIn(this.#stage));
    this.#stage.classList.toggle("is-zoomed", this.isZoomed);
    this.#place();
  }

  #place() {
    if (this.#image === null) return;
    const { width, height } = this.#whole;
    const { scale, x, y } = this.#section;
    const { clientWidth, clientHeight } = this.#stage;
    this.#frame.style.width = `${width * scale}px`;
    this.#frame.style.height = `${height * scale}px`;
    this.#frame.style.transform = `translate(${clientWidth / 2 - x * width * scale}px, ${clientHeight / 2 - y * height * scale}px)`;
    this.#sharpen(Math.max(width, height) * scale * devicePixelRatio);
  }

  /** The size of the picture on the stage when all of it is shown. */
  get #whole() {
    return fitting(this.#image, sizeIn(this.#stage));
  }

  /** Load the sharpest thumbnail. @returns {Promise<{width: number, height: number, isWhole: boolean}>} isWhole: the picture has no more pixels. */
  async sharpest() {
    await this.#image.decode().catch(() => {});
    await this.#sharpen(Infinity);
    const { naturalWidth: width, naturalHeight: height } = this.#image;
    return { width, height, isWhole: Math.max(width, height) < SIZES.at(-1) };
  }

  /** Load a thumbnail with so many pixels, if this one is smaller and there is a larger one. */
  async #sharpen(wanted) {
    const image = this.#image;
    const longest = Math.max(image.naturalWidth, image.naturalHeight);
    const size = SIZES.find((one) => one >= wanted) ?? SIZES.at(-1);
    // A thumbnail that is smaller than asked for has all pixels of its picture.
    if (longest === 0 || longest < this.#size || size <= this.#size) return;
    const before = this.#size;
    this.#size = size;
    const sharper = new Image();
    sharper.src = thumbnailOf(this.#imageId, size);
    sharper.alt = image.alt;
    sharper.draggable = false;
    try {
      await sharper.decode();
    } catch {
      if (this.#size === size) this.#size = before; // the server is busy: the next change of the view asks again
      return;
    }
    if (!image.isConnected || this.#size !== size) return;
    image.replaceWith(sharper);
    this.#image = sharper;
  }
}
