/**
 * Uploads a set of files: creates the upload and its job, sends the shards a few at a time, and completes the upload.
 *
 * Repeating any step is harmless (ids are chosen here, shards are numbered), so a failed step is retried. An unfinished upload, of this
 * page or of another day, receives its missing files.
 */

import { CallError, callJson } from "../../shared/server/http.js";
import { bytes } from "../../shared/text/words.js";
import { planShards, sentSize, shardBlob } from "../plan/shards.js";
import { putBlob } from "./put.js";
import { Sender } from "./sender.js";
import { rest } from "../plan/slices.js";
import { ArrivedFiles, loadArrivedFiles } from "../plan/arrived_files.js";
import { CHANGED, isReadable } from "./errors.js";

/** Another page has used the number of a shard, so the missing files have to be determined again. */
class ShardNumberTaken extends Error {}

export class FolderSender extends Sender {
  #underWay = new Map();
  #lost = new Set();
  #shards = null;
  #queue = [];
  #arrivedSeqs = new Set();
  #doneBytes = 0;

  /**
   * @param {{uploadId: string, jobId: string|null, name: string, files: import("../input/collect.js").Found[],
   *   slots: import("./slots.js").Slots, onChange: () => void, labelled?: boolean, model?: string|null, discards?: boolean, since?: number}} options
   *   jobId: null to upload only, for a training. labelled: folder names are labels. model: null for the version in use.
   *   discards: delete the originals after classification. since: the start of this upload, perhaps in an earlier page.
   */
  constructor({ uploadId, jobId, name, files, slots, onChange, labelled = false, model = null, discards = false, since = Date.now() }) {
    super({ slots, onChange, files: files.length, totalBytes: files.reduce((sum, { file }) => sum + file.size, 0) });
    this.uploadUrl = `/api/v1/uploads/${uploadId}`;
    this.jobUrl = `/api/v1/jobs/${jobId}`;
    this.upload = { name, labelled, for_training: jobId === null, discard_originals: discards };
    this.uploadId = uploadId;
    this.name = name;
    this.files = files;
    this.since = since;
    this.job = { upload: uploadId, name, model };
    this.isJobOpen = jobId === null;
  }

  async send() {
    let isComplete = false;
    while (!isComplete) {
      await this.#open();
      this.change({ phase: "sending" });
      try {
        await this.#sendQueue();
        isComplete = await this.#complete();
      } catch (error) {
        if (!(error instanceof ShardNumberTaken)) throw error;
        this.#shards = null;
      }
    }
  }

  pause() {
    const halfSent = this.#movingBytes();
    super.pause(halfSent > 0 ? `${bytes(halfSent)} were partly uploaded and will be uploaded again.` : "");
  }

  async #open() {
    const { signal } = this;
    const upload = await this.retried(() => callJson("PUT", this.uploadUrl, this.upload, signal), "opening");
    if (this.#shards === null) await this.#plan(upload);
    if (this.isJobOpen) return;
    // Create the job before the first shard, so that sorting starts during the upload.
    await this.retried(() => callJson("PUT", this.jobUrl, this.job, signal), "opening");
    this.isJobOpen = true;
  }

  async #plan({ limits, n_shards: nShards, state }) {
    const askAgain = () => loadArrivedFiles(this.uploadUrl, this.signal);
    const there = nShards > 0 ? await this.retried(askAgain, "opening") : new ArrivedFiles();
    const { missing, arrived } = await there.divide(
      this.files.filter(({ file }) => !this.#lost.has(file)),
      this.since,
    );
    if (state === "complete" && missing.length > 0) throw new CallError(409, COMPLETED);
    this.limits = { maxFiles: limits.max_files, maxBytes: limits.max_bytes, maxImageBytes: limits.max_image_bytes };
    await rest();
    this.#shards = planShards(missing, this.limits, there.seqs);
    this.#queue = [...this.#shards];
    this.#arrivedSeqs = there.seqs;
    this.#doneBytes = this.#bytesOf(arrived);
    this.state.arrivedBytes = this.#doneBytes;
    this.state.totalBytes = this.#doneBytes + this.#bytesOf(missing);
    this.#progress();
  }

  /** Each lane sends the next shard until none is left; the first permanent error ends all lanes. */
  async #sendQueue() {
    const lanes = Array.from({ length: this.slots.size }, async () => {
      while (this.#queue.length > 0) {
        const shard = this.#queue.shift();
        try {
          await this.#sendShard(shard);
        } catch (error) {
          this.#queue.unshift(shard);
          throw error;
        }
      }
    });
    const failed = (await Promise.allSettled(lanes)).find((lane) => lane.status === "rejected");
    if (failed) throw failed.reason;
  }

  async #sendShard(shard) {
    const planned = this.#bytesOf(shard.files);
    try {
      await this.retried(() => this.slots.run(() => this.#putShard(shard)), "sending");
      this.#doneBytes += this.#bytesOf(shard.files);
      this.state.totalBytes -= planned - this.#bytesOf(shard.files);
    } finally {
      this.#underWay.delete(shard.seq);
      this.#progress();
    }
  }

  async #putShard(shard) {
    if (shard.files.length === 0) return;
    const blob = await shardBlob(shard, this.limits);
    const ours = this.#bytesOf(shard.files);
    const onProgress = (sent) => {
      this.#underWay.set(shard.seq, (ours * sent) / blob.size);
      this.#progress();
    };
    try {
      await putBlob(`${this.uploadUrl}/shards/${shard.seq}`, blob, { onProgress, signal: this.signal });
    } catch (error) {
      // Another tab has used this number, or an earlier try arrived without its response, and a file has vanished since.
      if (error.status === 409) throw new ShardNumberTaken();
      // A changed or missing file looks like a lost connection: find it, and send the shard without it.
      if (error.status === 0 && (await this.#dropUnreadable(shard))) return this.#putShard(shard);
      throw error;
    }
  }

  /** @returns {Promise<boolean>} Whether any file was dropped. */
  async #dropUnreadable(shard) {
    const readable = await Promise.all(shard.files.map(({ file }) => isReadable(file)));
    const lost = shard.files.filter((_, i) => !readable[i]);
    if (lost.length === 0) return false;
    shard.files = shard.files.filter((_, i) => readable[i]);
    for (const { file } of lost) this.#lost.add(file);
    this.change({ skipped: [...this.state.skipped, ...lost.map(({ path }) => ({ path, reason: CHANGED }))] });
    return true;
  }

  /** @returns {Promise<boolean>} False if shards are missing on the server: then the upload is planned again. */
  async #complete() {
    this.change({ phase: "finishing" });
    try {
      await this.retried(() => callJson("POST", `${this.uploadUrl}/complete`, this.#ending(), this.signal), "finishing");
      return true;
    } catch (error) {
      if (error.status !== 409 || !(error.details?.missing?.length > 0)) throw error;
      this.#shards = null;
      return false;
    }
  }

  /** The number of shards. A shard whose files have all vanished is never sent, which leaves a gap. */
  #ending() {
    const sent = this.#shards.filter(({ files }) => files.length > 0).map(({ seq }) => seq);
    const seqs = [...this.#arrivedSeqs, ...sent];
    const hasGap = seqs.some((seq) => seq >= seqs.length);
    return hasGap ? { partial: true } : { n_shards: seqs.length };
  }

  #bytesOf(files) {
    return files.reduce((sum, { file }) => sum + sentSize(file, this.limits), 0);
  }

  /** The sent bytes of unfinished shards. */
  #movingBytes() {
    return Array.from(this.#underWay.values()).reduce((sum, some) => sum + some, 0);
  }

  #progress() {
    this.change({ sentBytes: Math.min(this.state.totalBytes, this.#doneBytes + this.#movingBytes()) });
  }
}

const COMPLETED = "This upload was finished with the files that had arrived. Drop the folder again for a new upload.";
