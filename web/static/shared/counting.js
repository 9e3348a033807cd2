/** What is read out to people who do not look: a sentence once, not each step of a count in it. */

/**
 * @param {Element} element With role status.
 * @param {string} words What it is about; read out when it changes.
 * @param {string} counted How far it is, for eyes alone.
 */
export function sayCounting(element, words, counted) {
  if (element.lastElementChild === null || element.firstChild.data !== `${words} `) {
    const number = document.createElement("span");
    number.setAttribute("aria-hidden", "true");
    element.replaceChildren(`${words} `, number);
  }
  element.lastElementChild.textContent = counted;
}
