/**
 * Measures the speed of the connection with some bytes that the server discards, before the first upload from this browser.
 */

import { unsafeHeaders } from "../../shared/server/http.js";

const FIRST_BYTES = 2 ** 16;
const MOST_BYTES = 2 ** 22;
const STEP = 8;
/** A piece that took this long is enough for an estimate. */
const TELLING_S = 0.4;
/** The test sends at most a twentieth of the upload. */
const SHARE = 20;
/** The approximate speed for small files on any connection. */
const FILES_PER_S = 800;
const PATIENCE_MS = 20000;

/**
 * @param {number} nBytes The size of the upload.
 * @returns {Promise<import("../resume/storage.js").UploadSpeed|null>} null if the server refused.
 */
export async function tryConnection(nBytes) {
  const most = Math.min(MOST_BYTES, nBytes / SHARE);
  let bytesPerS = 0;
  for (let size = FIRST_BYTES; ; size *= STEP) {
    const seconds = await timeOf(size);
    if (seconds === null) break;
    bytesPerS = size / seconds;
    if (seconds >= TELLING_S || size * STEP > most) break;
  }
  return bytesPerS > 0 ? { bytesPerS, filesPerS: FILES_PER_S } : null;
}

async function timeOf(size) {
  const body = new Blob([noise(size)]);
  const startedAt = performance.now();
  try {
    const options = { method: "POST", headers: unsafeHeaders(), body, signal: AbortSignal.timeout(PATIENCE_MS) };
    const answer = await fetch("/trial", options);
    return answer.ok ? Math.max(performance.now() - startedAt, 1) / 1000 : null;
  } catch {
    return null;
  }
}

/** Random bytes, which can't be compressed on the way. */
function noise(size) {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += FIRST_BYTES) crypto.getRandomValues(bytes.subarray(at, at + FIRST_BYTES));
  return bytes;
}
