/**
 * Divides files into shards, with a maximum of files and bytes, or one larger file.
 *
 * @typedef {import("../input/collect.js").Found} Found
 * @typedef {{maxFiles: number, maxBytes: number, maxImageBytes: number}} Limits
 * @typedef {{seq: number, files: Found[]}} Shard
 */

import { inTurn } from "./slices.js";
import { tarBlob } from "./tar.js";

/** The number of files that are added to a tar at a time, which takes a few milliseconds. */
const SLICE = 16;

/**
 * @param {Found[]} files
 * @param {Limits} limits
 * @param {Set<number>} [taken] Numbers of existing shards.
 * @returns {Shard[]} With the lowest free numbers, files in their order.
 */
export function planShards(files, limits, taken = new Set()) {
  const shards = [];
  let seq = 0;
  const close = (inShard) => {
    while (taken.has(seq)) seq += 1;
    shards.push({ seq, files: inShard });
    seq += 1;
  };
  let current = [];
  let bytes = 0;
  for (const found of files) {
    const size = sentSize(found.file, limits);
    // Single files from several folders may have the same name; a shard contains each name only once.
    const isTwin = current.at(-1)?.path === found.path;
    if (current.length > 0 && (isTwin || current.length >= limits.maxFiles || bytes + size > limits.maxBytes)) {
      close(current);
      current = [];
      bytes = 0;
    }
    current.push(found);
    bytes += size;
  }
  if (current.length > 0) close(current);
  return shards;
}

/** The bytes of a file that are uploaded: 0 if it is too large. */
export function sentSize(file, limits) {
  return file.size > limits.maxImageBytes ? 0 : file.size;
}

/**
 * The tar of one shard, made when it is needed and in slices, so that no task is long.
 *
 * @param {Shard} shard
 * @param {Limits} limits
 * @returns {Promise<Blob>}
 */
export async function shardBlob(shard, limits) {
  const entries = shard.files.map(({ path, file }) => {
    const fits = file.size <= limits.maxImageBytes;
    const modifiedAt = Math.max(0, Math.floor(file.lastModified / 1000));
    return { path, size: file.size, body: fits ? file : null, declared: fits ? null : file.size, modifiedAt };
  });
  const pieces = [];
  for (let i = 0; i < entries.length; i += SLICE) {
    const isLast = i + SLICE >= entries.length;
    pieces.push(await inTurn(() => tarBlob(entries.slice(i, i + SLICE), isLast)));
  }
  return new Blob(pieces, { type: "application/x-tar" });
}
