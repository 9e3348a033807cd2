/** The job page: keeps its numbers, its title and its pictures up to date. */

import { foldOnPhones } from "../shared/fold.js";
import { LiveParts, readPage } from "../shared/live.js";
import { ENDED, watchJob } from "../shared/poll.js";
import { plural } from "../shared/words.js";
import { Choose } from "./selection_bar.js";
import { Grid } from "./grid.js";
import { Threshold } from "./threshold.js";
import { STATE_WORDS, percentDone, showJob, sortedCount } from "./job_view.js";

/** What only the server draws (the histogram, what can be done next) follows a job under way no more often than this. */
const REDRAW_MS = 5000;

const root = document.querySelector("[data-job]");
const announce = root.querySelector('[data-field="announce"]');
const lost = root.querySelector('[data-field="lost"]');
const titleEnd = document.title.replace(/^\d+ % · /, "");
const grid = new Grid();
const threshold = new Threshold({ root, onMoved: () => grid.reload() });
const choose = new Choose({ job: root.dataset.job, grid, threshold: () => threshold.share });
const parts = new LiveParts(document.querySelector("main"));
let seen = null;
let drawnAt = performance.now();

choose.ended(ENDED.has(root.dataset.state));

if (!ENDED.has(root.dataset.state)) {
  watchJob(`/api/v1/jobs/${root.dataset.job}`, {
    onJob: show,
    onLost: () => (lost.hidden = false),
    onGone: () => location.reload(),
  });
}

const filter = document.querySelector("[data-filter]");
if (filter) foldOnPhones(filter);
// Chosen before this script was there: it counts as well.
const isChosen = (select) => !select.selectedOptions[0]?.defaultSelected;
if (filter && Array.from(filter.querySelectorAll("select")).some(isChosen)) queueMicrotask(() => filter.requestSubmit());
filter?.addEventListener("change", (event) => event.target.matches("select") && filter.requestSubmit());
filter?.addEventListener("submit", () => {
  // Fields left empty do not belong in an address that is sent to someone.
  for (const field of filter.elements) field.disabled ||= field.value === "" || field.value === "order";
});
// Coming back with the browser's button shows the page as it was left: with fields switched off.
addEventListener("pageshow", () => Array.from(filter?.elements ?? []).forEach((field) => (field.disabled = false)));

function show(job) {
  const hasEnded = ENDED.has(job.state);
  lost.hidden = true;
  showJob(root, job);
  document.title = hasEnded ? titleEnd : `${percentDone(job)} % · ${titleEnd}`;
  say(job, hasEnded);
  choose.ended(hasEnded);
  if (seen === null || sortedCount(job) !== sortedCount(seen) || hasEnded) {
    threshold.forget();
    grid.results(hasEnded);
    if (hasEnded || performance.now() - drawnAt > REDRAW_MS) redraw();
  }
  seen = job;
}

async function redraw() {
  drawnAt = performance.now();
  try {
    const { page } = await readPage(await fetch(location.href));
    parts.takeOver(page);
  } catch {
    // What is there stays as it is until the next time.
  }
}

/** Screen readers hear the beginning, each quarter and the end, not every picture. */
function say(job, hasEnded) {
  const quarter = (state) => (state === null ? -1 : Math.floor(percentDone(state) / 25));
  if (hasEnded) announce.textContent = `${STATE_WORDS[job.state]}. ${plural(sortedCount(job), "file")} sorted, ${job.counts.failed} failed.`;
  else if (quarter(job) !== quarter(seen)) announce.textContent = `${percentDone(job)} percent sorted.`;
}
