/**
 * How fast this connection is, tried with bytes that nobody keeps: for the first time somebody sends anything from this browser, when
 * no earlier upload tells.
 */

import { unsafeHeaders } from "../../shared/http.js";

const FIRST_BYTES = 2 ** 16;
const MOST_BYTES = 2 ** 22;
const STEP = 8;
/** A piece that was so long on its way tells enough. */
const TELLING_S = 0.4;
/** A trial is no burden: it costs a twentieth of what is to be sent. */
const SHARE = 20;
/** A small file costs the browser and the server about so much, whatever the connection. */
const FILES_PER_S = 800;
const PATIENCE_MS = 20000;

/**
 * @param {number} nBytes How much is to be sent.
 * @returns {Promise<import("../resume/storage.js").PaceOfSending|null>} null when the server did not take it.
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
  const begun = performance.now();
  try {
    const options = { method: "POST", headers: unsafeHeaders(), body, signal: AbortSignal.timeout(PATIENCE_MS) };
    const answer = await fetch("/trial", options);
    return answer.ok ? Math.max(performance.now() - begun, 1) / 1000 : null;
  } catch {
    return null;
  }
}

/** Bytes that nobody on the way can make fewer. */
function noise(size) {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += FIRST_BYTES) crypto.getRandomValues(bytes.subarray(at, at + FIRST_BYTES));
  return bytes;
}
