/** The page of a job: keeps its numbers, title and pictures up to date. */

import { LiveParts, readPage } from "../shared/server/live.js";
import { ENDED, watchJob } from "../shared/server/poll.js";
import { plural } from "../shared/text/words.js";
import { viewGrid } from "../viewer/grid_source.js";
import { DoneNotice } from "./done_notice.js";
import { Filter } from "./filter/filter.js";
import { Grid } from "./grid/grid.js";
import { Place } from "./filter/place.js";
import { SelectionBar } from "./selection/selection_bar.js";
import { Threshold } from "./threshold.js";
import { measureStrip, openTools } from "./tools.js";
import { STATE_WORDS, percentDone, progressShort, showJob, sortedCount } from "./job_view.js";

/** The shortest interval for parts that only the server renders, such as the histogram. */
const REDRAW_MS = 5000;

const root = document.querySelector("[data-job]");
const announce = root.querySelector('[data-field="announce"]');
const lost = root.querySelector('[data-field="lost"]');
const titleEnd = document.title.replace(/^[\d,]+ (%|sorted) · /, "");
const hasGrid = document.querySelector("[data-grid]") !== null;
const grid = new Grid({
  whyEmpty: () => (filter.isActive ? "filter" : ENDED.has(root.dataset.state) ? "nothing" : "waiting"),
  expectedN: () => (filter.scope === countedScope && ENDED.has(root.dataset.state) ? shownCount() : 0),
});
const threshold = new Threshold({ root, onMoved: () => grid.reload(), scope: () => filter?.scope ?? "" });
const selectionBar = new SelectionBar({ job: root.dataset.job, grid, threshold: () => threshold.share });
viewGrid(grid);
const parts = new LiveParts(root);
const notice = new DoneNotice(titleEnd);
/** What the counts in the strip are of. */
let countedScope = null;
let showsFolders = new URLSearchParams(location.search).has("folders");
let seen = null;
let drawnAt = performance.now();

measureStrip();
openTools();
const filter = hasGrid ? openFilter() : null;
selectionBar.ended(ENDED.has(root.dataset.state));

if (!ENDED.has(root.dataset.state)) {
  watchJob(`/api/v1/jobs/${root.dataset.job}`, {
    onJob: show,
    onLost: showLost,
    onGone: () => location.reload(),
  });
}

document.addEventListener("labels:changed", () => {
  if (new URLSearchParams(filter?.scope).has("said")) recount();
});

document.querySelector("[data-tools]").addEventListener("click", (event) => {
  if (!event.target.closest("[data-show-folders]")) return;
  event.preventDefault();
  showsFolders = true;
  redraw();
});

/** The filter and the grid, at the place where the reader was. */
function openFilter() {
  const place = new Place(root.dataset.job, grid);
  const query = new URL(document.querySelector("[data-grid]").dataset.results, location.href).search.slice(1);
  const opened = new Filter(query, {
    onLeave: () => place.save(opened.entry, opened.query),
    onChange() {
      selectionBar.clear();
      grid.show(opened.query, place.recall(opened.entry));
      const isOther = opened.scope !== scope;
      scope = opened.scope;
      if (isOther) recount();
    },
  });
  let { scope } = opened;
  countedScope = scope;
  grid.show(query, place.recallOpened(opened.entry, query));
  addEventListener("pagehide", () => place.save(opened.entry, opened.query));
  return opened;
}

function show(job) {
  const hasEnded = ENDED.has(job.state);
  lost.hidden = true;
  showJob(root, job, { hasCounts: (filter?.scope ?? location.search) === "" });
  if (!hasEnded) {
    document.title = `${progressShort(job)} · ${titleEnd}`;
    notice.offer();
  }
  say(job, hasEnded);
  selectionBar.ended(hasEnded);
  if (seen === null || sortedCount(job) !== sortedCount(seen) || hasEnded) {
    threshold.forget();
    grid.results(hasEnded);
    if (hasEnded || performance.now() - drawnAt > REDRAW_MS) redraw();
  }
  seen = job;
}

/** The count of the label that the filter shows. */
function shownCount() {
  return Number(root.querySelector(".tally [aria-current] .tally__n")?.textContent.replaceAll(",", "") ?? 0);
}

/** The server does not respond: what was known about the speed and the time left does not hold. */
function showLost() {
  lost.hidden = false;
  root.querySelector('[data-field="progress-side"]').textContent = "";
}

/** The counts are of other pictures now. */
function recount() {
  threshold.forget();
  redraw();
}

async function redraw() {
  drawnAt = performance.now();
  const shown = filter?.address ?? location.href;
  const address = new URL(shown, location.href);
  if (showsFolders) address.searchParams.set("folders", "1");
  try {
    const { page } = await readPage(await fetch(address));
    if ((filter?.address ?? location.href) !== shown) return; // a newer request is under way
    parts.takeOver(page);
    filter?.refreshLinks();
    countedScope = filter?.scope ?? null;
  } catch {
    // Keep the page as it is until the next time.
  }
}

/** Announce the start, each quarter and the end to screen readers. */
function say(job, hasEnded) {
  const quarter = (state) => (state === null || state.state === "receiving" ? -1 : Math.floor(percentDone(state) / 25));
  if (hasEnded) {
    announce.textContent = `${STATE_WORDS[job.state]}. Sorted ${plural(sortedCount(job), "file")}, ${job.counts.failed} failed.`;
    notice.show(announce.textContent);
  } else if (quarter(job) !== quarter(seen)) announce.textContent = `${percentDone(job)} percent sorted.`;
}
