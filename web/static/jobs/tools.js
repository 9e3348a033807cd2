/** The filter and the tools of a job: next to its pictures, or in a sheet where the window is too narrow. */

/** As in style/job_page.css. */
const NARROW = "(max-width: 1099px)";

export function openTools() {
  const tools = document.querySelector("[data-tools]");
  const sheet = document.querySelector("[data-sheet]");
  const home = tools.parentElement;
  const narrow = matchMedia(NARROW);
  const place = () => {
    if (!narrow.matches) sheet.close();
    (narrow.matches ? sheet : home).append(tools);
  };
  place();
  narrow.addEventListener("change", place);
  const open = (event) => {
    if (!narrow.matches) return;
    event.preventDefault();
    sheet.showModal();
  };
  for (const link of document.querySelectorAll('a[href="#tools"]')) link.addEventListener("click", open);
  // A click next to the sheet closes it.
  sheet.addEventListener("click", (event) => event.target === sheet && sheet.close());
}

/** Tell the styles how high the strip is, so that nothing scrolls to a place behind it. */
export function measureStrip() {
  const strip = document.querySelector("[data-strip]");
  const note = () => document.documentElement.style.setProperty("--strip", `${strip.offsetHeight}px`);
  note();
  new ResizeObserver(note).observe(strip);
}
