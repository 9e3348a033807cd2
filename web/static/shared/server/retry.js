/** Retries with growing, randomised delays, so that many pages do not retry at the same time. */

const FIRST_MS = 500;
const LONGEST_MS = 15000;
/** Status 500 may be permanent, so retries are limited. A lost connection is retried as long as the page is open. */
const MOST_SERVER_FAULTS = 8;

/**
 * @param {number} n The number of earlier failures.
 * @param {() => number} random In [0, 1).
 */
export function backoffMs(n, random = Math.random) {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** n) * (0.5 + random() / 2);
}

/**
 * Call until it succeeds or fails permanently.
 *
 * @param {(n: number) => Promise<T>} attempt
 * @param {{signal: AbortSignal, onWait: (ms: number, error: Error) => void, onGo: () => void}} options
 * @returns {Promise<T>}
 * @template T
 */
export async function withRetries(attempt, { signal, onWait, onGo }) {
  let serverFaults = 0;
  for (let n = 0; ; n += 1) {
    try {
      const result = await attempt(n);
      if (n > 0) onGo();
      return result;
    } catch (error) {
      serverFaults += error.status === 500 ? 1 : 0;
      if (signal.aborted || !error.isPassing || serverFaults >= MOST_SERVER_FAULTS) throw error;
      const ms = Math.max(error.retryAfterMs, backoffMs(n));
      onWait(ms, error);
      await pause(ms, signal);
    }
  }
}

/** Wait, or until the browser is online again. Rejects if the signal fires. */
export function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const end = (finish) => () => {
      clearTimeout(timer);
      removeEventListener("online", wake);
      signal?.removeEventListener("abort", stop);
      finish();
    };
    const wake = end(resolve);
    const stop = end(() => reject(signal.reason));
    const timer = setTimeout(wake, ms);
    addEventListener("online", wake);
    signal?.addEventListener("abort", stop);
    if (signal?.aborted) stop();
  });
}
