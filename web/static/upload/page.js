/** The drop zone of the first page: takes what is dropped, picked or chosen, and sends it from here. */

import { callJson } from "../http.js";
import { ENDED, watchJob } from "../poll.js";
import { percentOf } from "../words.js";
import { ArchiveSender } from "./archive.js";
import { findBegun } from "./begun.js";
import { forget, printOf, printOfArchive, remember } from "./memory.js";
import { isArchive, nameFor, newUuid } from "./names.js";
import { Panel } from "./panel.js";
import { Sender } from "./sender.js";
import { isOver } from "./sending.js";
import { Slots } from "./slots.js";
import { openZone } from "./zone.js";

/** Three shards under way; browsers open six connections to a server, the others are for polls and pictures. */
const slots = new Slots(3);
const uploads = new Set();
const parent = document.querySelector("[data-uploads]");
const pageTitle = document.title;

openZone(send);

addEventListener("beforeunload", (event) => {
  if (Array.from(uploads).some((upload) => !isOver(upload.sender.state.phase))) event.preventDefault();
});

/** Archives become jobs of their own; everything else is one upload. What was begun before is gone on with. */
function send({ files, unreadable }) {
  const archives = files.filter(({ path }) => isArchive(path));
  const others = files.filter(({ path }) => !isArchive(path));
  for (const { file } of archives) sendArchive(file);
  if (others.length > 0 || unreadable.length > 0) sendFiles(others, unreadable);
  if (files.length === 0 && unreadable.length === 0) sayNothingFound();
}

async function sendArchive(file) {
  const print = printOfArchive(file);
  const begun = await findBegun(print, []);
  const jobId = begun?.jobId ?? newUuid();
  start(print, { uploadId: jobId, jobId }, (onChange) => new ArchiveSender({ jobId, file, slots, onChange }));
}

async function sendFiles(files, unreadable) {
  const paths = [...files, ...unreadable].map(({ path }) => path);
  const print = printOf(paths);
  const begun = await findBegun(print, files);
  const ids = { uploadId: begun?.uploadId ?? newUuid(), jobId: begun?.jobId ?? newUuid() };
  start(print, ids, (onChange) => {
    const sender = new Sender({ ...ids, name: nameFor(paths), files, slots, onChange });
    sender.state.skipped = unreadable;
    return sender;
  });
}

function sayNothingFound() {
  const message = document.createElement("p");
  message.className = "notice";
  message.setAttribute("role", "status");
  message.textContent = "There is no file in it that could be sorted.";
  parent.replaceChildren(message);
}

function start(print, { uploadId, jobId }, makeSender) {
  const jobPage = `/jobs/${jobId}`;
  const upload = { print, jobId, jobPage, job: null, unwatch: () => {} };
  upload.sender = makeSender(() => changed(upload));
  remember(print, { uploadId, jobId, name: upload.sender.name, at: Date.now() });
  upload.panel = new Panel({
    parent,
    sender: upload.sender,
    jobPage,
    onStop: () => stop(upload),
    onResume: () => run(upload),
  });
  upload.unwatch = watchJob(upload.sender.jobUrl, {
    isPatient: true,
    onJob(job) {
      upload.job = job;
      upload.panel.showJob(job);
      showTitle();
      if (ENDED.has(job.state) && job.state !== "done") upload.sender.stop("This job was stopped, so nothing more is sent.");
    },
    onGone: () => upload.sender.stop("This job has been deleted, so nothing more is sent."),
  });
  uploads.add(upload);
  run(upload);
}

async function run(upload) {
  await upload.sender.run();
  const { phase, skipped } = upload.sender.state;
  showTitle();
  if (isOver(phase)) forget(upload.print, upload.jobId);
  // Everything is on the server: its page goes on from here. It stays when there is something to read, or more to send.
  if (phase === "sent" && skipped.length === 0 && uploads.size === 1) location.assign(upload.jobPage);
}

async function stop(upload) {
  upload.sender.stop();
  upload.unwatch();
  forget(upload.print, upload.jobId);
  try {
    await callJson("POST", `${upload.sender.jobUrl}/cancel`);
  } catch {
    // It has ended, or was never opened: then there is nothing to stop.
  }
}

function changed(upload) {
  upload.panel?.changed();
  showTitle();
}

/** The tab's title says how far all of it is. */
function showTitle() {
  const open = Array.from(uploads).filter(({ sender, job }) => !isOver(sender.state.phase) || (job && !ENDED.has(job.state)));
  const sum = (of) => open.reduce((total, { sender }) => total + of(sender.state), 0);
  const title = open.length === 0 ? pageTitle : `${percentOf(sum((s) => s.sentBytes), sum((s) => s.totalBytes))} % sent · Pawsort`;
  if (document.title !== title) document.title = title;
}
