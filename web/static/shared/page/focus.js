/** Moves the focus when its element is removed. Otherwise keyboard and screen reader users would start at the top again. */

/**
 * Remove an element. If it had the focus, move the focus to the first of these elements that exists.
 *
 * @param {Element} element
 * @param {...string} selectors The nearest element first.
 */
export function removeAndHandOn(element, ...selectors) {
  const hadFocus = element.contains(document.activeElement);
  element.remove();
  if (hadFocus) focusFirst(selectors);
}

/** @param {string[]} selectors The nearest element first. */
export function focusFirst(selectors) {
  selectors.map((selector) => document.querySelector(selector)).find((found) => found !== null)?.focus({ preventScroll: true });
}
