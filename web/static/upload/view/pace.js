/** The speed over the last seconds. */

const WINDOW_MS = 8000;
const STEP_MS = 250;

export class Pace {
  #samples = [];

  /**
   * @param {number} amount The current amount.
   * @param {boolean} isMoving False resets the speed, because a pause is not slowness.
   * @param {number} now Milliseconds.
   */
  add(amount, isMoving, now = performance.now()) {
    if (!isMoving) {
      this.#samples = [];
      return;
    }
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.at < STEP_MS) return;
    this.#samples.push({ at: now, amount });
    while (now - this.#samples[0].at > WINDOW_MS) this.#samples.shift();
  }

  /** Units per second; 0 before the second sample. */
  perSecond() {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last.at === first.at) return 0;
    return Math.max(0, (1000 * (last.amount - first.amount)) / (last.at - first.at));
  }
}
