/** The selected pictures: some, or all except some. */

export class Selection {
  #ids = new Set();
  #isAll = false;

  has(id) {
    return this.#isAll !== this.#ids.has(id);
  }

  /** @param {number} n The number of all pictures. */
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

  /** The selection as it is now, for `restore`. */
  copy() {
    return { ids: new Set(this.#ids), isAll: this.#isAll };
  }

  restore({ ids, isAll }) {
    this.#ids = new Set(ids);
    this.#isAll = isAll;
  }

  /** The selection for the API, together with the filter. */
  get body() {
    return this.#isAll ? { except_ids: [...this.#ids] } : { image_ids: [...this.#ids] };
  }
}
