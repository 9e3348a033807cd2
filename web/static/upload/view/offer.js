/** The question before anything is sent: shows what somebody gave, and starts at one press. */

import { removeAndHandOn } from "../../shared/focus.js";
import { localTimes, plural } from "../../shared/words.js";
import { lastPace } from "../resume/storage.js";
import { amountOf, isOther, leftOf, limitWords, refusalOf, sumWords, timeWords } from "./summary.js";
import { tryConnection } from "../plan/speed_test.js";

const MOST_LISTED = 200;
const START = "[data-offer] [data-part=start]";
const PICK = "[data-pick]";
let nOffers = 0;

export class Offer {
  #parts = {};
  #leavesOut = false;
  #isReady = false;
  #tried = null;
  #isTrying = false;

  /**
   * @param {{parent: Element, parcels: import("../input/batches.js").Parcel[], notes: import("./summary.js").Note[], terms: import("./summary.js").Terms,
   *   findGoing: (parcel: import("../input/batches.js").Parcel) => Promise<import("../resume/resume.js").Going|null>,
   *   onStart: (parcels: import("../input/batches.js").Parcel[], wishes: {model: string|null, discards: boolean}) => void}} options
   *   model: null for the version in use.
   */
  constructor({ parent, parcels, notes, terms, findGoing, onStart }) {
    const fragment = document.querySelector("#upload-offer").content.cloneNode(true);
    for (const element of fragment.querySelectorAll("[data-part]")) this.#parts[element.dataset.part] = element;
    this.terms = terms;
    this.parcels = parcels;
    this.onStart = onStart;
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
    this.#look(findGoing);
    this.#try();
  }

  show() {
    const amount = amountOf(this.#chosen(), this.terms);
    const largest = Math.max(0, ...this.#chosen().map((parcel) => amountOf([parcel], this.terms).nBytes));
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

  /** Nothing was ever sent from this browser: a moment's trial says how fast it can be. */
  async #try() {
    if (lastPace() !== null) return;
    this.#isTrying = true;
    this.show();
    this.#tried = await tryConnection(amountOf(this.parcels, this.terms).nBytes);
    this.#isTrying = false;
    this.show();
  }

  #name() {
    const [{ name }, ...others] = this.parcels;
    this.#parts.title.textContent = others.length > 0 ? `${name} and ${others.length} more` : name;
    this.#parts.title.id = `offer-${(nOffers += 1)}`;
    this.element.setAttribute("aria-labelledby", this.#parts.title.id);
  }

  #list(notes) {
    const template = document.querySelector("#upload-note").content;
    for (const { title, paths, isOptional } of notes) {
      const note = template.cloneNode(true);
      note.querySelector("summary").textContent = title;
      const list = note.querySelector("ul");
      for (const path of paths.slice(0, MOST_LISTED)) list.append(item(path));
      if (paths.length > MOST_LISTED) list.append(item(`and ${plural(paths.length - MOST_LISTED, "more file")}`));
      if (isOptional) note.querySelector("input").addEventListener("change", (event) => this.#leaveOut(event.target.checked));
      else note.querySelector("label").remove();
      this.#parts.notes.append(note);
    }
  }

  #leaveOut(isLeft) {
    this.#leavesOut = isLeft;
    this.show();
  }

  /** Ask the server whether any of it was begun before. */
  async #look(findGoing) {
    try {
      await Promise.all(this.parcels.map(async (parcel) => (parcel.going = await findGoing(parcel))));
    } finally {
      this.#isReady = true;
      this.#showGoing(this.parcels.filter(({ going }) => going !== null));
      this.show();
      this.#parts.start.focus({ preventScroll: true });
    }
  }

  #showGoing(begun) {
    if (begun.length === 0) return;
    const [{ going, files }] = begun;
    const when = Object.assign(document.createElement("time"), { dateTime: new Date(going.at).toISOString() });
    this.#parts.begun.replaceChildren("Begun ", when, `: ${goingWords(going, files.length)}`);
    localTimes(this.#parts.begun);
    this.#parts.begun.hidden = false;
    this.#parts.anew.hidden = false;
    this.#parts.start.textContent = this.parcels.every((parcel) => parcel.going?.isWhole) ? "Open its page" : "Go on sending";
  }

  #chosen() {
    if (!this.#leavesOut) return this.parcels;
    const kept = this.parcels.map((parcel) => ({ ...parcel, files: parcel.files.filter((found) => !isOther(found, this.terms)) }));
    return kept.filter(({ archive, files, unreadable }) => archive || files.length > 0 || unreadable.length > 0);
  }

  #start({ isNew = false } = {}) {
    const parcels = isNew ? this.#chosen().map((parcel) => ({ ...parcel, going: null })) : this.#chosen();
    this.onStart(parcels, { model: this.#parts.model?.value || null, discards: this.#parts.discards.checked });
    // Not to a button: a key held down would press that as well.
    removeAndHandOn(this.element, "[data-panel] [data-part=title]");
  }
}

function goingWords({ nArrived, isWhole }, nFiles) {
  if (isWhole) return "all of it has arrived and has its job already, so it is not sent again.";
  const number = nArrived === null ? "What has arrived" : `${plural(nArrived, "file")} of ${plural(nFiles, "file")}`;
  return `${number} will not be sent again, the rest is sent on.`;
}

function item(text) {
  return Object.assign(document.createElement("li"), { textContent: text });
}
