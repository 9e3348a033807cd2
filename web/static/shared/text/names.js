/** Names on pages: characters that nobody sees are shown, and the direction of a name stays its own. web/pages/common/names.py does the same. */

const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\u{e0000}-\u{e0fff}]/gu;

/**
 * Write a name into an element: an unseen character is a mark with its number, such as U+202E.
 * @param {Element} element
 * @param {string} name
 */
export function showName(element, name) {
  const shown = document.createElement("bdi");
  let start = 0;
  for (const found of name.matchAll(UNSEEN)) {
    const mark = Object.assign(document.createElement("span"), { className: "unseen" });
    mark.textContent = numberOf(found[0]);
    shown.append(name.slice(start, found.index), mark);
    start = found.index + found[0].length;
  }
  shown.append(name.slice(start));
  element.replaceChildren(shown);
}

/**
 * A name for an attribute, which has no elements: marks of unseen characters are text.
 * @param {string} name
 */
export function asText(name) {
  return name.replace(UNSEEN, (found) => ` ${numberOf(found)} `);
}

function numberOf(character) {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
