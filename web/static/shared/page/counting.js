/** Announcements for screen readers: a sentence once, without each step of its count. */

/**
 * @param {Element} element With role status.
 * @param {string} words Announced when it changes.
 * @param {string} counted The count, which is not announced.
 */
export function sayCounting(element, words, counted) {
  if (element.lastElementChild === null || element.firstChild.data !== `${words} `) {
    const number = document.createElement("span");
    number.setAttribute("aria-hidden", "true");
    element.replaceChildren(`${words} `, number);
  }
  element.lastElementChild.textContent = counted;
}
