/**
 * Uploads that this browser has begun and not ended, kept over reloads and days. Only ids are kept: which files have arrived, the
 * server knows.
 *
 * @typedef {{uploadId: string, jobId: string, name: string, at: number}} Begun
 *   uploadId: of an archive the same as jobId. at: milliseconds since 1970.
 * @typedef {{bytesPerS: number, filesPerS: number}} PaceOfSending
 */

const KEY = "pawsort.uploads";
const PACE_KEY = "pawsort.pace";
/** Of smaller uploads most of the time is spent on asking. */
const MIN_TELLING_S = 1;
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
  return load(KEY)[print] ?? null;
}

/** @returns {[string, Begun][]} Everything that is remembered, newest first, with what it is known by. */
export function recallAll() {
  return Object.entries(load(KEY));
}

/** @param {Begun} begun */
export function remember(print, begun) {
  const newest = Object.entries({ ...load(KEY), [print]: begun }).sort(([, a], [, b]) => b.at - a.at);
  save(KEY, Object.fromEntries(newest.slice(0, MOST)));
}

/** Forget an upload, unless its place has been taken by a newer one of the same name. */
export function forget(print, jobId) {
  const { [print]: begun, ...others } = load(KEY);
  if (begun?.jobId === jobId) save(KEY, others);
}

/**
 * Note how fast an upload went. Many small files are slow in bytes, few large ones in files: the best of both is kept, and fades.
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

/** @returns {PaceOfSending|null} */
export function lastPace() {
  const { bytesPerS, filesPerS } = load(PACE_KEY);
  return bytesPerS > 0 && filesPerS > 0 ? { bytesPerS, filesPerS } : null;
}

/** A browser may refuse to keep anything; then an upload simply cannot be gone on with after a reload. */
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
    // Full, or not allowed.
  }
}
