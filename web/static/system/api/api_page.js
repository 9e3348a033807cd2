/** The page of the API: each call has a form, which is made when it is opened. */

import { CallAnswer } from "./call_answer.js";
import { CallForm } from "./call_form.js";
import { findCall, loadDescription } from "./description.js";

for (const details of document.querySelectorAll("[data-call]")) {
  details.hidden = false;
  details.addEventListener("toggle", () => {
    if (details.open && details.childElementCount === 1) fill(details);
  });
}

/** @param {HTMLDetailsElement} details */
async function fill(details) {
  const inside = Object.assign(document.createElement("div"), { className: "try stack" });
  details.append(inside);
  try {
    const { method, path } = details.dataset;
    const answer = new CallAnswer();
    const form = new CallForm(findCall(await loadDescription(), method, path), (request) => answer.show(request));
    inside.append(form.element, answer.element);
  } catch {
    inside.remove();
    details.open = false;
  }
}
