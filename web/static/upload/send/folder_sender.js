/**
 * Sends one set of files: opens the upload and its job, sends the shards a few at a time, says when there are no more.
 *
 * Every step may be repeated without harm (ids are ours, shards are numbered), so a step that failed is simply tried again. An upload
 * that has been begun, by this page or on another day, gets what it lacks.
 */

import { CallError, callJson } from "../../shared/http.js";
import { bytes } from "../../shared/words.js";
import { planShards, sentSize, shardBlob } from "../plan/shards.js";
import { putBlob } from "./put.js";
import { Sending } from "./sender.js";
import { rest } from "../../shared/slices.js";
import { There, askWhatIsThere } from "../plan/arrived_files.js";
import { CHANGED, isReadable } from "./errors.js";

/** A shard's number is taken by another sending of the same upload: what is missing has to be found anew. */
class Taken extends Error {}

export class Sender extends Sending {
  #underWay = new Map();
  #lost = new Set();
  #shards = null;
  #queue = [];
  #arrivedSeqs = new Set();
  #doneBytes = 0;

  /**
   * @param {{uploadId: string, jobId: string|null, name: string, files: import("../input/collect.js").Found[],
   *   slots: import("./slots.js").Slots, onChange: () => void, labelled?: boolean, model?: string|null, discards?: boolean, since?: number}} options
   *   jobId: null to send only, for a training. labelled: the folders' names are labels. model: null for the one in use.
   *   discards: the originals go once they are classified. since: when this upload was begun, perhaps by an earlier page.
   */
  constructor({ uploadId, jobId, name, files, slots, onChange, labelled = false, model = null, discards = false, since = Date.now() }) {
    super({ slots, onChange, files: files.length, totalBytes: files.reduce((sum, { file }) => sum + file.size, 0) });
    this.uploadUrl = `/api/v1/uploads/${uploadId}`;
    this.jobUrl = `/api/v1/jobs/${jobId}`;
    this.upload = { name, labelled, discard_originals: discards };
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
        if (!(error instanceof Taken)) throw error;
        this.#shards = null;
      }
    }
  }

  pause() {
    const halfSent = this.#movingBytes();
    super.pause(halfSent > 0 ? `${bytes(halfSent)} of it were half sent and will be sent again.` : "");
  }

  async #open() {
    const { signal } = this;
    const upload = await this.retried(() => callJson("PUT", this.uploadUrl, this.upload, signal), "opening");
    if (this.#shards === null) await this.#plan(upload);
    if (this.isJobOpen) return;
    // The job comes before the first shard, so that pictures are sorted while the others are still on their way.
    await this.retried(() => callJson("PUT", this.jobUrl, this.job, signal), "opening");
    this.isJobOpen = true;
  }

  async #plan({ limits, n_shards: nShards, state }) {
    const askAgain = () => askWhatIsThere(this.uploadUrl, this.signal);
    const there = nShards > 0 ? await this.retried(askAgain, "opening") : new There();
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

  /** Each lane takes the next shard until none is left; the first error that stays ends all of them. */
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
      // Another tab was faster with this number, or the first try arrived, its answer was lost, and since then a file went away.
      if (error.status === 409) throw new Taken();
      // A file that changed or vanished looks like a lost connection: look which, and send the shard without it.
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

  /** @returns {Promise<boolean>} False when the server misses shards: then everything is asked and planned anew. */
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

  /** How many shards there are. Numbers whose files have all vanished, or were removed since an earlier day, are never sent. */
  #ending() {
    const sent = this.#shards.filter(({ files }) => files.length > 0).map(({ seq }) => seq);
    const seqs = [...this.#arrivedSeqs, ...sent];
    const hasGap = seqs.some((seq) => seq >= seqs.length);
    return hasGap ? { partial: true } : { n_shards: seqs.length };
  }

  #bytesOf(files) {
    return files.reduce((sum, { file }) => sum + sentSize(file, this.limits), 0);
  }

  /** Of the shards that are under way. */
  #movingBytes() {
    return Array.from(this.#underWay.values()).reduce((sum, some) => sum + some, 0);
  }

  #progress() {
    this.change({ sentBytes: Math.min(this.state.totalBytes, this.#doneBytes + this.#movingBytes()) });
  }
}

const COMPLETED = "This upload was finished with what had arrived. Drop the folder again to send it as a new one.";
