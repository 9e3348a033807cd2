/** Imports a rearranged folder: a list of its paths and hashes, and its manifest, are sent with the form instead of a ZIP. */

import { sayCounting } from "../shared/page/counting.js";
import { isArchive } from "../upload/input/names.js";
import { sha256 } from "../upload/plan/sha256.js";
import { openZone } from "../upload/input/drop_zone.js";
import { count, plural } from "../shared/text/words.js";

/** As core/review/sort_manifest.py names it. */
const MANIFEST = "pawsort-manifest.jsonl";
const form = document.querySelector("[data-bring]");
const status = document.querySelector("[data-bringing]");
let isBusy = false;

openZone(bring);

async function bring({ files, unreadable }) {
  if (isBusy) return;
  if (files.length === 0) return say("It contains no files.");
  isBusy = true;
  if (files.length === 1 && isArchive(files[0].path)) return submit(files[0].file, 0);
  const lines = [];
  let nUnreadable = unreadable.length;
  for (const [n, { path, file }] of files.entries()) {
    sayCounting(status, "Reading the folder …", `${count(n + 1)} of ${plural(files.length, "file")}`);
    if (path.endsWith(`/${MANIFEST}`)) {
      lines.push(file, "\n");
      continue;
    }
    // Unreadable files are counted; the others are imported.
    const content = await sha256(file).catch(() => null);
    if (content === null) nUnreadable += 1;
    else lines.push(`${JSON.stringify({ path, sha256: content })}\n`);
  }
  submit(new File(lines, "list.jsonl"), nUnreadable);
}

function submit(file, nUnreadable) {
  const transfer = new DataTransfer();
  transfer.items.add(file);
  form.elements.archive.files = transfer.files;
  form.elements.n_unreadable.value = String(nUnreadable);
  say("Uploading …");
  form.submit();
}

function say(text) {
  status.textContent = text;
}
