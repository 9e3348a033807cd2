/** Polls a job: often while it changes, less often otherwise, rarely while the page is hidden, and never after the job has ended. */

const FASTEST_MS = 1000;
const SLOWEST_MS = 3000;
const HIDDEN_MS = 15000;
/** A server that takes longer is not responding. */
const PATIENCE_MS = 8000;
const GROWTH = 1.5;
export const ENDED = new Set(["done", "cancelled", "failed"]);

/**
 * @param {string} url The job's address in the API.
 * @param {{onJob: (job: object) => void, onLost?: () => void, onGone?: () => void, isPatient?: boolean,
 *   read?: (answer: Response) => Promise<{state: string}>}} on
 *   onJob: the job has changed. onLost: the server did not respond; polling continues. onGone: the job no longer exists.
 *   isPatient: the job may not exist yet. read: reads the response for onJob; default: its JSON.
 * @returns {() => void} Stops polling.
 */
export function watchJob(url, { onJob, onLost = () => {}, onGone = () => {}, isPatient = false, read = (answer) => answer.json() }) {
  let tag = "";
  let delay = FASTEST_MS;
  let timer = 0;
  let isOver = false;
  let isAsking = false;

  const stop = () => {
    isOver = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", look);
  };
  const plan = () => {
    clearTimeout(timer);
    if (!isOver) timer = setTimeout(ask, document.hidden ? HIDDEN_MS : delay);
  };
  const look = () => {
    delay = FASTEST_MS;
    if (document.hidden) plan();
    else ask();
  };
  const slower = () => {
    delay = Math.min(SLOWEST_MS, delay * GROWTH);
  };

  async function ask() {
    if (isOver || isAsking) return;
    isAsking = true;
    try {
      // With our own ETag: the browser's cache would turn a 304 into a 200 and hide that nothing has changed.
      const headers = { Accept: "application/json", ...(tag === "" ? {} : { "If-None-Match": tag }) };
      const answer = await fetch(url, { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!isOver) await take(answer);
    } catch {
      slower();
      if (!isOver) onLost();
    } finally {
      isAsking = false;
      plan();
    }
  }

  async function take(answer) {
    const isGone = answer.status === 410 || (answer.status === 404 && !isPatient);
    if (answer.status === 200) {
      const job = await read(answer);
      tag = answer.headers.get("ETag") ?? "";
      delay = FASTEST_MS;
      if (ENDED.has(job.state)) stop();
      onJob(job);
    } else if (isGone) {
      stop();
      onGone();
    } else if (answer.status !== 404) {
      slower();
      if (answer.status !== 304) onLost();
    }
  }

  document.addEventListener("visibilitychange", look);
  plan();
  return stop;
}
