/** A frame that the mouse draws over the grid, also from the empty page around it. Touch scrolls instead. */

/** A shorter movement is a click. */
const FROM_PX = 6;
/** So close to the edge of the window, the page scrolls. */
const EDGE_PX = 60;
const SCROLL_PX = 24;

/**
 * @param {HTMLElement} list
 * @param {{onBegin: (isAdding: boolean) => T, onMove: (begun: T, box: {left: number, top: number, right: number, bottom: number}) => void}} on
 *   onBegin: isAdding: with Shift or Ctrl. onMove: with what onBegin returned, and the frame in pixels of the list.
 * @template T
 */
export function openFrame(list, { onBegin, onMove }) {
  const page = list.closest("main");
  const isEmpty = (target) => target === page || target.matches(".job-page, .job-page__columns, .job-page__results");
  const isPicture = (target) => list.contains(target) && target.closest("input, label") === null;
  list.addEventListener("dragstart", (event) => event.preventDefault());
  page.addEventListener("mousedown", (event) => isEmpty(event.target) && event.preventDefault()); // it would select text
  page.addEventListener("pointerdown", (event) => {
    const isMouse = event.pointerType === "mouse" && event.button === 0;
    if (isMouse && (isEmpty(event.target) || isPicture(event.target))) follow(new Frame(list, event, onBegin, onMove));
  });
}

/** Follow the pointer until its button is released. */
function follow(frame) {
  const move = (event) => frame.move(event);
  const scroll = () => frame.draw();
  const end = () => {
    removeEventListener("pointermove", move);
    removeEventListener("scroll", scroll);
    removeEventListener("pointerup", end);
    removeEventListener("pointercancel", end);
    frame.end();
  };
  addEventListener("pointermove", move);
  addEventListener("scroll", scroll, { passive: true });
  addEventListener("pointerup", end);
  addEventListener("pointercancel", end);
}

class Frame {
  #list;
  #from;
  #at;
  #isAdding;
  #on;
  #begun;
  #element = null;
  #scrolling = 0;

  constructor(list, event, onBegin, onMove) {
    this.#list = list;
    this.#from = this.#inList(event);
    this.#isAdding = event.shiftKey || event.ctrlKey || event.metaKey;
    this.#on = { onBegin, onMove };
  }

  move(event) {
    this.#at = { clientX: event.clientX, clientY: event.clientY };
    if (this.#element === null) {
      const { x, y } = this.#inList(event);
      if (Math.hypot(x - this.#from.x, y - this.#from.y) < FROM_PX) return;
      this.#begin();
    }
    this.draw();
  }

  draw() {
    if (this.#element === null) return;
    const { x, y } = this.#inList(this.#at);
    const [left, right] = [this.#from.x, x].sort((a, b) => a - b);
    const [top, bottom] = [this.#from.y, y].sort((a, b) => a - b);
    Object.assign(this.#element.style, { left: `${left}px`, top: `${top}px`, width: `${right - left}px`, height: `${bottom - top}px` });
    this.#on.onMove(this.#begun, { left, top, right, bottom });
  }

  end() {
    if (this.#element === null) return;
    clearInterval(this.#scrolling);
    this.#element.remove();
    this.#list.classList.remove("is-framing");
    // The click that follows belongs to the frame.
    const swallow = (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", swallow, { capture: true }), 0);
  }

  #begin() {
    this.#begun = this.#on.onBegin(this.#isAdding);
    this.#element = Object.assign(document.createElement("li"), { className: "frame", ariaHidden: "true" });
    this.#list.classList.add("is-framing");
    this.#list.append(this.#element);
    this.#scrolling = setInterval(() => this.#scrollAtEdges(), 16);
  }

  #scrollAtEdges() {
    const top = Number.parseFloat(getComputedStyle(this.#list).scrollMarginTop) || 0;
    if (this.#at.clientY < top + EDGE_PX) scrollBy({ top: -SCROLL_PX, behavior: "instant" });
    else if (this.#at.clientY > innerHeight - EDGE_PX) scrollBy({ top: SCROLL_PX, behavior: "instant" });
  }

  #inList({ clientX, clientY }) {
    const { left, top } = this.#list.getBoundingClientRect();
    return { x: clientX - left, y: clientY - top };
  }
}
