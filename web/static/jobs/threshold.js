/** The threshold over the histogram: counts follow while it is dragged; releasing it saves it. */

import { callJson } from "../shared/server/http.js";
import { count } from "../shared/text/words.js";

const UNSURE = "unsure";
const REST_MS = 700;

export class Threshold {
  #root = document.querySelector("[data-sure]");
  #job = null;
  #scope;
  #bins = null;
  #neither = null;
  #kept = 0;
  #timer = 0;

  /**
   * @param {{root: Element, onMoved: () => void, scope: () => string}} options root: the element with data-job. onMoved: it was saved.
   *   scope: what the counts are of, as a query.
   */
  constructor({ root, onMoved, scope }) {
    this.#job = root;
    this.#scope = scope;
    if (this.#root === null) return;
    this.onMoved = onMoved;
    this.slider = this.#root.querySelector("input[type=range]");
    this.#kept = Number(this.slider.value);
    this.#root.querySelector("[data-without-script]").hidden = true;
    this.slider.addEventListener("input", () => this.#show());
    this.slider.addEventListener("change", () => this.#keep());
    this.slider.addEventListener("pointerdown", () => this.#load());
    this.slider.addEventListener("focus", () => this.#load());
  }

  /** After new results, or under another filter: load the bins again when they are needed. */
  forget() {
    this.#bins = null;
  }

  /** The saved threshold, from 0 to 1. */
  get share() {
    return Math.round(this.#kept * 10) / 1000;
  }

  async #load() {
    if (this.#bins !== null) return;
    const scope = this.#scope();
    const { bins, neither } = await callJson("GET", `/api/v1/jobs/${this.#job.dataset.job}/histogram?${scope}`);
    if (scope !== this.#scope()) return;
    this.#neither = atLeast(neither);
    this.#bins = Object.fromEntries(Object.entries(bins).map(([name, some]) => [name, atLeast(some)]));
    this.#show();
  }

  #show() {
    const percent = Number(this.slider.value);
    const line = this.#root.querySelector("[data-line]");
    line.setAttribute("x1", String(percent * 10));
    line.setAttribute("x2", String(percent * 10));
    this.#root.querySelector("[data-output]").textContent = `Threshold ${percent.toFixed(1)} %`;
    if (this.#bins === null) return;
    const thousandth = Math.round(percent * 10);
    const probably_neither = this.#neither[0] - this.#neither[thousandth];
    for (const [name, n] of Object.entries({ ...countsAt(this.#bins, thousandth), probably_neither })) {
      const element = this.#job.querySelector(`[data-count="${CSS.escape(name)}"]`);
      if (element) element.textContent = count(n);
    }
  }

  async #keep() {
    const threshold = Math.round(Number(this.slider.value) * 10) / 1000;
    const said = this.#root.querySelector("[data-said]");
    try {
      await callJson("PATCH", `/api/v1/jobs/${this.#job.dataset.job}`, { threshold });
      this.#kept = Number(this.slider.value);
      this.#sayLater();
      this.onMoved();
    } catch (error) {
      this.slider.value = String(this.#kept);
      this.#show();
      said.textContent = error.message;
    }
  }

  /** Arrow keys save each step, so the result is announced after a pause. */
  #sayLater() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      const counts = Array.from(this.#job.querySelectorAll(".tally [data-label] .tally__n"), (element) => {
        const name = element.closest("[data-label]").dataset.label;
        if (name === "neither") return element.closest("[hidden]") ? null : `${element.textContent} of them probably neither`;
        return name === "failed" ? null : `${element.textContent} ${name}`;
      });
      const words = counts.filter((one) => one !== null).join(", ");
      this.#root.querySelector("[data-said]").textContent = `The threshold is now ${this.#kept.toFixed(1)} percent: ${words}.`;
    }, REST_MS);
  }
}

/** For each thousandth, the number of results with at least that confidence. */
function atLeast(bins) {
  const sums = new Float64Array(1002);
  for (const [thousandth, n] of bins) sums[thousandth] = n;
  for (let i = 1000; i >= 0; i -= 1) sums[i] += sums[i + 1];
  return sums;
}

/** Counts by label at a threshold in thousandths. */
export function countsAt(sums, thousandth) {
  const counts = Object.fromEntries(Object.entries(sums).map(([name, some]) => [name, some[thousandth]]));
  const unsure = Object.values(sums).reduce((sum, some) => sum + some[0] - some[thousandth], 0);
  return { ...counts, [UNSURE]: unsure };
}
