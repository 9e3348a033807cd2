/** Forms that choose what is listed: on a phone, what is seldom chosen takes a press to see. */

/** As in style/jobs.css. */
const PHONE = "(max-width: 560px)";

/** @param {HTMLFormElement} form With a details element, open, that has data-fold. */
export function foldOnPhones(form) {
  const more = form.querySelector("[data-fold]");
  const isPlain = (field) => (field.matches("select") ? field.options[0].selected : field.value === "");
  if (matchMedia(PHONE).matches && Array.from(more.querySelectorAll("select, input")).every(isPlain)) more.open = false;
  // A window made wider, a phone held across: there is no way to open it there.
  matchMedia(PHONE).addEventListener("change", () => (more.open = true));
}
