/** Elements made by scripts. */

/** An element with properties and children. */
export function make(name, properties = {}, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

/** An input with its label, and a hint if there is one. */
export function field(input, label, hint) {
  const parts = [make("label", { htmlFor: input.id, textContent: label }), input];
  if (hint) {
    parts.push(make("span", { className: "field__hint", id: `${input.id}-hint` }, ...marked(hint)));
    input.setAttribute("aria-describedby", `${input.id}-hint`);
  }
  return make("div", { className: "field" }, ...parts);
}

/** Text whose parts between backticks are code. */
function marked(text) {
  return text.split("`").map((part, n) => (n % 2 === 1 ? make("code", { textContent: part }) : part));
}
