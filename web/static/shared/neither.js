/** "Probably neither": the model is unsure because a picture probably shows none of the classes. As core/jobs/confidence.py. */

/**
 * @param {{label: string|null, probabilities: Record<string, number>|null}} result From the API.
 * @returns {number|null} The probability of neither; null for all other pictures.
 */
export function probablyNeither({ label, probabilities }) {
  if (label !== "unsure" || probabilities === null) return null;
  const share = 1 - Object.values(probabilities).reduce((sum, p) => sum + p, 0);
  return Math.round(share * 1e6) > 500000 ? share : null;
}
