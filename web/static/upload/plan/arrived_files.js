/** The files of an upload that the server has, so that the upload of a folder can be resumed. */

import { callJson } from "../../shared/server/http.js";
import { sha256 } from "./sha256.js";
import { pause } from "./slices.js";

const PAGE = 1000;
/** The number of files that are looked up at a time, which takes a few milliseconds. */
const SLICE = 1000;

/** The hash that the server has for a file that was too large to upload. */
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** The files and shard numbers that have arrived. */
export class ArrivedFiles {
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
   * Divide files into arrived and missing ones. A file has arrived if one with its path and size has; if it was modified after the upload
   * began, its content is compared too. Several files with the same path (from several folders) are counted.
   *
   * @param {import("../input/collect.js").Found[]} files
   * @param {number} [since] The start of the upload, in milliseconds since 1970.
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

/** The index of the file's content among those that arrived; -1 if it is not there. */
function placeOf(file, contents, since) {
  if (contents.length === 0 || file.lastModified <= since || contents[0] === EMPTY) return contents.length - 1;
  return sha256(file).then(
    (content) => contents.indexOf(content),
    () => -1, // it is unreadable, which the sender will report
  );
}

/**
 * @param {string} uploadUrl
 * @param {AbortSignal} [signal]
 * @returns {Promise<ArrivedFiles>}
 * @throws {CallError}
 */
export async function loadArrivedFiles(uploadUrl, signal) {
  const arrived = new ArrivedFiles();
  // Shards first: the number of a shard that arrives in between is refused later, and everything is requested again.
  await eachItem(`${uploadUrl}/shards`, signal, (shard) => arrived.addShard(shard));
  await eachItem(`${uploadUrl}/files`, signal, (file) => arrived.addFile(file));
  return arrived;
}

async function eachItem(url, signal, take) {
  let cursor = "";
  do {
    const page = await callJson("GET", `${url}?limit=${PAGE}${cursor}`, undefined, signal);
    page.items.forEach(take);
    cursor = page.next === null ? null : `&cursor=${encodeURIComponent(page.next)}`;
  } while (cursor !== null);
}

/** A path never contains NUL. */
function keyOf(path, size) {
  return `${path}\0${size}`;
}
