/** What the server has of an upload, so that a folder that is dropped again is sent on from where it stopped. */

import { callJson } from "../http.js";

const PAGE = 1000;

/** Files and shard numbers that have arrived. */
export class There {
  #files = new Map();
  #seqs = new Set();

  /** @param {{path: string, n_bytes: number}[]} files */
  constructor(files = []) {
    for (const file of files) this.addFile(file);
  }

  addFile({ path, n_bytes: size }) {
    const key = keyOf(path, size);
    this.#files.set(key, (this.#files.get(key) ?? 0) + 1);
  }

  addShard({ seq }) {
    this.#seqs.add(seq);
  }

  get seqs() {
    return this.#seqs;
  }

  /**
   * Divide a folder into what has arrived and what is still to be sent. A file counts as arrived when its path and its size are the
   * same; two files of one path (loose files from several folders) are counted.
   *
   * @param {import("./collect.js").Found[]} files
   * @returns {{missing: import("./collect.js").Found[], arrived: import("./collect.js").Found[]}}
   */
  divide(files) {
    const left = new Map(this.#files);
    const divided = { missing: [], arrived: [] };
    for (const found of files) {
      const key = keyOf(found.path, found.file.size);
      const n = left.get(key) ?? 0;
      if (n > 0) left.set(key, n - 1);
      (n > 0 ? divided.arrived : divided.missing).push(found);
    }
    return divided;
  }
}

/**
 * @param {string} uploadUrl
 * @param {AbortSignal} [signal]
 * @returns {Promise<There>}
 * @throws {CallError}
 */
export async function askWhatIsThere(uploadUrl, signal) {
  const there = new There();
  // Shards first: one that arrives in between is then unknown, its number is refused, and everything is asked anew.
  await eachItem(`${uploadUrl}/shards`, signal, (shard) => there.addShard(shard));
  await eachItem(`${uploadUrl}/files`, signal, (file) => there.addFile(file));
  return there;
}

async function eachItem(url, signal, take) {
  let cursor = "";
  do {
    const page = await callJson("GET", `${url}?limit=${PAGE}${cursor}`, undefined, signal);
    page.items.forEach(take);
    cursor = page.next === null ? null : `&cursor=${encodeURIComponent(page.next)}`;
  } while (cursor !== null);
}

/** A path has no NUL in it. */
function keyOf(path, size) {
  return `${path}\0${size}`;
}
