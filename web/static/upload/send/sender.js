/**
 * What sending a folder and sending an archive have in common: it can be paused, gone on with and stopped, waits out lost connections,
 * and tells through `state` how far it is. Nothing here touches the page; who wants to show something reads `state` when `onChange` is called.
 *
 * @typedef {"opening"|"sending"|"waiting"|"finishing"|"sent"|"paused"|"halted"|"stopped"} Phase
 *   waiting: the connection is lost and will be tried again; halted: something only a person can mend. `run` goes on after paused and halted.
 */

import { CallError } from "../../shared/http.js";
import { withRetries } from "../../shared/retry.js";
import { haltSentence, waitSentence } from "./errors.js";

export class Sending {
  #control = new AbortController();
  #last = Promise.resolve();

  /**
   * @param {{slots: import("./slots.js").Slots, onChange: () => void, files: number|null, totalBytes: number}} options
   *   files: how many; null when only the server will know.
   */
  constructor({ slots, onChange, files, totalBytes }) {
    this.slots = slots;
    this.onChange = onChange;
    this.state = { phase: "opening", message: "", files, totalBytes, sentBytes: 0, skipped: [] };
  }

  /** Fires when it is paused or stopped. */
  get signal() {
    return this.#control.signal;
  }

  /** Send everything. Ends when all is sent, paused, halted or stopped. Called again, it goes on. */
  run() {
    // What was paused a moment ago is still tidying up: two runs at a time would take the same shards.
    this.#last = this.#last.then(() => this.#run());
    return this.#last;
  }

  /** Nothing more is sent until `run` is called; `message` says what that costs. */
  pause(message = "") {
    this.#end("paused", message);
  }

  /** Stop for good, and say why if it was not the person who did: what has been sent stays on the server. */
  stop(message = "") {
    this.#end("stopped", message);
  }

  /** The sending itself; subclasses have it. Every step may be repeated without harm. */
  async send() {
    throw new Error("not written");
  }

  /** Try a step until it succeeds or fails for good; `phase` is what it belongs to. */
  retried(attempt, phase) {
    return withRetries(attempt, {
      signal: this.signal,
      onWait: (ms, error) => this.change({ phase: "waiting", message: waitSentence(ms, error) }),
      onGo: () => this.change({ phase, message: "" }),
    });
  }

  change(fields) {
    // What comes in late, from requests that were under way, does not wake up what was paused.
    if (this.signal.aborted) delete fields.phase;
    Object.assign(this.state, fields);
    this.onChange();
  }

  async #run() {
    if (isOver(this.state.phase)) return;
    this.#control = new AbortController();
    this.change({ phase: "opening", message: "" });
    try {
      await this.send();
      this.change({ phase: "sent", message: "" });
    } catch (error) {
      if (!this.signal.aborted) this.change({ phase: "halted", message: haltSentence(error) });
    }
  }

  #end(phase, message) {
    if (isOver(this.state.phase)) return;
    this.change({ phase, message });
    this.#control.abort(new CallError(0, message));
  }
}

/** Nothing more will be sent. */
export function isOver(phase) {
  return phase === "sent" || phase === "stopped";
}
