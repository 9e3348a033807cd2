/** What was done, so that it can be undone to any depth, after a reload as well. */

const MOST = 500;

export class Steps {
  #name;
  #taken;

  /** @param {string} name Of the review: that of another job has steps of its own. */
  constructor(name) {
    this.#name = `pawsort-steps:${name}`;
    this.#taken = this.#read();
  }

  get size() {
    return this.#taken.length;
  }

  /** The last step, which stays; undefined when there is none. */
  get last() {
    return this.#taken.at(-1);
  }

  /** @param {{picture: object, key: string, label: string}} step `key` is the label's; "" for a picture that was skipped. */
  push(step) {
    this.#taken = [...this.#taken, step].slice(-MOST);
    this.#write();
  }

  /** The last step, which is none from now on; undefined when there is none. */
  pop() {
    const step = this.#taken.at(-1);
    this.#taken = this.#taken.slice(0, -1);
    this.#write();
    return step;
  }

  #read() {
    try {
      const taken = JSON.parse(sessionStorage.getItem(this.#name) ?? "[]");
      return Array.isArray(taken) ? taken : [];
    } catch {
      return [];
    }
  }

  #write() {
    try {
      sessionStorage.setItem(this.#name, JSON.stringify(this.#taken));
    } catch {
      // Then a reload forgets how to undo; the labels themselves are kept.
    }
  }
}
