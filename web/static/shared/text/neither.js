/** "Probably neither": the model is unsure because a picture probably shows none of the classes. As core/jobs/confidence.py. */

import { label as word, percent } from "./words.js";

/**
 * @param {{label: string|null, probabilities: Record<string, number>|null}} result From the API.
 * @returns {number|null} The probability of neither; null for all other pictures.
 */
export function probablyNeither({ label, probabilities }) {
  if (label !== "unsure" || probabilities === null) return null;
  const share = neitherOf(probabilities);
  return Math.round(share * 1e6) > 500000 ? share : null;
}

/** Each probability in words, such as "Cat 12 %". @param {Record<string, number>|null} probabilities From the API. */
export function sharesOf(probabilities) {
  if (probabilities === null) return [];
  const neither = neitherOf(probabilities);
  const all = Object.entries(probabilities).concat(neither < 0.005 ? [] : [["neither", neither]]);
  return all.map(([name, share]) => `${word(name)} ${percent(share)}`);
}

function neitherOf(probabilities) {
  return 1 - Object.values(probabilities).reduce((sum, p) => sum + p, 0);
}
