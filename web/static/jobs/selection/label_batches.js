/**
 * Labels many pictures at once, with undo to any depth. A call is repeated with the same id until everything is written, so neither
 * a lost connection nor a closed page leaves it half done; the next page continues it.
 */

import { callJson } from "../../shared/server/http.js";
import { UndoSteps } from "../../labels/undo_steps.js";
import { newUuid } from "../../shared/server/uuid.js";
import { withRetries } from "../../shared/server/retry.js";

const never = new AbortController().signal;

export class Batches {
  #url;
  #steps;
  #on;

  /**
   * @param {string} job
   * @param {{onProgress: (batch: object) => void, onTrouble: (error: Error|null) => void}} on
   *   onProgress: some labels are written. onTrouble: a call is being retried; null when it succeeded.
   */
  constructor(job, on) {
    this.#url = `/api/v1/jobs/${job}/labels`;
    this.#steps = new UndoSteps(`batches:${job}`);
    this.#on = on;
  }

  get canUndo() {
    return this.#steps.size > 0;
  }

  /**
   * Label pictures.
   *
   * @param {object} body The body for the API, without the id.
   * @returns {Promise<object>} The batch, finished.
   * @throws {import("../../shared/server/http.js").CallError}
   */
  async run(body) {
    const step = { id: newUuid(), body };
    this.#steps.push(step);
    return this.#finish(step);
  }

  /** Continue the batch that a closed page left unfinished; null if there is none. */
  async resume() {
    const step = this.#steps.last;
    return step?.body ? this.#finish(step) : null;
  }

  /** Undo the last batch; newer labels are kept. */
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
      this.#steps.pop(); // all of it was refused
      throw error;
    }
    this.#steps.pop();
    this.#steps.push({ id }); // the body may be long, and is no longer needed
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
