/** The page of a job: keeps its numbers, title and pictures up to date. */

import { foldOnPhones } from "../shared/fold.js";
import { LiveParts, readPage } from "../shared/live.js";
import { ENDED, watchJob } from "../shared/poll.js";
import { plural } from "../shared/words.js";
import { SelectionBar } from "./selection/selection_bar.js";
import { Grid } from "./grid.js";
import { Threshold } from "./threshold.js";
import { viewGrid } from "../viewer/grid_source.js";
import { STATE_WORDS, percentDone, showJob, sortedCount } from "./job_view.js";

/** The shortest interval for parts that only the server renders, such as the histogram. */
const REDRAW_MS = 5000;

const root = document.querySelector("[data-job]");
const announce = root.querySelector('[data-field="announce"]');
const lost = root.querySelector('[data-field="lost"]');
const titleEnd = document.title.replace(/^\d+ % · /, "");
const grid = new Grid();
const threshold = new Threshold({ root, onMoved: () => grid.reload() });
const selectionBar = new SelectionBar({ job: root.dataset.job, grid, threshold: () => threshold.share });
viewGrid(grid);
const parts = new LiveParts(document.querySelector("main"));
let seen = null;
let drawnAt = performance.now();

selectionBar.ended(ENDED.has(root.dataset.state));

if (!ENDED.has(root.dataset.state)) {
  watchJob(`/api/v1/jobs/${root.dataset.job}`, {
    onJob: show,
    onLost: () => (lost.hidden = false),
    onGone: () => location.reload(),
  });
}

const filter = document.querySelector("[data-filter]");
if (filter) foldOnPhones(filter);
// Fields that were changed before this script was loaded.
const isChanged = (select) => !select.selectedOptions[0]?.defaultSelected;
if (filter && Array.from(filter.querySelectorAll("select")).some(isChanged)) queueMicrotask(() => filter.requestSubmit());
filter?.addEventListener("change", (event) => event.target.matches("select") && filter.requestSubmit());
filter?.addEventListener("submit", () => {
  // Keep empty fields out of the address, which users may share.
  for (const field of filter.elements) field.disabled ||= field.value === "" || field.value === "order";
});
// The browser's Back button may restore this page with disabled fields.
addEventListener("pageshow", () => Array.from(filter?.elements ?? []).forEach((field) => (field.disabled = false)));

function show(job) {
  const hasEnded = ENDED.has(job.state);
  lost.hidden = true;
  showJob(root, job);
  document.title = hasEnded ? titleEnd : `${percentDone(job)} % · ${titleEnd}`;
  say(job, hasEnded);
  selectionBar.ended(hasEnded);
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
    // Keep the page as it is until the next time.
  }
}

/** Announce the start, each quarter and the end to screen readers. */
function say(job, hasEnded) {
  const quarter = (state) => (state === null ? -1 : Math.floor(percentDone(state) / 25));
  if (hasEnded) announce.textContent = `${STATE_WORDS[job.state]}. Sorted ${plural(sortedCount(job), "file")}, ${job.counts.failed} failed.`;
  else if (quarter(job) !== quarter(seen)) announce.textContent = `${percentDone(job)} percent sorted.`;
}
