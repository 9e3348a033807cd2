/**
 * Many pictures labelled in one go, and taken back to any depth: a call is repeated under one id until all is written, so
 * that neither a lost connection nor a closed page leaves a half behind; the page that is opened next goes on with it.
 */

import { callJson } from "../shared/http.js";
import { Steps } from "../shared/undo_steps.js";
import { newUuid } from "../shared/uuid.js";
import { withRetries } from "../shared/retry.js";

const never = new AbortController().signal;

export class Batches {
  #url;
  #steps;
  #on;

  /**
   * @param {string} job
   * @param {{onProgress: (batch: object) => void, onTrouble: (error: Error|null) => void}} on
   *   onProgress: some of it is written. onTrouble: it is tried again; null when that went through.
   */
  constructor(job, on) {
    this.#url = `/api/v1/jobs/${job}/labels`;
    this.#steps = new Steps(`batches:${job}`);
    this.#on = on;
  }

  get canUndo() {
    return this.#steps.size > 0;
  }

  /**
   * Label pictures.
   *
   * @param {object} body What the API takes, without the id.
   * @returns {Promise<object>} The batch, finished.
   * @throws {import("../shared/http.js").CallError}
   */
  async run(body) {
    const step = { id: newUuid(), body };
    this.#steps.push(step);
    return this.#finish(step);
  }

  /** Go on with what a page that was closed left half done; null when there is nothing. */
  async resume() {
    const step = this.#steps.last;
    return step?.body ? this.#finish(step) : null;
  }

  /** Take the last one back; what people said since then stays. */
  async undo() {
    const { id } = this.#steps.last;
    const batch = await this.#repeat(`/api/v1/label-batches/${id}/undo`, { id: newUuid() });
    this.#steps.pop();
    return batch;
  }

  async #finish({ id, body }) {
    let batch;
    try {
      batch = await this.#repeat(this.#url, { id, ...body });
    } catch (error) {
      this.#steps.pop(); // it was refused as a whole
      throw error;
    }
    this.#steps.pop();
    this.#steps.push({ id }); // what was asked for may be long, and is no longer needed
    return batch;
  }

  async #repeat(url, body) {
    for (;;) {
      const batch = await withRetries(() => callJson("POST", url, body), {
        signal: never,
        onWait: (ms, error) => this.#on.onTrouble(error),
        onGo: () => this.#on.onTrouble(null),
      });
      if (batch.is_finished) return batch;
      this.#on.onProgress(batch);
    }
  }
}
