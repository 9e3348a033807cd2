/** What a call answered: status, time, headers that matter, and the body as far as it is text or a picture. */

import { make } from "./elements.js";

const MOST = 100_000;
const SHOWN_HEADERS = ["Content-Type", "Location", "ETag", "Retry-After", "Content-Disposition"];
const IS_TEXT = /^text\/|json/;

export class CallAnswer {
  #stop = make("button", { type: "button", className: "button button--small", textContent: "Stop", hidden: true });
  #head = make("p", { role: "status" });
  #headers = make("p", { className: "quiet small" });
  #body = make("div");
  #calling = new AbortController();

  constructor() {
    this.element = make("div", { className: "stack" }, make("div", { className: "row" }, this.#head, this.#stop), this.#headers, this.#body);
    this.#stop.addEventListener("click", () => this.#calling.abort());
  }

  /** Send a request and show what comes, until its end or until somebody stops it. */
  async show({ method, url, options }) {
    this.#calling = new AbortController();
    this.#body.replaceChildren();
    this.#headers.textContent = "";
    this.#head.textContent = "Sending …";
    this.#stop.hidden = false;
    try {
      const begun = performance.now();
      const answer = await fetch(url, { ...options, signal: this.#calling.signal });
      this.#head.textContent = `${answer.status} ${answer.statusText} after ${Math.round(performance.now() - begun)} ms`;
      const found = SHOWN_HEADERS.filter((name) => answer.headers.has(name));
      this.#headers.textContent = found.map((name) => `${name}: ${answer.headers.get(name)}`).join(" · ");
      await this.#showBody(answer, method, url);
    } catch (error) {
      if (error.name !== "AbortError") this.#head.textContent = "The server is not responding.";
    }
    this.#stop.hidden = true;
  }

  async #showBody(answer, method, url) {
    const type = answer.headers.get("Content-Type") ?? "";
    if (IS_TEXT.test(type)) return this.#showText(answer);
    this.#calling.abort(); // a browser downloads files better
    if (method === "GET" && answer.ok && type.startsWith("image/")) this.#body.append(make("img", { src: url, alt: "The picture that came" }));
    else if (method === "GET" && answer.ok && type) this.#body.append(make("a", { className: "button", href: url, textContent: "Download the file" }));
  }

  /** Show the beginning of a text while it comes; an event stream comes for minutes. */
  async #showText(answer) {
    const shown = make("pre", { tabIndex: 0 });
    this.#body.append(shown);
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part = await reader.read(); !part.done && text.length < MOST; part = await reader.read()) {
      text += part.value;
      shown.textContent = text.slice(0, MOST);
    }
    if (text.length >= MOST) {
      this.#calling.abort();
      this.#body.append(make("p", { className: "quiet small", textContent: `Only the first ${MOST.toLocaleString("en")} characters are shown.` }));
    } else if (answer.headers.get("Content-Type").includes("json")) shown.textContent = indented(text);
  }
}

/** JSON with indents; any other text as it is. */
function indented(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
