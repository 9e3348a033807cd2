/** A fixed number of slots, shared by all uploads of a page, so that connections stay free for polls and pictures. */
export class Slots {
  #free;
  #waiting = [];

  /** @param {number} n */
  constructor(n) {
    this.size = n;
    this.#free = n;
  }

  /**
   * Run the work as soon as a slot is free.
   *
   * @param {() => Promise<T>} work
   * @returns {Promise<T>}
   * @template T
   */
  async run(work) {
    if (this.#free > 0) this.#free -= 1;
    else await new Promise((resolve) => this.#waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free += 1;
    }
  }
}
