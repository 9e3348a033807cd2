/**
 * What somebody gave in one go, divided into what becomes a job of its own: each archive, and everything else together.
 *
 * @typedef {{name: string, print: string, archive: File|null, files: import("./collect.js").Found[],
 *   unreadable: {path: string, reason: string}[], going: import("../resume/resume.js").Going|null}} Parcel
 *   going: how far it came earlier; null to begin anew.
 */

import { printOf, printOfArchive } from "../resume/storage.js";
import { archiveName, isArchive, nameFor } from "./names.js";

/**
 * @param {import("./collect.js").Collection} found
 * @returns {Parcel[]}
 */
export function parcelsOf({ files, unreadable }) {
  const archives = files.filter(({ path }) => isArchive(path));
  const others = files.filter(({ path }) => !isArchive(path));
  const parcels = archives.map(({ file }) => ({
    name: archiveName(file.name),
    print: printOfArchive(file),
    archive: file,
    files: [],
    unreadable: [],
    going: null,
  }));
  if (others.length === 0 && unreadable.length === 0) return parcels;
  const paths = [...others, ...unreadable].map(({ path }) => path);
  return [...parcels, { name: nameFor(paths), print: printOf(paths), archive: null, files: others, unreadable, going: null }];
}
