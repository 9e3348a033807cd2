/**
 * Files that are dropped or pasted on a page without a drop zone. The page gets the upload panel of the first page, because a page
 * cannot hand files to another one.
 */

import { openZone } from "../input/drop_zone.js";

openZone(async (found) => {
  await openPanel();
  const { ask } = await import("./uploads.js");
  await ask(found);
  document.querySelector("[data-uploads]").scrollIntoView({ block: "start" });
});

async function openPanel() {
  if (document.querySelector("[data-uploads]") !== null) return;
  const first = new DOMParser().parseFromString(await (await fetch("/")).text(), "text/html");
  document.body.append(...first.querySelectorAll('template[id^="upload-"]'));
  const uploads = Object.assign(document.createElement("div"), { className: "page uploads" });
  uploads.dataset.uploads = "";
  document.querySelector("main").before(uploads);
}
