/**
 * Divides dropped files into batches, each of which becomes a job: one for each archive, and one for all other files.
 *
 * @typedef {{name: string, print: string, archive: File|null, files: import("./collect.js").Found[],
 *   unreadable: {path: string, reason: string}[], earlier: import("../resume/resume.js").EarlierUpload|null}} Batch
 *   earlier: the earlier upload to resume; null for a new one.
 */

import { printOf, printOfArchive } from "../resume/storage.js";
import { archiveName, isArchive, nameFor } from "./names.js";

/**
 * @param {import("./collect.js").Collection} found
 * @returns {Batch[]}
 */
export function batchesOf({ files, unreadable }) {
  const unpacked = new Set(files.filter((entry) => entry.isArchive ?? isArchive(entry.path)));
  const archives = [...unpacked];
  const others = files.filter((entry) => !unpacked.has(entry));
  const batches = archives.map(({ file }) => ({
    name: archiveName(file.name),
    print: printOfArchive(file),
    archive: file,
    files: [],
    unreadable: [],
    earlier: null,
  }));
  if (others.length === 0 && unreadable.length === 0) return batches;
  const paths = [...others, ...unreadable].map(({ path }) => path);
  return [...batches, { name: nameFor(paths), print: printOf(paths), archive: null, files: others, unreadable, earlier: null }];
}
