/**
 * Pages that keep themselves up to date: asks for the page again and takes over what has changed in it, so that the server alone
 * knows how things look and nothing that stayed the same moves, loses the focus or is read out again.
 */

import { ENDED, watchJob } from "./poll.js";
import { localTimes } from "./words.js";

/**
 * Keep the elements with data-live inside `root` as the page at `url` has them.
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

/** The elements with data-live inside `root`: each takes over what the element of that name in a newer page has. */
export class LiveParts {
  /** @param {Element} root */
  constructor(root) {
    this.root = root;
    // As the server wrote them: times are shown in the reader's zone since.
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
  if (job === null) throw new Error("This is not the page of a job: perhaps the login.");
  return { state: job.dataset.state, page };
}

/** What had the focus has it again, if it is still there. */
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
