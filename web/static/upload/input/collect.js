/**
 * From what somebody dropped or picked to a list of files with their paths.
 *
 * @typedef {{path: string, file: File}} Found
 * @typedef {{files: Found[], ignored: string[], unreadable: {path: string, reason: string}[]}} Collection
 *   ignored: paths of what operating systems leave in folders.
 */

import { isIgnored } from "./names.js";
import { pause, rest } from "../../shared/slices.js";

/**
 * Each answer about a file makes the page wait for another process for a moment, and answers that have come in the meantime are taken in
 * the same breath: with all of them asked for at once, the page would stand still for seconds.
 */
const AT_ONCE = 8;

/**
 * Take the entries out of a drop. Call it inside the event: the browser empties the list as soon as the handler has ended or awaited.
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
 * Walk dropped entries, folders and all that is in them.
 *
 * @param {(FileSystemEntry|File)[]} entries From takeEntries.
 * @param {(n: number) => void} onFound Called now and then with the number of files so far.
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
    // readEntries hands out 100 at a time: it has to be called until it hands out none.
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
  if (isIgnored(path)) found.ignored.push(path);
  else found.files.push({ path, file });
}

function pathOf(entry) {
  return entry.fullPath.replace(/^\/+/, "");
}

/** The order of folders on a disk is chance; the order of paths is the same each time. */
function sorted(found) {
  found.files.sort((a, b) => (a.path < b.path ? -1 : Number(a.path > b.path)));
  return found;
}
