/** The panel of one upload: two bars (uploaded, sorted), the speed, the time left, and errors. */

import { ENDED } from "../../shared/server/poll.js";
import { progressSide, sortedCount } from "../../jobs/job_view.js";
import { asText } from "../../shared/text/names.js";
import { bytes, count, duration, plural } from "../../shared/text/words.js";
import { Pace } from "./pace.js";
import { isOver } from "../send/sender.js";

const MOST_LISTED = 200;

export class Panel {
  #parts;
  #pace = new Pace();
  #job = null;
  #isPlanned = false;

  /**
   * @param {{parent: Element, sender: object, jobPage: string|null, onStop: () => void, onResume: () => void}} options
   *   jobPage: null if there is no job; the template then has no link and no bar for it.
   */
  constructor({ parent, sender, jobPage, onStop, onResume }) {
    const fragment = document.querySelector("#upload-panel").content.cloneNode(true);
    this.#parts = Object.fromEntries(Array.from(fragment.querySelectorAll("[data-part]"), (part) => [part.dataset.part, part]));
    this.sender = sender;
    this.#parts.title.textContent = sender.name;
    if (jobPage !== null) {
      this.#parts.link.href = jobPage;
      this.#parts.link.setAttribute("aria-label", `Open job ${asText(sender.name)} in new tab`);
    }
    this.#parts.stop.addEventListener("click", onStop);
    this.#parts.pause.addEventListener("click", () => sender.pause());
    this.#parts.resume.addEventListener("click", onResume);
    this.element = fragment.querySelector("[data-panel]");
    parent.prepend(fragment);
    this.show();
  }

  /** Something has changed. The panel is painted at most once per frame. */
  changed() {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    const paint = () => {
      this.#isPlanned = false;
      this.show();
    };
    if (document.hidden) setTimeout(paint, 250);
    else requestAnimationFrame(paint);
  }

  /** @param {object} job From the API. */
  showJob(job) {
    this.#job = job;
    this.changed();
  }

  show() {
    const { state } = this.sender;
    this.#showSent(state);
    if (this.#parts.sorted) this.#showSorted(state);
    this.#showSkipped(state);
    setText(this.#parts.message, state.message);
    this.#parts.message.className = state.phase === "halted" ? "notice notice--bad" : "";
    this.#parts.message.hidden = state.message === "";
    const focused = document.activeElement;
    this.#parts.resume.hidden = state.phase !== "halted" && state.phase !== "paused";
    this.#parts.pause.hidden = isOver(state.phase) || !this.#parts.resume.hidden;
    this.#parts.stop.hidden = isOver(state.phase);
    if (this.element.contains(focused) && focused.hidden) this.#handOn();
  }

  /** Move the focus from a button that was hidden. */
  #handOn() {
    const { resume, pause, title } = this.#parts;
    [resume, pause, title].find((part) => !part.hidden).focus({ preventScroll: true });
  }

  #showSent(state) {
    this.#pace.add(state.sentBytes, state.phase === "sending");
    const bar = this.#parts.sent;
    bar.max = state.totalBytes || 1;
    bar.value = state.phase === "sent" ? bar.max : state.sentBytes;
    setText(this.#parts["sent-text"], `${SENT_WORDS[state.phase]}: ${hasBegun(state) ? `${bytes(state.sentBytes)} of ` : ""}${bytes(state.totalBytes)}`);
    const rate = this.#pace.perSecond();
    const isMoving = state.phase === "sending" && rate > 0;
    const left = isMoving ? (state.totalBytes - state.sentBytes) / rate : 0;
    setText(this.#parts["sent-side"], isMoving ? `${bytes(rate)} per second · ${duration(left)} left` : "");
  }

  #showSorted(state) {
    const job = this.#job;
    const n = job ? sortedCount(job) : 0;
    const total = state.files === null ? (job?.counts.total ?? 0) : state.files - state.skipped.length;
    const bar = this.#parts.sorted;
    bar.max = total || 1;
    bar.value = n;
    setText(this.#parts["sorted-text"], total > 0 ? `Sorted: ${count(n)} of ${plural(total, "file")}` : "Sorted: nothing yet");
    setText(this.#parts["sorted-side"], job && !ENDED.has(job.state) ? progressSide(job) : "");
  }

  #showSkipped({ skipped }) {
    if (skipped.length === 0) return;
    this.#parts.skipped.hidden = false;
    setText(this.#parts["skipped-title"], `${plural(skipped.length, "file")} could not be uploaded`);
    const list = this.#parts["skipped-list"];
    for (const { path, reason } of skipped.slice(list.childElementCount, MOST_LISTED)) {
      list.append(Object.assign(document.createElement("li"), { textContent: `${path}: ${reason}` }));
    }
  }
}

const SENT_WORDS = {
  opening: "Starting",
  sending: "Uploading",
  waiting: "Waiting",
  finishing: "Finishing",
  sent: "Uploaded",
  paused: "Paused",
  halted: "Interrupted",
  stopped: "Cancelled",
};

/** False before the first bytes, of which there is nothing to say. */
function hasBegun({ phase, sentBytes }) {
  return sentBytes > 0 || (phase !== "opening" && phase !== "sending");
}

/** Write only real changes: the same text again would cost layout, and screen readers would repeat it. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
