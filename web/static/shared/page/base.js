/** For every page: times in the reader's time zone, files dropped anywhere, the theme, the menu, logging out, and thumbnails that a busy server refused. */

import { clearAtLogout } from "./logout.js";
import { switchTheme } from "./theme.js";
import { localTimes } from "../text/words.js";

localTimes();
switchTheme();
clearAtLogout();
showCurrentPlace();
// Pages with a drop zone of their own know what to do with files; before the login, nobody does.
if (document.querySelector("[data-drop], [data-bring]") === null && document.querySelector("nav form") !== null) {
  // While the server is away it cannot be loaded; the next page tries again.
  import("../../upload/view/anywhere.js").catch(() => undefined);
}

/** In a narrow window the menu can be pushed sideways: begin with the present page in view. */
function showCurrentPlace() {
  const menu = document.querySelector(".top nav");
  const place = menu?.querySelector("[aria-current]");
  if (place?.offsetTop >= menu?.offsetTop) menu.scrollLeft = place.offsetLeft - menu.offsetLeft - (menu.clientWidth - place.offsetWidth) / 2;
}

const PICTURE_PAUSES_MS = [2000, 5000, 10000];

/** Ask again for a thumbnail that was refused because too many pictures are being read. */
function askAgain(image) {
  const pause = PICTURE_PAUSES_MS[Number(image.dataset.asked ?? 0)];
  if (pause === undefined || !image.src.includes("/thumbnail")) return;
  image.dataset.asked = String(Number(image.dataset.asked ?? 0) + 1);
  const src = image.src;
  setTimeout(() => {
    if (image.src === src) image.src = src;
  }, pause);
}

// Errors of images do not bubble; those of before this script are found by their missing size.
document.addEventListener("error", (event) => event.target instanceof HTMLImageElement && askAgain(event.target), true);
for (const image of document.images) if (image.complete && image.naturalWidth === 0) askAgain(image);
