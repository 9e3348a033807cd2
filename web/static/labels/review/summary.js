/** The review progress on the page of a job, counted after the page is loaded. */

import { callJson } from "../../shared/server/http.js";
import { count, plural } from "../../shared/text/words.js";

const summary = document.querySelector("[data-review-summary]");
if (summary !== null) {
  show(summary);
  document.addEventListener("labels:changed", () => show(summary));
}

async function show(element) {
  const words = element.querySelector('[data-field="review-counts"]');
  try {
    const state = await callJson("GET", `/api/v1/jobs/${element.dataset.reviewSummary}/review`);
    words.hidden = state.n_reviewed === 0;
    const other = state.n_other === 0 ? "" : `, ${count(state.n_other)} of them differently from the model`;
    words.textContent =
      `People have labelled ${count(state.n_reviewed)} of ${plural(state.n_good, "picture")}${other}. ` +
      "Pictures of low confidence come first, so this is not the error rate.";
  } catch {
    // The page is complete without it.
  }
}
