/** The steps that can be undone, also after a reload. */

const MOST = 500;

export class UndoSteps {
  #name;
  #steps;

  /** @param {string} name Of the review; each job has its own steps. */
  constructor(name) {
    this.#name = `pawsort-steps:${name}`;
    this.#steps = this.#read();
  }

  get size() {
    return this.#steps.length;
  }

  /** The last step, without removing it; undefined if there is none. */
  get last() {
    return this.#steps.at(-1);
  }

  /** @param {{picture: object, key: string, label: string}} step `key` is the key of the label; "" for a skipped picture. */
  push(step) {
    this.#steps = [...this.#steps, step].slice(-MOST);
    this.#write();
  }

  /** Remove and return the last step; undefined if there is none. */
  pop() {
    const step = this.#steps.at(-1);
    this.#steps = this.#steps.slice(0, -1);
    this.#write();
    return step;
  }

  #read() {
    try {
      const steps = JSON.parse(sessionStorage.getItem(this.#name) ?? "[]");
      return Array.isArray(steps) ? steps : [];
    } catch {
      return [];
    }
  }

  #write() {
    try {
      sessionStorage.setItem(this.#name, JSON.stringify(this.#steps));
    } catch {
      // Storage is not available: after a reload there is no undo. The labels themselves are saved.
    }
  }
}
