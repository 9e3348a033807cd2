/** The review page: show a picture, label it, show the next. Nothing here waits for the server. */

import { callJson, unsafeHeaders } from "../../shared/server/http.js";
import { asText } from "../../shared/text/names.js";
import { newUuid } from "../../shared/server/uuid.js";
import { probablyNeither } from "../../shared/text/neither.js";
import { label as word } from "../../shared/text/words.js";
import { Deck } from "./deck.js";
import { listenToKeys, showKeys } from "../../shared/page/keys.js";
import { Labelling } from "../labelling.js";
import { troubleSentence } from "../outbox.js";
import { View } from "./view.js";

const ASK_PROGRESS_MS = 30000;

const root = document.querySelector("[data-review]");
const { job, audit, user } = root.dataset;
const choices = Array.from(root.querySelectorAll("[data-say]"), (button) => button.dataset.say);
const url = `/api/v1/jobs/${job}/review`;
const reviewer = newUuid();
const view = new View(root);
const titleEnd = document.title;
const progress = readProgress();
let troubles = { sending: "", asking: "" };
let askedAt = Date.now();

const labelling = new Labelling({
  user,
  name: `${job}${audit}`,
  page: reviewer,
  audit,
  onChange: (unsent) => view.sending(unsent),
  onTrouble: (error) => trouble("sending", error),
  onRefused: (error) => view.say(`A label was not saved: ${error.message}`),
});
const deck = new Deck({
  url,
  reviewer,
  audit,
  unsent: () => labelling.images,
  maxHeld: Number(root.dataset.maxHeld),
  onShow: (picture) => view.picture(picture, picture && deck.imageOf(picture)),
  onAnswer: (state, isEnd) => {
    root.dataset.ready = "";
    if (isEnd) view.end(state);
    othersMayHaveWorked(state.n_others);
  },
  onLost: (error) => trouble("asking", error),
});

const todo = {
  confirm,
  skip,
  undo,
  zoom: () => deck.current && view.zoom(),
  help: showKeys,
};

function say(name) {
  if (deck.current !== null) act(deck.current, name);
}

function confirm() {
  const picture = deck.current;
  if (picture === null || audit !== "") return;
  if (choices.includes(picture.label)) act(picture, picture.label);
  else if (probablyNeither(picture) !== null) act(picture, "neither");
  else view.hint("The model is unsure about this picture. Choose a label.");
}

/** Label a picture, and show the next one. */
function act(picture, name) {
  deck.touch();
  labelling.give(picture, name);
  move(picture, 1);
  deck.next();
  afterwards(`${word(name)}.`);
}

function skip() {
  const picture = deck.current;
  if (picture === null) return;
  deck.touch();
  labelling.skip(picture);
  deck.skip(picture);
  afterwards("Skipped.");
}

function undo() {
  deck.touch();
  const step = labelling.undo();
  if (step === undefined) return;
  if (step.key !== "") move(step.picture, -1);
  deck.back(step.picture);
  afterwards("Undone.");
}

function afterwards(sentence) {
  const next = deck.current;
  const shown = next === null ? "" : next.label ? ` Next: ${word(next.label)}, ${asText(next.path)}` : " Next picture.";
  view.say(sentence + shown);
  showUndo();
}

function showUndo() {
  for (const button of root.querySelectorAll('[data-do="undo"]')) button.disabled = !labelling.canUndo;
}

function move(picture, by) {
  progress.reviewed += by;
  if (picture.label === "unsure") progress[probablyNeither(picture) === null ? "unsure" : "neither"] -= by;
  showProgress();
}

function showProgress() {
  if ("uncounted" in root.dataset) return;
  view.progress(progress);
  const left = audit === "" ? `${progress.unsure} unsure left` : `${progress.all - progress.reviewed} left`;
  document.title = `${left} · ${titleEnd}`;
}

function readProgress() {
  const read = (name) => Number(root.querySelector(`[data-count="${name}"]`)?.textContent.replace(/\D/g, "") ?? 0);
  return { reviewed: read("reviewed"), all: read("all"), unsure: read("unsure"), neither: read("neither") };
}

/** Update the progress with the work of others from time to time; unsent labels of this page are counted here. */
function othersMayHaveWorked(nOthers) {
  const mayDiffer = nOthers > 0 || "uncounted" in root.dataset;
  if (audit === "" && mayDiffer && labelling.unsent === 0 && Date.now() - askedAt >= ASK_PROGRESS_MS) askProgress();
}

/** Ask for the progress, and add what is labelled meanwhile: the first count of many labels takes a while. */
async function askProgress() {
  askedAt = Date.now();
  const before = { ...progress };
  try {
    const state = await callJson("GET", url);
    const counted = { reviewed: state.n_reviewed, all: state.n_good, unsure: state.n_unsure_left, neither: state.n_neither_left };
    const sinceThen = ([name, n]) => [name, n + progress[name] - before[name]];
    Object.assign(progress, Object.fromEntries(Object.entries(counted).map(sinceThen)));
    delete root.dataset.uncounted;
    showProgress();
  } catch {
    // Try again later.
  }
}

function trouble(about, error) {
  troubles = { ...troubles, [about]: error === null ? "" : sentenceFor(error) };
  view.trouble(troubles.sending || troubles.asking);
}

function sentenceFor(error) {
  return error.status === 404 || error.status === 410 ? "This job is no longer here." : troubleSentence(error);
}

for (const element of root.querySelectorAll("[data-needs-script]")) element.hidden = false;
root.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-say], button[data-do]");
  if (button === null) return;
  event.preventDefault(); // the form is for pages without scripts
  if (button.dataset.say) say(button.dataset.say);
  else todo[button.dataset.do]();
  // After a click, Space should skip, and not press the clicked button again.
  if (event.detail > 0 && button.dataset.do !== "help") view.focus();
});
root.querySelector("[data-again]").addEventListener("submit", (event) => {
  event.preventDefault();
  deck.again();
});
const byKey = new Map([
  ["s", todo.skip],
  [" ", todo.skip],
  ["u", undo],
  ["Backspace", undo],
  ["z", todo.zoom],
  ["?", todo.help],
  ["Enter", confirm],
  ...choices.map((name) => [name[0], () => say(name)]),
]);
listenToKeys(byKey, document.querySelector("[data-keys]"));
addEventListener("pagehide", () => deck.part(unsafeHeaders()));
// Restored from the cache: other reviewers may hold its pictures now.
addEventListener("pageshow", (event) => event.persisted && location.reload());

showUndo();
showProgress();
if ("uncounted" in root.dataset) askProgress();
view.sending(labelling.unsent);
deck.start(JSON.parse(root.dataset.picture), labelling.labelled);
