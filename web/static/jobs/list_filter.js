/** The form above the list of jobs: shows at once what is chosen, leaves out of the address what is not, and knows the reader's zone. */

import { foldOnPhones } from "../shared/fold.js";

export function openFilter(form) {
  foldOnPhones(form);
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, input[type=date]")) form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    form.elements.zone.value = form.elements.since.value || form.elements.until.value ? String(new Date().getTimezoneOffset()) : "";
    for (const field of form.elements) field.disabled = field.name !== "" && field.value === "";
  });
  // Back from where the address led, the browser may bring this page as it was left.
  addEventListener("pageshow", () => {
    for (const field of form.elements) field.disabled = false;
  });
}
