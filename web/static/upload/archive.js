/** Sends one zip or tar as it is; the server unpacks it while it arrives. Has the same face as Sender. */

import { CallError } from "../http.js";
import { archiveName } from "./names.js";
import { putBlob } from "./put.js";

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
    this.#change({ phase: "sending", message: "", sentBytes: 0 });
    const { signal } = this.stopper;
    const onProgress = (bytes) => this.#change({ sentBytes: bytes, phase: bytes < this.file.size ? "sending" : "finishing" });
    try {
      await this.slots.run(() => putBlob(this.url, this.file, { onProgress, signal }));
      this.#change({ phase: "sent", sentBytes: this.file.size });
    } catch (error) {
      this.#change(signal.aborted ? { phase: "stopped" } : { phase: "halted", message: sentence(error) });
    }
  }

  /** Stop for good: what has been unpacked stays on the server. */
  stop() {
    this.stopper.abort(new CallError(0, "Stopped."));
  }

  #change(fields) {
    Object.assign(this.state, fields);
    this.onChange();
  }
}

function sentence(error) {
  if (error.status === 401) return "You are no longer logged in. Log in again in another tab, then press Go on.";
  if (error.status !== 0) return error.message;
  return "The connection was lost, or the file was changed or removed while it was being sent. Press Go on to send it again.";
}
