/** What the server has of an upload, so that a folder that is dropped again is sent on from where it stopped. */

import { callJson } from "../../shared/http.js";
import { sha256 } from "../../shared/sha256.js";
import { pause } from "../../shared/slices.js";

const PAGE = 1000;
/** So many files are looked up at a time: some milliseconds. */
const SLICE = 1000;

/** What the server names as the content of a file that was too large to be sent. */
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** Files and shard numbers that have arrived. */
export class There {
  #files = new Map();
  #seqs = new Set();

  /** @param {{path: string, n_bytes: number, sha256?: string}[]} files */
  constructor(files = []) {
    for (const file of files) this.addFile(file);
  }

  addFile({ path, n_bytes: size, sha256: content }) {
    const key = keyOf(path, size);
    if (this.#files.has(key)) this.#files.get(key).push(content);
    else this.#files.set(key, [content]);
  }

  addShard({ seq }) {
    this.#seqs.add(seq);
  }

  get seqs() {
    return this.#seqs;
  }

  /**
   * Divide a folder into what has arrived and what is still to be sent. A file has arrived when one of its path and size has; if it was
   * written since the sending began, its content is compared as well. Two files of one path (loose ones from several folders) are counted.
   *
   * @param {import("../input/collect.js").Found[]} files
   * @param {number} [since] When the sending began, in milliseconds since 1970.
   * @returns {Promise<{missing: import("../input/collect.js").Found[], arrived: import("../input/collect.js").Found[]}>}
   */
  async divide(files, since = Infinity) {
    const left = new Map();
    const divided = { missing: [], arrived: [] };
    if (this.#files.size === 0) return { missing: [...files], arrived: [] };
    for (const [i, found] of files.entries()) {
      if (i % SLICE === SLICE - 1) await pause();
      const key = keyOf(found.path, found.file.size);
      if (!left.has(key)) left.set(key, [...(this.#files.get(key) ?? [])]);
      const place = placeOf(found.file, left.get(key), since);
      const at = typeof place === "number" ? place : await place;
      if (at >= 0) left.get(key).splice(at, 1);
      (at >= 0 ? divided.arrived : divided.missing).push(found);
    }
    return divided;
  }
}

/** Which of the contents that arrived is the file's; -1 when none is. */
function placeOf(file, contents, since) {
  if (contents.length === 0 || file.lastModified <= since || contents[0] === EMPTY) return contents.length - 1;
  return sha256(file).then(
    (content) => contents.indexOf(content),
    () => -1, // it cannot be read: whoever sends it says so
  );
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
