/** A PUT of a Blob with progress. It uses XMLHttpRequest, because fetch does not report upload progress. */

import { errorFrom, noAnswer, parsed, unsafeHeaders } from "../../shared/server/http.js";

/** After this time without progress, the connection counts as lost. */
const STALL_MS = 60000;
/** The response may take longer: the server may still be unpacking an archive. */
const ANSWER_MS = 300000;

/**
 * @param {string} url
 * @param {Blob} blob
 * @param {{onProgress: (bytes: number) => void, signal: AbortSignal}} options
 * @returns {Promise<{status: number, body: object}>}
 * @throws {CallError} Status 0 without a response.
 */
export function putBlob(url, blob, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let timer = 0;
    const abort = () => request.abort();
    const watch = (ms) => {
      clearTimeout(timer);
      timer = setTimeout(abort, ms);
    };
    const end = (finish) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", abort);
      finish();
    };
    if (signal.aborted) return reject(signal.reason);
    request.open("PUT", url);
    for (const [name, value] of Object.entries(unsafeHeaders())) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => {
      watch(STALL_MS);
      onProgress(Math.min(event.loaded, blob.size));
    });
    request.upload.addEventListener("load", () => watch(ANSWER_MS));
    request.addEventListener("load", () => end(() => settle(request, resolve, reject)));
    request.addEventListener("error", () => end(() => reject(noAnswer())));
    request.addEventListener("abort", () => end(() => reject(signal.aborted ? signal.reason : noAnswer())));
    signal.addEventListener("abort", abort);
    watch(STALL_MS);
    request.send(blob);
  });
}

function settle(request, resolve, reject) {
  if (request.status >= 200 && request.status < 300) {
    resolve({ status: request.status, body: parsed(request.responseText) });
  } else {
    reject(errorFrom(request.status, request.responseText, request.getResponseHeader("Retry-After")));
  }
}
