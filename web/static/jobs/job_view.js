/** A job's numbers on any page: writes them into the elements with data-field, data-count and data-when. */

import { count, duration, percentOf, plural, rate } from "../shared/text/words.js";
import { ENDED } from "../shared/server/poll.js";

export const STATE_WORDS = {
  receiving: "Receiving",
  queued: "Waiting",
  running: "Sorting",
  done: "Done",
  cancelled: "Stopped",
  failed: "Failed",
};

/** The number of files with a result, good or failed. */
export function sortedCount(job) {
  return job.counts.done + job.counts.failed;
}

/** The sorted share of the uploaded files, in whole percent. */
export function percentDone(job) {
  return percentOf(sortedCount(job), job.counts.total);
}

/** The progress in the title; while files arrive, a percentage of them would go back. */
export function progressShort(job) {
  return job.state === "receiving" ? `${count(sortedCount(job))} sorted` : `${percentDone(job)} %`;
}

/** The progress in words; web/pages/jobs/job_view.py does the same. */
export function progressText(job) {
  const { total } = job.counts;
  if (job.state === "done") return `Sorted ${plural(sortedCount(job), "file")}`;
  if (job.state === "receiving" && total === 0) return "Waiting for the first pictures";
  const uploaded = job.state === "receiving" ? "uploaded " : "";
  return `Sorted ${count(sortedCount(job))} of ${count(total)} ${uploaded}${total === 1 ? "file" : "files"}`;
}

/** Whether there is work, and no worker for it. */
export function isStalled(job) {
  return job.workers === 0 && !job.paused && !ENDED.has(job.state) && sortedCount(job) < job.counts.total;
}

/** The speed and the time left. */
export function progressSide(job) {
  if (job.paused) return job.paused === "job" ? "" : "All sorting is paused";
  if (isStalled(job)) return "No worker is running";
  if (job.state === "queued") return "Waiting for a free worker";
  const words = job.images_per_s && sortedCount(job) > 0 ? [rate(job.images_per_s)] : [];
  if (job.state === "running" && job.eta_s !== null) words.push(`${duration(job.eta_s)} left`);
  return words.join(" · ");
}

/** Whether a retry would do anything. */
export function canRetry(job) {
  return ENDED.has(job.state) && job.originals_discarded_at === null && (job.counts.failed > 0 || job.state !== "done");
}

/**
 * Update an element that shows a job.
 *
 * @param {Element} root The element with data-job.
 * @param {object} job From the API.
 * @param {{hasCounts?: boolean}} options hasCounts: the element shows the counts of the whole job.
 */
export function showJob(root, job, { hasCounts = true } = {}) {
  root.dataset.state = job.state;
  each(root, "state", (chip) => {
    chip.dataset.state = job.paused ? "paused" : job.state;
    chip.textContent = job.paused ? "Paused" : (STATE_WORDS[job.state] ?? job.state);
  });
  each(root, "bar", (bar) => {
    bar.max = job.counts.total || 1;
    bar.value = sortedCount(job);
    bar.hidden = job.state === "done" || job.state === "receiving";
  });
  each(root, "progress-text", (element) => (element.textContent = progressText(job)));
  each(root, "progress-side", (element) => (element.textContent = progressSide(job)));
  each(root, "stalled", (element) => (element.hidden = !isStalled(job)));
  each(root, "error", (element) => {
    element.textContent = job.error ?? "";
    element.hidden = !job.error;
  });
  for (const element of root.querySelectorAll("[data-when]")) {
    element.hidden = !SHOWN[element.dataset.when](job);
  }
  if (hasCounts) showCounts(root, job);
}

function showCounts(root, job) {
  const { by_label, probably_neither, failed } = job.counts;
  for (const [name, n] of Object.entries({ ...by_label, probably_neither, failed, sorted: sortedCount(job) })) {
    const element = root.querySelector(`[data-count="${CSS.escape(name)}"]`);
    if (element === null) continue;
    element.textContent = count(n);
    const optional = element.closest("[data-unless-zero]");
    if (optional) optional.hidden = n === 0;
  }
  showShares(root, job);
}

/** When an element with data-when is shown. */
const SHOWN = {
  active: (job) => !ENDED.has(job.state),
  pausable: (job) => !ENDED.has(job.state) && !job.paused,
  paused: (job) => job.paused === "job",
  receiving: (job) => job.state === "receiving",
  retry: canRetry,
  resume: (job) => canRetry(job) && job.state !== "done",
  "retry-failed": (job) => canRetry(job) && job.state === "done",
};

function showShares(root, job) {
  const total = sortedCount(job);
  const counts = { ...job.counts.by_label, failed: job.counts.failed };
  let x = 0;
  for (const rect of root.querySelectorAll(".split rect")) {
    const width = total > 0 ? (100 * (counts[rect.dataset.label] ?? 0)) / total : 0;
    rect.setAttribute("x", `${x.toFixed(3)}%`);
    rect.setAttribute("width", `${width.toFixed(3)}%`);
    x += width;
  }
}

function each(root, field, change) {
  const element = root.querySelector(`[data-field="${field}"]`);
  if (element) change(element);
}
