/**
 * Which file goes into which shard: at most so many files and bytes, or one larger file.
 *
 * @typedef {import("../input/collect.js").Found} Found
 * @typedef {{maxFiles: number, maxBytes: number, maxImageBytes: number}} Limits
 * @typedef {{seq: number, files: Found[]}} Shard
 */

import { inTurn } from "../../shared/slices.js";
import { tarBlob } from "./tar.js";

/** So many files are made into a piece of a tar at a time: a few milliseconds. */
const SLICE = 16;

/**
 * @param {Found[]} files
 * @param {Limits} limits
 * @param {Set<number>} [taken] Numbers that other shards of the upload have.
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
    // Loose files from several folders may have the same name: a shard takes a name once, so they go into different ones.
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

/** The bytes of a file that travel: none when it is too large to be sent. */
export function sentSize(file, limits) {
  return file.size > limits.maxImageBytes ? 0 : file.size;
}

/**
 * The tar of one shard. Made when its turn has come, and in slices: 20,000 files never cost one long task.
 *
 * @param {Shard} shard
 * @param {Limits} limits
 * @returns {Promise<Blob>}
 */
export async function shardBlob(shard, limits) {
  const entries = shard.files.map(({ path, file }) => {
    const fits = file.size <= limits.maxImageBytes;
    return { path, size: file.size, body: fits ? file : null, declared: fits ? null : file.size };
  });
  const pieces = [];
  for (let i = 0; i < entries.length; i += SLICE) {
    const isLast = i + SLICE >= entries.length;
    pieces.push(await inTurn(() => tarBlob(entries.slice(i, i + SLICE), isLast)));
  }
  return new Blob(pieces, { type: "application/x-tar" });
}
