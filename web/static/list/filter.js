/** The form above the list of jobs: shows at once what is chosen, leaves out of the address what is not, and knows the reader's zone. */

/** As in style/jobs.css: there, what is seldom chosen takes a press to see. */
const PHONE = "(max-width: 560px)";

export function openFilter(form) {
  const more = form.querySelector("[data-more]");
  const isChosen = Array.from(more.querySelectorAll("select, input"), ({ value }) => value).some((value) => value !== "");
  if (matchMedia(PHONE).matches && !isChosen) more.open = false;
  // A window made wider, a phone held across: there is no way to open it there.
  matchMedia(PHONE).addEventListener("change", () => (more.open = true));
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
