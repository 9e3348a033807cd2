/**
 * Sends one set of files: opens the upload and its job, sends the shards a few at a time, says when there are no more.
 *
 * Every step may be repeated without harm (ids are ours, shards are numbered), so a step that failed is simply tried again.
 * Nothing here touches the page; who wants to show something reads `state` when `onChange` is called.
 */

import { CallError, callJson } from "../http.js";
import { planShards, sentSize, shardBlob } from "./plan.js";
import { putBlob } from "./put.js";
import { withRetries } from "./retry.js";
import { CHANGED, haltSentence, isReadable, waitSentence } from "./trouble.js";

/**
 * @typedef {"opening"|"sending"|"waiting"|"finishing"|"sent"|"halted"|"stopped"} Phase
 *   waiting: the connection is lost and will be tried again; halted: something only a person can mend, `resume` goes on.
 */

export class Sender {
  /**
   * @param {{uploadId: string, jobId: string|null, name: string, files: import("./collect.js").Found[],
   *   slots: import("./slots.js").Slots, onChange: () => void, labelled?: boolean}} options
   *   jobId: null to send only, for a training. labelled: the folders' names are labels.
   */
  constructor({ uploadId, jobId, name, files, slots, onChange, labelled = false }) {
    this.uploadUrl = `/api/v1/uploads/${uploadId}`;
    this.jobUrl = `/api/v1/jobs/${jobId}`;
    this.labelled = labelled;
    this.uploadId = uploadId;
    this.name = name;
    this.files = files;
    this.slots = slots;
    this.onChange = onChange;
    this.stopper = new AbortController();
    this.underWay = new Map();
    this.queue = null;
    this.isJobOpen = jobId === null;
    this.doneBytes = 0;
    this.state = {
      phase: "opening",
      message: "",
      files: files.length,
      totalBytes: files.reduce((sum, { file }) => sum + file.size, 0),
      sentBytes: 0,
      skipped: [],
    };
  }

  /** Send everything. Ends when all is sent, or with phase "halted" or "stopped". Called again, it goes on. */
  async run() {
    this.#change({ phase: "opening", message: "" });
    try {
      await this.#open();
      this.#change({ phase: "sending" });
      do await this.#sendQueue();
      while (!(await this.#complete()));
      this.#change({ phase: "sent", message: "" });
    } catch (error) {
      if (this.stopper.signal.aborted) this.#change({ phase: "stopped", message: this.stopper.signal.reason.message });
      else this.#change({ phase: "halted", message: haltSentence(error) });
    }
  }

  /** Stop for good, and say why if it was not the person who did: what has been sent stays on the server. */
  stop(message = "") {
    this.stopper.abort(new CallError(0, message));
  }

  async #open() {
    const { signal } = this.stopper;
    const wanted = { name: this.name, labelled: this.labelled };
    const upload = await this.#retried(() => callJson("PUT", this.uploadUrl, wanted, signal), "opening");
    if (this.queue === null) this.#plan(upload.limits);
    if (this.isJobOpen) return;
    // The job comes before the first shard, so that pictures are sorted while the others are still on their way.
    await this.#retried(() => callJson("PUT", this.jobUrl, { upload: this.uploadId, name: this.name }, signal), "opening");
    this.isJobOpen = true;
  }

  #plan(limits) {
    this.limits = {
      maxFiles: limits.max_files,
      maxBytes: limits.max_bytes,
      maxImageBytes: limits.max_image_bytes,
    };
    this.shards = planShards(this.files, this.limits);
    this.queue = [...this.shards];
    this.state.totalBytes = this.files.reduce((sum, { file }) => sum + sentSize(file, this.limits), 0);
  }

  /** Each lane takes the next shard until none is left; the first error that stays ends all of them. */
  async #sendQueue() {
    const lanes = Array.from({ length: this.slots.size }, async () => {
      while (this.queue.length > 0) {
        const shard = this.queue.shift();
        try {
          await this.#sendShard(shard);
        } catch (error) {
          this.queue.unshift(shard);
          throw error;
        }
      }
    });
    const failed = (await Promise.allSettled(lanes)).find((lane) => lane.status === "rejected");
    if (failed) throw failed.reason;
  }

  async #sendShard(shard) {
    const bytes = contentBytes(shard, this.limits);
    try {
      await this.#retried((n) => this.slots.run(() => this.#putShard(shard, n)), "sending");
      this.doneBytes += contentBytes(shard, this.limits);
      this.state.totalBytes -= bytes - contentBytes(shard, this.limits);
    } finally {
      this.underWay.delete(shard.seq);
      this.#progress();
    }
  }

  async #putShard(shard, n) {
    if (shard.files.length === 0) return;
    const blob = await shardBlob(shard, this.limits);
    const bytes = contentBytes(shard, this.limits);
    const onProgress = (sent) => {
      this.underWay.set(shard.seq, (bytes * sent) / blob.size);
      this.#progress();
    };
    try {
      await putBlob(`${this.uploadUrl}/shards/${shard.seq}`, blob, { onProgress, signal: this.stopper.signal });
    } catch (error) {
      // The first try arrived and only its answer was lost; since then a file went away. The server has the better one.
      if (error.status === 409 && n > 0 && (await this.#hasShard(shard.seq))) return;
      // A file that changed or vanished looks like a lost connection: look which, and send the shard without it.
      if (error.status === 0 && (await this.#dropUnreadable(shard))) return this.#putShard(shard, n + 1);
      throw error;
    }
  }

  async #hasShard(seq) {
    let cursor = "";
    do {
      const page = await callJson("GET", `${this.uploadUrl}/shards?limit=1000${cursor}`, undefined, this.stopper.signal);
      if (page.items.some((item) => item.seq === seq)) return true;
      cursor = page.next === null ? null : `&cursor=${encodeURIComponent(page.next)}`;
    } while (cursor !== null);
    return false;
  }

  /** @returns {Promise<boolean>} Whether any file was dropped. */
  async #dropUnreadable(shard) {
    const readable = await Promise.all(shard.files.map(({ file }) => isReadable(file)));
    const lost = shard.files.filter((_, i) => !readable[i]);
    if (lost.length === 0) return false;
    shard.files = shard.files.filter((_, i) => readable[i]);
    this.#change({ skipped: [...this.state.skipped, ...lost.map(({ path }) => ({ path, reason: CHANGED }))] });
    return true;
  }

  /** @returns {Promise<boolean>} False when the server misses shards, which are then in the queue again. */
  async #complete() {
    this.#change({ phase: "finishing" });
    // A shard whose files have all vanished was never sent; every other one has been confirmed.
    const hasGap = this.shards.some((shard) => shard.files.length === 0);
    const body = hasGap ? { partial: true } : { n_shards: this.shards.length };
    try {
      await this.#retried(() => callJson("POST", `${this.uploadUrl}/complete`, body, this.stopper.signal), "finishing");
      return true;
    } catch (error) {
      const missing = new Set(error.details?.missing ?? []);
      if (error.status !== 409 || missing.size === 0) throw error;
      this.queue = this.shards.filter((shard) => missing.has(shard.seq));
      this.doneBytes -= this.queue.reduce((sum, shard) => sum + contentBytes(shard, this.limits), 0);
      this.#change({ phase: "sending" });
      return false;
    }
  }

  #retried(attempt, phase) {
    return withRetries(attempt, {
      signal: this.stopper.signal,
      onWait: (ms, error) => this.#change({ phase: "waiting", message: waitSentence(ms, error) }),
      onGo: () => this.#change({ phase, message: "" }),
    });
  }

  #progress() {
    const moving = Array.from(this.underWay.values()).reduce((sum, bytes) => sum + bytes, 0);
    this.#change({ sentBytes: Math.min(this.state.totalBytes, this.doneBytes + moving) });
  }

  #change(fields) {
    Object.assign(this.state, fields);
    this.onChange();
  }
}

function contentBytes(shard, limits) {
  return shard.files.reduce((sum, { file }) => sum + sentSize(file, limits), 0);
}
