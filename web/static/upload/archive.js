/** Sends one zip or tar as it is; the server unpacks it while it arrives. Has the same face as Sender. */

import { CallError } from "../http.js";
import { archiveName } from "./names.js";
import { putBlob } from "./put.js";
import { withRetries } from "./retry.js";
import { CHANGED, haltSentence, isReadable, waitSentence } from "./trouble.js";

/** No answer that is worth repeating the call for. */
const FINAL = -1;

export class ArchiveSender {
  /**
   * @param {{jobId: string, file: File, slots: import("./slots.js").Slots, onChange: () => void}} options
   */
  constructor({ jobId, file, slots, onChange }) {
    this.jobUrl = `/api/v1/jobs/${jobId}`;
    this.name = archiveName(file.name);
    this.file = file;
    this.slots = slots;
    this.onChange = onChange;
    this.stopper = new AbortController();
    this.url = `/api/v1/archives?${new URLSearchParams({ id: jobId, name: this.name })}`;
    this.state = { phase: "opening", message: "", files: null, totalBytes: file.size, sentBytes: 0, skipped: [] };
  }

  /** Send it. Ends when the server has unpacked all of it, or with phase "halted" or "stopped". */
  async run() {
    const { signal } = this.stopper;
    try {
      // Sent again under the same id, the server goes on where the stream broke off: nothing is doubled.
      await withRetries(() => this.slots.run(() => this.#put()), {
        signal,
        onWait: (ms, error) => this.#change({ phase: "waiting", message: waitSentence(ms, error) }),
        onGo: () => this.#change({ message: "" }),
      });
      this.#change({ phase: "sent", message: "", sentBytes: this.file.size });
    } catch (error) {
      this.#change(signal.aborted ? { phase: "stopped", message: signal.reason.message } : { phase: "halted", message: haltSentence(error) });
    }
  }

  /** Stop for good, and say why if it was not the person who did: what has been unpacked stays on the server. */
  stop(message = "") {
    this.stopper.abort(new CallError(0, message));
  }

  async #put() {
    this.#change({ phase: "sending", message: "", sentBytes: 0 });
    const onProgress = (bytes) => this.#change({ sentBytes: bytes, phase: bytes < this.file.size ? "sending" : "finishing" });
    try {
      await putBlob(this.url, this.file, { onProgress, signal: this.stopper.signal });
    } catch (error) {
      if (error.status === 0 && !(await isReadable(this.file))) throw new CallError(FINAL, CHANGED);
      throw error;
    }
  }

  #change(fields) {
    Object.assign(this.state, fields);
    this.onChange();
  }
}
