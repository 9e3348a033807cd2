/** The list of jobs: keeps the rows of active jobs up to date. */

import { showJob } from "./job_view.js";
import { keepLive } from "../shared/server/live.js";
import { ENDED, watchJob } from "../shared/server/poll.js";
import { openFilter } from "./list_filter.js";
import { openSelection } from "./list_selection.js";

/** Each costs a request per second, so only the newest few are polled. */
const MOST_WATCHED = 6;

const filter = document.querySelector("[data-job-filter]");
if (filter) openFilter(filter);
const selected = document.querySelector("[data-selected-jobs]");
if (selected) openSelection(selected);

for (const row of Array.from(document.querySelectorAll("[data-jobs] > [data-job]")).filter(isActive).slice(0, MOST_WATCHED)) {
  const onGone = () => row.remove();
  if (row.dataset.page) keepLive(row, row.dataset.page, { onGone });
  else watchJob(`/api/v1/jobs/${row.dataset.job}`, { onJob: (job) => show(row, job), onGone });
}

function show(row, job) {
  showJob(row, job);
  for (const field of ["bar", "progress"]) row.querySelector(`[data-field="${field}"]`).hidden = ENDED.has(job.state);
}

function isActive(row) {
  return !ENDED.has(row.dataset.state);
}
