/** The filter of the list of jobs: applies changes at once, omits empty fields from the address, and adds the reader's time zone. */

import { foldOnPhones } from "../shared/page/fold.js";

export function openFilter(form) {
  foldOnPhones(form);
  form.addEventListener("change", (event) => {
    if (event.target.matches("select, input[type=date]")) form.requestSubmit();
  });
  form.addEventListener("submit", () => {
    form.elements.zone.value = form.elements.since.value || form.elements.until.value ? String(new Date().getTimezoneOffset()) : "";
    for (const field of form.elements) field.disabled = field.name !== "" && field.value === "";
  });
  // The browser's Back button may restore this page with disabled fields.
  addEventListener("pageshow", () => {
    for (const field of form.elements) field.disabled = false;
  });
}
