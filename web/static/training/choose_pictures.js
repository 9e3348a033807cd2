/** Choosing the pictures of a training: a folder that is dropped here is uploaded, not sorted, and then selected. */

import { callJson } from "../shared/server/http.js";
import { isArchive, nameFor } from "../upload/input/names.js";
import { newUuid } from "../shared/server/uuid.js";
import { Panel } from "../upload/view/panel.js";
import { FolderSender } from "../upload/send/folder_sender.js";
import { isOver } from "../upload/send/sender.js";
import { Slots } from "../upload/send/slots.js";
import { openZone } from "../upload/input/drop_zone.js";

const slots = new Slots(3);
const uploads = new Set();
const parent = document.querySelector("[data-uploads]");

openZone(send);

addEventListener("beforeunload", (event) => {
  if (Array.from(uploads).some(({ sender }) => !isOver(sender.state.phase))) event.preventDefault();
});

function send({ files, unreadable }) {
  if (files.some(({ path }) => isArchive(path))) return say("Unpack archives first: labels come from folder names.");
  if (files.length === 0) return say("It contains no files.");
  const uploadId = newUuid();
  const upload = { uploadId };
  const name = nameFor([...files, ...unreadable].map(({ path }) => path));
  upload.sender = new FolderSender({ uploadId, jobId: null, name, files, slots, onChange: () => upload.panel?.changed(), labelled: true });
  upload.sender.state.skipped = unreadable;
  upload.panel = new Panel({ parent, sender: upload.sender, jobPage: null, onStop: () => stop(upload), onResume: () => run(upload) });
  uploads.add(upload);
  return run(upload);
}

async function run(upload) {
  await upload.sender.run();
  const all = Array.from(uploads);
  if (!all.every(({ sender }) => isOver(sender.state.phase))) return;
  const sent = all.filter(({ sender }) => sender.state.phase === "sent");
  if (sent.length === 0) return;
  // Let the user see the unreadable files before the next page.
  if (all.some(({ sender }) => sender.state.skipped.length > 0)) offer(address(sent));
  else location.assign(address(sent));
}

/** Delete a cancelled upload: no job uses it. */
async function stop(upload) {
  upload.sender.stop();
  try {
    await callJson("DELETE", upload.sender.uploadUrl);
  } catch {
    // It was never created, or the server is not responding: then it stays unfinished and is not offered.
  }
}

/** The address of this page with the new folders selected too. */
function address(sent) {
  const chosen = Array.from(document.querySelectorAll("[data-choice] input:checked"), (box) => box.value);
  const query = new URLSearchParams([...sent.map(({ uploadId }) => uploadId), ...chosen].map((id) => ["upload", id]));
  return `${location.pathname}?${query}`;
}

function offer(url) {
  const link = Object.assign(document.createElement("a"), { className: "button button--main", href: url });
  link.textContent = "Continue with the uploaded files";
  const row = Object.assign(document.createElement("p"), { className: "row" });
  row.append(link);
  parent.append(row);
}

function say(text) {
  const message = Object.assign(document.createElement("p"), { className: "notice", textContent: text });
  message.setAttribute("role", "status");
  parent.prepend(message);
}
