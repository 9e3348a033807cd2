/** Where the focus goes when what had it goes away: without that, whoever uses keys or a screen reader begins at the top again. */

/**
 * Remove an element; if the focus was in it, the first of these places that is there gets it.
 *
 * @param {Element} element
 * @param {...string} places Selectors, the nearest first.
 */
export function removeAndHandOn(element, ...places) {
  const hadFocus = element.contains(document.activeElement);
  element.remove();
  if (hadFocus) focusFirst(places);
}

/** @param {string[]} places Selectors, the nearest first. */
export function focusFirst(places) {
  places.map((place) => document.querySelector(place)).find((found) => found !== null)?.focus({ preventScroll: true });
}
