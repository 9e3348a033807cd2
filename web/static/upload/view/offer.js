/** The summary before an upload, which starts it. */

import { removeAndHandOn } from "../../shared/page/focus.js";
import { count, localTimes, plural } from "../../shared/text/words.js";
import { lastPace } from "../resume/storage.js";
import { amountOf, isOther, leftOf, limitWords, refusalOf, sumWords, timeWords } from "./summary.js";
import { tryConnection } from "../plan/speed_test.js";

const MOST_LISTED = 200;
const START = "[data-offer] [data-part=start]";
const PICK = "[data-pick]";
let nOffers = 0;

export class Offer {
  #parts;
  #skipsOthers = false;
  #isReady = false;
  #tried = null;
  #isTrying = false;

  /**
   * @param {{parent: Element, batches: import("../input/batches.js").Batch[], notes: import("./summary.js").Note[], terms: import("./summary.js").Terms,
   *   findEarlierUpload: (batch: import("../input/batches.js").Batch) => Promise<import("../resume/resume.js").EarlierUpload|null>,
   *   onStart: (batches: import("../input/batches.js").Batch[], wishes: {model: string|null, discards: boolean}) => void,
   *   onEverything: (isOn: boolean) => void}} options
   *   model: null for the version in use.
   */
  constructor({ parent, batches, notes, terms, findEarlierUpload, onStart, onEverything }) {
    const fragment = document.querySelector("#upload-offer").content.cloneNode(true);
    this.#parts = Object.fromEntries(Array.from(fragment.querySelectorAll("[data-part]"), (part) => [part.dataset.part, part]));
    this.terms = terms;
    this.batches = batches;
    this.onStart = onStart;
    this.onEverything = onEverything;
    this.element = fragment.querySelector("[data-offer]");
    this.#name();
    this.#list(notes);
    this.#parts.start.addEventListener("click", () => this.#start());
    this.#parts.anew.addEventListener("click", () => this.#start({ isNew: true }));
    this.#parts.dismiss.addEventListener("click", () => removeAndHandOn(this.element, START, PICK));
    this.#parts.model?.addEventListener("change", () => this.show());
    parent.prepend(fragment);
    this.show();
    this.element.scrollIntoView({ block: "nearest" });
    this.#look(findEarlierUpload);
    this.#try();
  }

  show() {
    const amount = amountOf(this.#chosen(), this.terms);
    const largest = Math.max(0, ...this.#chosen().map((batch) => amountOf([batch], this.terms).nBytes));
    const refusal = refusalOf(amount, largest, this.terms);
    this.#parts.sum.textContent = sumWords(amount);
    this.#parts.time.textContent = this.#timeWords(amount);
    this.#parts.limits.textContent = limitWords(this.terms);
    this.#parts.refusal.textContent = refusal;
    this.#parts.refusal.hidden = refusal === "";
    this.#parts.start.disabled = this.#parts.anew.disabled = refusal !== "" || !this.#isReady;
  }

  #timeWords(amount) {
    const last = lastPace();
    const source = last ? "last time" : this.#isTrying ? "trying" : "trial";
    const version = this.#parts.model?.value || this.terms.inUse;
    return timeWords(leftOf(amount, this.#chosen()), last ?? this.#tried, this.terms.paces[version], source);
  }

  /** Before the first upload from this browser, measure the speed of the connection. */
  async #try() {
    if (lastPace() !== null) return;
    this.#isTrying = true;
    this.show();
    this.#tried = await tryConnection(amountOf(this.batches, this.terms).nBytes);
    this.#isTrying = false;
    this.show();
  }

  #name() {
    const [{ name }, ...others] = this.batches;
    this.#parts.title.textContent = others.length > 0 ? `${name} and ${others.length} more` : name;
    this.#parts.title.id = `offer-${(nOffers += 1)}`;
    this.element.setAttribute("aria-labelledby", this.#parts.title.id);
  }

  #list(notes) {
    const template = document.querySelector("#upload-note").content;
    for (const { title, paths, choice, isChosen } of notes) {
      const note = template.cloneNode(true);
      note.querySelector("summary").textContent = title;
      const list = note.querySelector("ul");
      for (const path of paths.slice(0, MOST_LISTED)) list.append(item(path));
      if (paths.length > MOST_LISTED) list.append(item(`and ${plural(paths.length - MOST_LISTED, "more file")}`));
      this.#offerChoice(note.querySelector("label"), choice, isChosen);
      this.#parts.notes.append(note);
    }
  }

  #offerChoice(label, choice, isChosen) {
    if (!choice) return label.remove();
    const box = label.querySelector("input");
    box.checked = Boolean(isChosen);
    if (choice === "send") label.querySelector("span").textContent = "Send everything";
    return box.addEventListener("change", () => (choice === "send" ? this.onEverything(box.checked) : this.#skipOthers(box.checked)));
  }

  #skipOthers(isOn) {
    this.#skipsOthers = isOn;
    this.show();
  }

  /** Find out whether any of it can be resumed. */
  async #look(findEarlierUpload) {
    try {
      await Promise.all(this.batches.map(async (batch) => (batch.earlier = await findEarlierUpload(batch))));
    } finally {
      this.#isReady = true;
      this.#showEarlier(this.batches.filter(({ earlier }) => earlier !== null));
      this.show();
      this.#parts.start.focus({ preventScroll: true });
    }
  }

  #showEarlier(batches) {
    if (batches.length === 0) return;
    const [{ earlier, files }] = batches;
    const when = Object.assign(document.createElement("time"), { dateTime: new Date(earlier.at).toISOString() });
    this.#parts.earlier.replaceChildren("Started ", when, `: ${earlierWords(earlier, files.length)}`);
    localTimes(this.#parts.earlier);
    this.#parts.earlier.hidden = false;
    this.#parts.anew.hidden = false;
    this.#parts.start.textContent = this.batches.every((batch) => batch.earlier?.isWhole) ? "Open job" : "Resume upload";
  }

  #chosen() {
    if (!this.#skipsOthers) return this.batches;
    const kept = this.batches.map((batch) => ({ ...batch, files: batch.files.filter((found) => !isOther(found, this.terms)) }));
    return kept.filter(({ archive, files, unreadable }) => archive || files.length > 0 || unreadable.length > 0);
  }

  #start({ isNew = false } = {}) {
    const batches = isNew ? this.#chosen().map((batch) => ({ ...batch, earlier: null })) : this.#chosen();
    this.onStart(batches, { model: this.#parts.model?.value || null, discards: this.#parts.discards.checked });
    // Not to a button, which a held key would press.
    removeAndHandOn(this.element, "[data-panel] [data-part=title]");
  }
}

function earlierWords({ nArrived, isWhole }, nFiles) {
  if (isWhole) return "everything is already here and has its job.";
  if (nArrived === null) return "files that are already here will not be uploaded again.";
  if (nArrived === nFiles) return nFiles === 1 ? "the file is already here." : `all ${plural(nFiles, "file")} are already here.`;
  return `${count(nArrived)} of ${plural(nFiles, "file")} ${nArrived === 1 ? "is" : "are"} already here; the rest will be uploaded.`;
}

function item(text) {
  return Object.assign(document.createElement("li"), { textContent: text });
}
