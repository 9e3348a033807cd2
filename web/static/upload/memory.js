/**
 * Uploads that this browser has begun and not ended, kept over reloads and days. Only ids are kept: which files have arrived, the
 * server knows.
 *
 * @typedef {{uploadId: string, jobId: string, name: string, at: number}} Begun
 *   uploadId: of an archive the same as jobId. at: milliseconds since 1970.
 */

const KEY = "pawsort.uploads";
const MOST = 50;

/** What a folder is known by when it is dropped again: its name; loose files by how many they are, and the first and the last. */
export function printOf(paths) {
  const folders = new Set(paths.filter((path) => path.includes("/")).map((path) => path.slice(0, path.indexOf("/"))));
  if (folders.size > 0) return ["folders", ...Array.from(folders).sort()].join("/");
  const names = Array.from(paths).sort();
  return ["files", names.length, names[0], names.at(-1)].join("/");
}

/** An archive is the same one when nothing of it has changed. */
export function printOfArchive(file) {
  return ["archive", file.size, file.lastModified, file.name].join("/");
}

/** @returns {Begun|null} */
export function recall(print) {
  return load()[print] ?? null;
}

/** @param {Begun} begun */
export function remember(print, begun) {
  const newest = Object.entries({ ...load(), [print]: begun }).sort(([, a], [, b]) => b.at - a.at);
  save(Object.fromEntries(newest.slice(0, MOST)));
}

/** Forget an upload, unless its place has been taken by a newer one of the same name. */
export function forget(print, jobId) {
  const { [print]: begun, ...others } = load();
  if (begun?.jobId === jobId) save(others);
}

/** A browser may refuse to keep anything; then an upload simply cannot be gone on with after a reload. */
function load() {
  try {
    const value = JSON.parse(localStorage.getItem(KEY));
    return value !== null && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}

function save(begun) {
  try {
    localStorage.setItem(KEY, JSON.stringify(begun));
  } catch {
    // Full, or not allowed.
  }
}
