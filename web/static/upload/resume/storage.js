/**
 * Unfinished uploads of this browser, stored across reloads and days. Only ids are stored: the server knows which files have arrived.
 *
 * @typedef {{uploadId: string, jobId: string, name: string, at: number, nFiles: number|null}} StoredUpload
 *   uploadId: for an archive, the same as jobId. at: milliseconds since 1970. nFiles: null for an archive.
 * @typedef {{bytesPerS: number, filesPerS: number}} UploadSpeed
 */

const KEY = "pawsort.uploads";
const PACE_KEY = "pawsort.pace";
/** Shorter uploads mostly consist of overhead. */
const MIN_TELLING_S = 1;
const MOST = 50;

/** Identifies a folder that is dropped again by its name, and single files by their number and the first and last name. */
export function printOf(paths) {
  const folders = new Set(paths.filter((path) => path.includes("/")).map((path) => path.slice(0, path.indexOf("/"))));
  if (folders.size > 0) return ["folders", ...Array.from(folders).sort()].join("/");
  const names = Array.from(paths).sort();
  return ["files", names.length, names[0], names.at(-1)].join("/");
}

/** Identifies an archive by its name, size and modification time. */
export function printOfArchive(file) {
  return ["archive", file.size, file.lastModified, file.name].join("/");
}

/** @returns {StoredUpload|null} */
export function recall(print) {
  return load(KEY)[print] ?? null;
}

/** @returns {[string, StoredUpload][]} All stored uploads with their fingerprints, newest first. */
export function recallAll() {
  return Object.entries(load(KEY));
}

/** @param {StoredUpload} entry */
export function remember(print, entry) {
  const newest = Object.entries({ ...load(KEY), [print]: entry }).sort(([, a], [, b]) => b.at - a.at);
  save(KEY, Object.fromEntries(newest.slice(0, MOST)));
}

/** Forget an upload, unless a newer one of the same name has replaced it. */
export function forget(print, jobId) {
  const { [print]: entry, ...others } = load(KEY);
  if (entry?.jobId === jobId) save(KEY, others);
}

/** Forget all of them, and the speed. */
export function forgetUploads() {
  try {
    for (const key of [KEY, PACE_KEY]) localStorage.removeItem(key);
  } catch {
    // Storage is disabled, so there is nothing to forget.
  }
}

/**
 * Store the speed of an upload. Many small files are slow in bytes per second, few large ones in files per second: the best of both is
 * kept, with decay.
 *
 * @param {{nBytes: number, nFiles: number, seconds: number}} sent
 */
export function notePace({ nBytes, nFiles, seconds }) {
  if (seconds < MIN_TELLING_S || nBytes === 0 || nFiles === 0) return;
  const before = lastPace() ?? { bytesPerS: 0, filesPerS: 0 };
  save(PACE_KEY, {
    bytesPerS: Math.max(nBytes / seconds, before.bytesPerS / 2),
    filesPerS: Math.max(nFiles / seconds, before.filesPerS / 2),
  });
}

/** @returns {UploadSpeed|null} */
export function lastPace() {
  const { bytesPerS, filesPerS } = load(PACE_KEY);
  return bytesPerS > 0 && filesPerS > 0 ? { bytesPerS, filesPerS } : null;
}

/** Storage may be disabled; then an upload can't be resumed after a reload. */
function load(key) {
  try {
    const value = JSON.parse(localStorage.getItem(key));
    return value !== null && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}

function save(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // Storage is full or disabled.
  }
}
