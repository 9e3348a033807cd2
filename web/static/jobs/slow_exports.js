/** Exports that take a while: shows that the file is being made, and saves it when it is whole. Without this, the browser downloads it. */

import { errorFrom } from "../shared/server/http.js";
import { count } from "../shared/text/words.js";

const state = document.querySelector("[data-export-state]");
let isBusy = false;

for (const control of document.querySelectorAll("[data-export]")) {
  control.addEventListener(control.matches("form") ? "submit" : "click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!isBusy) make(control);
  });
}

async function make(control) {
  const title = control.dataset.export;
  const button = control.querySelector("button") ?? control;
  isBusy = true;
  button.setAttribute("aria-disabled", "true");
  (control.closest("li") ?? control).append(state); // where one has just pressed
  say(`Making the file: ${title} …`);
  try {
    const answer = await fetch(addressOf(control), { headers: { Accept: "application/json" } });
    if (!answer.ok) throw errorFrom(answer.status, await answer.text(), answer.headers.get("Retry-After"));
    const of = control.dataset.pictures ? ` of ${count(Number(control.dataset.pictures))}` : "";
    const whole = await readAll(answer, (n) => n > 0 && say(`Making the file: ${title}, ${count(n)}${of} pictures …`));
    save(whole, nameOf(answer));
    say(`${title}: saved.`);
  } catch (error) {
    say(error.status ? error.message : `${title}: the download was interrupted. Try again.`, true);
  } finally {
    isBusy = false;
    button.removeAttribute("aria-disabled");
  }
}

function addressOf(control) {
  return control.matches("form") ? `${control.action}?${new URLSearchParams(new FormData(control))}` : control.href;
}

/** @param {(n: number) => void} onPictures Called with the number of list items, each of which is a picture. */
async function readAll(answer, onPictures) {
  const blocks = [];
  const reader = answer.body.getReader();
  const decoder = new TextDecoder();
  let n = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(blocks, { type: answer.headers.get("Content-Type") });
    blocks.push(value);
    n += decoder.decode(value, { stream: true }).split("<li>").length - 1;
    onPictures(n);
  }
}

function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

/** The name from Content-Disposition, as the server's `attachment` writes it. */
function nameOf(answer) {
  return decodeURIComponent(/filename\*=UTF-8''(.*)$/.exec(answer.headers.get("Content-Disposition"))[1]);
}

function say(text, isBad = false) {
  state.textContent = text;
  state.classList.toggle("notice--bad", isBad);
  state.hidden = false;
}
