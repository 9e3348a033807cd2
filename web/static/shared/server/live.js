/**
 * Pages that keep themselves up to date: requests the page again and replaces the parts that have changed. Only the server renders,
 * and unchanged parts do not move, lose the focus or get announced again.
 */

import { ENDED, watchJob } from "./poll.js";
import { localTimes } from "../text/words.js";

/**
 * Keep the elements with data-live inside `root` equal to those in the page at `url`.
 *
 * @param {Element} root
 * @param {string} url A page with an ETag that shows one job, in an element with data-state.
 * @param {{onPage?: (page: Document, hasEnded: boolean) => void, onLost?: () => void, onGone?: () => void}} on
 * @returns {() => void} Call it to stop.
 */
export function keepLive(root, url, { onPage = () => {}, onLost = () => {}, onGone = () => {} } = {}) {
  const parts = new LiveParts(root);
  return watchJob(url, {
    read: readPage,
    onJob({ state, page }) {
      parts.takeOver(page);
      onPage(page, ENDED.has(state));
    },
    onLost,
    onGone,
  });
}

/** The elements with data-live inside `root`, which are replaced by the elements of the same name in a newer page. */
export class LiveParts {
  /** @param {Element} root */
  constructor(root) {
    this.root = root;
    // The HTML from the server, in which times are not yet in the reader's time zone.
    this.sources = new Map(Array.from(root.querySelectorAll("[data-live]"), (element) => [element, element.innerHTML]));
  }

  /** @param {Document} page */
  takeOver(page) {
    for (const element of this.root.querySelectorAll("[data-live]")) {
      const fresh = page.querySelector(`[data-live="${CSS.escape(element.dataset.live)}"]`);
      if (fresh === null || this.sources.get(element) === fresh.innerHTML) continue;
      this.sources.set(element, fresh.innerHTML);
      replace(element, fresh);
    }
  }
}

/**
 * @param {Response} answer
 * @returns {Promise<{state: string, page: Document}>}
 */
export async function readPage(answer) {
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const job = page.querySelector("[data-job][data-state]");
  if (job === null) throw new Error("This is not the page of a job; it may be the login page.");
  return { state: job.dataset.state, page };
}

/** Replace the content, and restore the focus if its element still exists. */
function replace(element, fresh) {
  const focused = element.contains(document.activeElement) ? controls(element).indexOf(document.activeElement) : -1;
  const words = focused < 0 ? "" : document.activeElement.textContent;
  element.replaceChildren(...fresh.cloneNode(true).childNodes);
  localTimes(element);
  if (focused >= 0) controls(element).find((control) => control.textContent === words)?.focus({ preventScroll: true });
}

function controls(element) {
  return Array.from(element.querySelectorAll("a, button, input, select"));
}
