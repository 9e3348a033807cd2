/** Uploads one ZIP or TAR as it is; the server unpacks it on arrival. */

import { CallError } from "../../shared/server/http.js";
import { archiveName } from "../input/names.js";
import { putBlob } from "./put.js";
import { Sender } from "./sender.js";
import { CHANGED, isReadable } from "./errors.js";

/** A status without retries. */
const FINAL = -1;

export class ArchiveSender extends Sender {
  /**
   * @param {{jobId: string, file: File, slots: import("./slots.js").Slots, onChange: () => void, model?: string|null, discards?: boolean}} options
   *   model: null for the version in use. discards: delete the originals after classification.
   */
  constructor({ jobId, file, slots, onChange, model = null, discards = false }) {
    super({ slots, onChange, files: null, totalBytes: file.size });
    this.jobUrl = `/api/v1/jobs/${jobId}`;
    this.name = archiveName(file.name);
    this.file = file;
    const query = { id: jobId, name: this.name, discard_originals: discards, ...(model === null ? {} : { model }) };
    this.url = `/api/v1/archives?${new URLSearchParams(query)}`;
  }

  pause() {
    super.pause(this.state.sentBytes > 0 ? "Resuming uploads it again from the start. Sorted pictures stay sorted." : "");
  }

  async send() {
    // Sent again with the same id, the server continues where it was interrupted; nothing is duplicated.
    await this.retried(() => this.slots.run(() => this.#put()), "sending");
    this.change({ sentBytes: this.file.size });
  }

  async #put() {
    this.change({ phase: "sending", message: "", sentBytes: 0 });
    const onProgress = (bytes) => this.change({ sentBytes: bytes, phase: bytes < this.file.size ? "sending" : "finishing" });
    try {
      await putBlob(this.url, this.file, { onProgress, signal: this.signal });
    } catch (error) {
      if (error.status === 0 && !(await isReadable(this.file))) throw new CallError(FINAL, CHANGED);
      throw error;
    }
  }
}
