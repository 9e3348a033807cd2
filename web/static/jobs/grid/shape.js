/** Where the tiles of a grid are, in pixels of its list: as many columns as fit, and as many rows as it takes. */

const GAP_PX = 12;
const NARROWEST_PX = 150;
const TEXT_PX = 114;

export class GridShape {
  #width;
  #height;

  /** @param {number} width Of the list. */
  constructor(width) {
    this.columns = Math.max(1, Math.floor((width + GAP_PX) / (NARROWEST_PX + GAP_PX)));
    this.#width = (width - GAP_PX * (this.columns - 1)) / this.columns;
    this.#height = this.#width + TEXT_PX;
  }

  /** From one row to the next. */
  get rowHeight() {
    return this.#height + GAP_PX;
  }

  /** Of a list of n tiles. */
  heightOf(n) {
    return Math.max(0, Math.ceil(n / this.columns) * this.rowHeight - GAP_PX);
  }

  topOf(index) {
    return Math.floor(index / this.columns) * this.rowHeight;
  }

  put(tile, index) {
    const x = (index % this.columns) * (this.#width + GAP_PX);
    tile.style.transform = `translate(${x}px, ${this.topOf(index)}px)`;
    tile.style.width = `${this.#width}px`;
    tile.style.height = `${this.#height}px`;
  }

  /** The positions, below n, of the tiles that a rectangle touches. */
  within({ left, top, right, bottom }, n) {
    const touched = (from, to, size) => [Math.max(0, Math.floor((from + GAP_PX) / (size + GAP_PX))), Math.floor(to / (size + GAP_PX))];
    const [firstColumn, lastColumn] = touched(left, right, this.#width);
    const [firstRow, lastRow] = touched(top, bottom, this.#height);
    const found = [];
    for (let row = firstRow; row <= lastRow; row += 1) {
      for (let column = firstColumn; column <= Math.min(this.columns - 1, lastColumn); column += 1) {
        const index = row * this.columns + column;
        if (index < n) found.push(index);
      }
    }
    return found;
  }
}
