/**
 * Unsent labels. They are kept in localStorage until the server has them, and sent in the background in small batches and in order,
 * with retries: each has a key, and the server writes each key once.
 */

import { callJson, isLoggedOut, noAnswer, renewToken, unsafeHeaders } from "../shared/server/http.js";
import { withRetries } from "../shared/server/retry.js";

const PREFIX = "pawsort-labels:";
const BATCH = 50;
/** Labels given in quick succession are sent together. */
const GATHER_MS = 500;
const PATIENCE_MS = 20000;
const AGAIN_MS = 15000;
/** Permanent errors, for example if the picture was deleted. */
const REFUSED = new Set([404, 409, 410, 422]);

export class Outbox {
  #entries = [];
  #key;
  #on;
  #isSending = false;
  #timer = 0;

  /**
   * @param {string} user Labels that another user has left in this browser are not sent.
   * @param {string} own The id of this page, among others of the same user.
   * @param {{onChange: () => void, onTrouble: (error: Error|null) => void, onRefused: (entry: object, error: Error) => void}} on
   */
  constructor(user, own, on) {
    this.#key = `${PREFIX}${user}:${own}`;
    this.#on = on;
    this.#adopt(`${PREFIX}${user}:`);
    if (this.#entries.length > 0) this.#soon(0);
  }

  get size() {
    return this.#entries.length;
  }

  /** The images with unsent changes. */
  get images() {
    return this.#entries.map((entry) => entry.item.image_id);
  }

  /** The images with an unsent label that is not undone. */
  get labelled() {
    const labelled = new Set();
    for (const { item } of this.#entries) {
      if (item.undoes === undefined) labelled.add(item.image_id);
      else labelled.delete(item.image_id);
    }
    return labelled;
  }

  /** @param {object} item As `POST /labels` takes it. @param {string} audit The audit that it belongs to, or "". */
  add(item, audit) {
    this.#entries.push({ item, audit });
    this.#save();
    this.#on.onChange();
    this.#soon(GATHER_MS);
  }

  /** The page is closed: one last request that outlives it. Unsent labels stay in localStorage. */
  part() {
    if (this.#entries.length === 0) return;
    const headers = { ...unsafeHeaders(), "Content-Type": "application/json" };
    const body = JSON.stringify(bodyOf(this.#head()));
    fetch("/api/v1/labels", { method: "POST", headers, body, keepalive: true }).catch(() => {});
  }

  #soon(ms) {
    if (this.#isSending) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#send(), ms);
  }

  async #send() {
    if (this.#isSending) return;
    this.#isSending = true;
    let atOnce = BATCH;
    try {
      while (this.#entries.length > 0) {
        const head = this.#head().slice(0, atOnce);
        try {
          await this.#post(head);
          this.#drop(head);
          this.#on.onTrouble(null);
        } catch (error) {
          if (!REFUSED.has(error.status)) throw error;
          // Send one at a time to find the refused one, and keep the others.
          if (head.length === 1) {
            this.#drop(head);
            this.#on.onRefused(head[0], error);
          }
          atOnce = 1;
        }
      }
    } catch (error) {
      this.#on.onTrouble(error);
      if (isLoggedOut(error)) await renewToken();
    } finally {
      this.#isSending = false;
    }
    if (this.#entries.length > 0) this.#soon(AGAIN_MS);
  }

  #post(entries) {
    const never = new AbortController().signal;
    return withRetries(() => postOnce(bodyOf(entries)), {
      signal: never,
      onWait: (ms, error) => this.#on.onTrouble(error),
      onGo: () => this.#on.onTrouble(null),
    });
  }

  /** The entries for one call: in order, and of the same audit. */
  #head() {
    const other = this.#entries.findIndex((entry) => entry.audit !== this.#entries[0].audit);
    return this.#entries.slice(0, Math.min(BATCH, other < 0 ? BATCH : other));
  }

  #drop(sent) {
    const gone = new Set(sent.map((entry) => entry.item.key));
    this.#entries = this.#entries.filter((entry) => !gone.has(entry.item.key));
    this.#save();
    this.#on.onChange();
  }

  #save() {
    try {
      if (this.#entries.length === 0) localStorage.removeItem(this.#key);
      else localStorage.setItem(this.#key, JSON.stringify(this.#entries));
    } catch {
      // Storage is full or disabled: the labels are still in memory, and closing the page warns.
    }
  }

  /** Adopt labels of closed pages. A page that is still open sends them too, which is harmless: the keys are the same. */
  #adopt(prefix) {
    try {
      for (const key of Object.keys(localStorage).filter((name) => name.startsWith(prefix))) {
        this.#entries.push(...entriesOf(localStorage.getItem(key)));
        this.#save();
        localStorage.removeItem(key);
      }
    } catch {
      // Storage is disabled: there is nothing to adopt.
    }
  }
}

/** What an error of the outbox means, in a sentence for people. */
export function troubleSentence(error) {
  if (isLoggedOut(error)) return "You are no longer logged in. Your labels are kept in this browser. Log in again in another tab, or reload this page, to send them.";
  return "The server is not responding. Your labels are kept in this browser and will be sent later. You can continue.";
}

function entriesOf(text) {
  try {
    const entries = JSON.parse(text);
    return Array.isArray(entries) ? entries.filter((entry) => entry?.item?.key && entry.item.image_id) : [];
  } catch {
    return [];
  }
}

function bodyOf(entries) {
  const items = entries.map((entry) => entry.item);
  return entries[0].audit === "" ? { items } : { items, audit: entries[0].audit };
}

async function postOnce(body) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    return await callJson("POST", "/api/v1/labels", body, signal);
  } catch (error) {
    throw signal.aborted ? noAnswer() : error;
  }
}
