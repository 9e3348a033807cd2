/**
 * Turns dropped or chosen entries into a list of files with their paths.
 *
 * @typedef {{path: string, file: File, isArchive?: boolean}} Found
 * @typedef {{files: Found[], ignored: Ignored[], unreadable: {path: string, reason: string}[]}} Collection
 *   ignored: files that systems and tools left behind.
 * @typedef {Found & {kind: {one: string, many: string}}} Ignored
 */

import { ignoredKind } from "./names.js";
import { pause, rest } from "../plan/slices.js";

/**
 * Each file needs a response from another browser process, and responses that arrive meanwhile are handled in the same task: with all
 * requests at once, the page would not respond for seconds.
 */
const AT_ONCE = 8;

/**
 * The entries of a drop. Call it inside the event: the browser empties the list as soon as the handler ends or awaits.
 *
 * @param {DataTransfer} transfer
 * @returns {(FileSystemEntry|File)[]}
 */
export function takeEntries(transfer) {
  const items = Array.from(transfer.items ?? []).filter((item) => item.kind === "file");
  if (items.length === 0) return Array.from(transfer.files ?? []);
  return items.map((item) => item.webkitGetAsEntry?.() ?? item.getAsFile()).filter((entry) => entry !== null);
}

/**
 * Collect dropped entries, with folders and everything in them.
 *
 * @param {(FileSystemEntry|File)[]} entries From takeEntries.
 * @param {(n: number) => void} onFound Called from time to time with the number of files so far.
 * @returns {Promise<Collection>} Files in the order of their paths.
 */
export async function collectEntries(entries, onFound = () => {}) {
  const found = { files: [], ignored: [], unreadable: [] };
  const folders = [];
  await addEntries(entries, folders, found);
  while (folders.length > 0) {
    await readFolder(folders.pop(), folders, found, onFound);
  }
  await rest();
  sorted(found);
  await rest();
  return found;
}

/**
 * Files from an <input type="file">, with or without webkitdirectory.
 *
 * @param {Iterable<File>} files
 * @returns {Collection}
 */
export function collectFiles(files) {
  const found = { files: [], ignored: [], unreadable: [] };
  for (const file of files) addFile(file.webkitRelativePath || file.name, file, found);
  return sorted(found);
}

async function readFolder(folder, folders, found, onFound) {
  const reader = folder.createReader();
  try {
    // readEntries returns up to 100 entries: call it until it returns none.
    for (;;) {
      const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
      if (entries.length === 0) return;
      await addEntries(entries, folders, found);
      onFound(found.files.length);
    }
  } catch (error) {
    found.unreadable.push({ path: pathOf(folder), reason: `This folder could not be read (${error.name}).` });
  }
}

async function addEntries(entries, folders, found) {
  for (let i = 0; i < entries.length; i += AT_ONCE) {
    await Promise.all(entries.slice(i, i + AT_ONCE).map((entry) => addEntry(entry, folders, found)));
    await pause();
  }
}

async function addEntry(entry, folders, found) {
  if (entry instanceof File) return addFile(entry.name, entry, found);
  if (entry.isDirectory) return folders.push(entry);
  try {
    return addFile(pathOf(entry), await new Promise((resolve, reject) => entry.file(resolve, reject)), found);
  } catch (error) {
    return found.unreadable.push({ path: pathOf(entry), reason: `This file could not be read (${error.name}).` });
  }
}

function addFile(path, file, found) {
  const kind = ignoredKind(path);
  if (kind) found.ignored.push({ path, file, kind });
  else found.files.push({ path, file });
}

function pathOf(entry) {
  return entry.fullPath.replace(/^\/+/, "");
}

/** The same collection with the ignored files among the others. */
export function withIgnored({ files, ignored, unreadable }) {
  return sorted({ files: [...files, ...ignored.map(({ path, file }) => ({ path, file }))], ignored: [], unreadable });
}

/** Sort by path: the order of folders on a disk is arbitrary. */
function sorted(found) {
  found.files.sort((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
  return found;
}
