/**
 * The base of the senders for folders and archives: an upload can be paused, resumed and cancelled, survives lost connections, and has
 * its progress in `state`. Nothing here touches the page; views read `state` when `onChange` is called.
 *
 * @typedef {"opening"|"sending"|"waiting"|"finishing"|"sent"|"paused"|"halted"|"stopped"} Phase
 *   waiting: a retry after a lost connection; halted: an error that needs the user. `run` continues after paused and halted.
 */

import { CallError, isLoggedOut, renewToken } from "../../shared/server/http.js";
import { withRetries } from "../../shared/server/retry.js";
import { haltSentence, waitSentence } from "./errors.js";

export class Sender {
  #control = new AbortController();
  #last = Promise.resolve();
  #wasLoggedOut = false;

  /**
   * @param {{slots: import("./slots.js").Slots, onChange: () => void, files: number|null, totalBytes: number}} options
   *   files: their number; null if only the server will know.
   */
  constructor({ slots, onChange, files, totalBytes }) {
    this.slots = slots;
    this.onChange = onChange;
    this.state = { phase: "opening", message: "", files, totalBytes, sentBytes: 0, skipped: [] };
  }

  /** Fires if the upload is paused or cancelled. */
  get signal() {
    return this.#control.signal;
  }

  /** Upload everything. Ends if it is complete, paused, halted or cancelled; call it again to resume. */
  run() {
    // Wait for the end of a paused run: two runs at the same time would send the same shards.
    this.#last = this.#last.then(() => this.#run());
    return this.#last;
  }

  /** Pause until `run` is called; `message` says what that costs. */
  pause(message = "") {
    this.#end("paused", message);
  }

  /** Cancel, with a reason unless the user did it. Uploaded files stay on the server. */
  stop(message = "") {
    this.#end("stopped", message);
  }

  /** The upload itself, in subclasses. Repeating any step is harmless. */
  async send() {
    throw new Error("subclasses implement this");
  }

  /** Retry a step until it succeeds or fails permanently; `phase` is the phase of the step. */
  retried(attempt, phase) {
    return withRetries(attempt, {
      signal: this.signal,
      onWait: (ms, error) => this.change({ phase: "waiting", message: waitSentence(ms, error) }),
      onGo: () => this.change({ phase, message: "" }),
    });
  }

  change(fields) {
    // Late responses must not restart a paused upload.
    if (this.signal.aborted) delete fields.phase;
    Object.assign(this.state, fields);
    this.onChange();
  }

  async #run() {
    if (isOver(this.state.phase)) return;
    this.#control = new AbortController();
    this.change({ phase: "opening", message: "" });
    try {
      if (this.#wasLoggedOut) await renewToken();
      await this.send();
      this.change({ phase: "sent", message: "" });
    } catch (error) {
      this.#wasLoggedOut = isLoggedOut(error);
      if (!this.signal.aborted) this.change({ phase: "halted", message: haltSentence(error) });
    }
  }

  #end(phase, message) {
    if (isOver(this.state.phase)) return;
    this.change({ phase, message });
    this.#control.abort(new CallError(0, message));
  }
}

/** Whether the upload is complete or cancelled. */
export function isOver(phase) {
  return phase === "sent" || phase === "stopped";
}
