/** On the job's page: how many pictures people have looked at, counted only after the page is there. */

import { callJson } from "../../shared/http.js";
import { count, plural } from "../../shared/words.js";

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
    const other = state.n_other === 0 ? "" : `, and call ${count(state.n_other)} otherwise than the model`;
    words.textContent =
      `People have labelled ${count(state.n_reviewed)} of ${plural(state.n_good, "picture")}${other}. ` +
      "They begin with the doubtful ones, so this does not say how often the model is right.";
  } catch {
    // The page is complete without it.
  }
}
