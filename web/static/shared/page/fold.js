/** Filter forms: on phones, fields that are rarely used are folded. */

/** As in style/jobs.css. */
const PHONE = "(max-width: 560px)";

/** @param {HTMLFormElement} form With an open details element that has data-fold. */
export function foldOnPhones(form) {
  const more = form.querySelector("[data-fold]");
  const isPlain = (field) => (field.matches("select") ? field.options[0].selected : field.value === "");
  if (matchMedia(PHONE).matches && Array.from(more.querySelectorAll("select, input")).every(isPlain)) more.open = false;
  // In a wider window, or on a rotated phone, there is no control to unfold it.
  matchMedia(PHONE).addEventListener("change", () => (more.open = true));
}
