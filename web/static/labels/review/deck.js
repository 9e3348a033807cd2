/**
 * The pictures of a reviewer: handed out by the server under a lease, a minute's work in advance, and loaded before they are shown.
 */

import { callJson } from "../../shared/server/http.js";
import { backoffMs } from "../../shared/server/retry.js";
import { LoadedAhead } from "../../shared/text/thumbnails.js";

/** A minute without the server at a picture per second. The loaded ones take about 10 MB. */
const AHEAD = 70;
const LOW = 62;
/** Leases last two minutes. */
const RENEW_MS = 40000;
/** After this time without activity, the pictures are released for others. */
const IDLE_MS = 5 * 60000;
const LOOK_AGAIN_MS = 3000;
const SOON_MS = 300;

export class Deck {
  #ahead = [];
  #current = null;
  #seen = new Set();
  #skipped = new Set();
  #loaded = new LoadedAhead();
  #after = null;
  #isAsking = false;
  #isAgain = false;
  /** Something has changed since the current request was sent. */
  #hasMoved = false;
  #isOver = false;
  #failures = 0;
  #timer = 0;
  #touchedAt = Date.now();
  #options;

  /**
   * @param {{url: string, reviewer: string, audit: string, unsent: () => number[], maxHeld: number, onShow: (picture: object|null) => void,
   *   onAnswer: (state: {n_others: number, n_skipped: number}, isEnd: boolean) => void, onLost: (error: Error|null) => void}} options
   *   unsent: images with unsent labels; they are also held.
   */
  constructor(options) {
    this.#options = options;
    document.addEventListener("visibilitychange", () => document.hidden || this.#ask());
    addEventListener("online", () => this.#ask());
  }

  get current() {
    return this.#current;
  }

  /**
   * @param {object|null} picture The picture in the page, unless another reviewer holds it.
   * @param {Set<number>} labelled Images labelled here before, which the server may not know yet.
   */
  start(picture, labelled) {
    this.#seen = labelled;
    if (picture !== null && !labelled.has(picture.image_id)) this.#ahead = [picture];
    this.#ask();
  }

  /** The user is active. */
  touch() {
    const wasIdle = Date.now() - this.#touchedAt > IDLE_MS;
    this.#touchedAt = Date.now();
    if (wasIdle) this.#ask();
  }

  /** Show the next picture. */
  next() {
    this.#current = null;
    this.#show();
    if (this.#ahead.length < LOW) this.#ask();
  }

  skip(picture) {
    this.#skipped.add(picture.image_id);
    this.next();
  }

  /** Go back to a picture; the current one follows it. */
  back(picture) {
    this.#skipped.delete(picture.image_id);
    if (this.#current !== null) this.#ahead.unshift(this.#current);
    this.#current = picture;
    this.#options.onShow(picture);
    this.#ask();
  }

  /** Request the skipped pictures again. */
  again() {
    this.#isAgain = true;
    this.#skipped.clear();
    this.#seen.clear();
    this.#after = null;
    this.#ask();
  }

  /** The page is closed: release its pictures at once. */
  part(headers) {
    const { url, reviewer, audit } = this.#options;
    const body = JSON.stringify({ reviewer, leaving: true, ...(audit === "" ? {} : { audit }) });
    fetch(url, { method: "POST", headers: { ...headers, "Content-Type": "application/json" }, body, keepalive: true }).catch(() => {});
  }

  /** The element of a picture, loaded if there was time. */
  imageOf(picture) {
    return this.#loaded.of(picture);
  }

  #show() {
    if (this.#current !== null) return;
    this.#current = this.#ahead.shift() ?? null;
    if (this.#current !== null) this.#seen.add(this.#current.image_id);
    this.#options.onShow(this.#current);
    this.#load();
  }

  #load() {
    this.#loaded.keep([this.#current, ...this.#ahead].filter((picture) => picture !== null));
  }

  async #ask() {
    this.#hasMoved = true;
    if (this.#isAsking || this.#isOver) return;
    this.#isAsking = true;
    this.#hasMoved = false;
    clearTimeout(this.#timer);
    const { url, reviewer, audit, unsent, maxHeld } = this.#options;
    const before = [...(this.#current === null ? [] : [this.#current]), ...this.#ahead];
    const skipped = [...this.#skipped];
    // The last ones are the first to be surplus.
    const holding = [...new Set([...unsent(), ...before.map((picture) => picture.image_id)])].slice(0, maxHeld);
    const wanted = Math.max(0, AHEAD - this.#ahead.length);
    const again = this.#isAgain;
    const body = { reviewer, wanted, after: this.#after, holding, skipped, again };
    try {
      const answer = await callJson("POST", url, audit === "" ? body : { ...body, audit }, AbortSignal.timeout(20000));
      if (again) this.#isAgain = false;
      this.#take(answer, before, skipped, holding.length === 0);
      this.#failures = 0;
      this.#options.onLost(null);
    } catch (error) {
      this.#options.onLost(error);
      this.#isOver = error.status === 404 || error.status === 410;
      this.#timer = setTimeout(() => this.#ask(), backoffMs(this.#failures++));
      return;
    } finally {
      this.#isAsking = false;
    }
    if (this.#hasMoved) this.#ask();
  }

  #take(answer, asked, skipped, hadNone) {
    skipped.forEach((id) => this.#skipped.delete(id));
    const mine = new Set(answer.holding);
    const lost = new Set(asked.map((picture) => picture.image_id).filter((id) => !mine.has(id)));
    this.#ahead = this.#ahead.filter((picture) => !lost.has(picture.image_id));
    this.#release(new Set(answer.surplus));
    // The server may not have seen labels that were sent during its search.
    const known = new Set([...this.#ahead, ...(this.#current ? [this.#current] : [])].map((picture) => picture.image_id));
    const fresh = answer.items.filter((item) => !this.#seen.has(item.image_id) && !known.has(item.image_id));
    this.#ahead.push(...fresh);
    if (answer.items.length > 0) this.#after = answer.items.at(-1).place;
    this.#show();
    this.#load();
    // Some stay free for others, and unsent labels count as held, also if they are sent meanwhile: only an empty answer
    // to empty hands is the end.
    const isEnd = this.#current === null && answer.items.length === 0 && hadNone;
    this.#options.onAnswer(answer, isEnd);
    if (isEnd) this.#plan(answer.n_others > 0 ? LOOK_AGAIN_MS : RENEW_MS);
    else this.#plan(this.#current === null ? SOON_MS : RENEW_MS);
  }

  /** Leave pictures to other reviewers: they are free once the next request does not name them. */
  #release(surplus) {
    const kept = this.#ahead.filter((picture) => !surplus.has(picture.image_id));
    if (kept.length < this.#ahead.length) this.#hasMoved = true;
    this.#ahead = kept;
  }

  #plan(ms) {
    this.#timer = setTimeout(() => {
      if (Date.now() - this.#touchedAt <= IDLE_MS) this.#ask();
      else this.#plan(ms);
    }, ms);
  }
}
