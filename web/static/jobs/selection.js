/** Which pictures of a view are chosen: some, or all that it shows but some. Knows ids, no page. */

export class Chosen {
  #ids = new Set();
  #isAll = false;

  /** Whether all that the view shows is chosen, less those that were taken out again. */
  get isAll() {
    return this.#isAll;
  }

  has(id) {
    return this.#isAll !== this.#ids.has(id);
  }

  /** @param {number} n How many the view shows. */
  count(n) {
    return this.#isAll ? Math.max(0, n - this.#ids.size) : this.#ids.size;
  }

  set(ids, isOn) {
    for (const id of ids) {
      if (isOn === this.#isAll) this.#ids.delete(id);
      else this.#ids.add(id);
    }
  }

  all() {
    this.#isAll = true;
    this.#ids.clear();
  }

  none() {
    this.#isAll = false;
    this.#ids.clear();
  }

  /** As the API takes it, beside the view's filter. */
  get body() {
    return this.#isAll ? { except_ids: [...this.#ids] } : { image_ids: [...this.#ids] };
  }
}
