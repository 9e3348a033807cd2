/** The form of a call: a field for each parameter, the body, and what would be typed for curl. */

import { unsafeHeaders } from "../../shared/server/http.js";
import { field, make } from "./elements.js";

const ARGUMENT = /\{(\w+)\}/g;

export class CallForm {
  #call;
  #inputs = new Map();
  #body = null;
  #command = make("pre", { hidden: true });

  /**
   * @param {import("./description.js").Call} call
   * @param {(request: {method: string, url: string, options: object}) => Promise<void>} onSend
   */
  constructor(call, onSend) {
    this.#call = call;
    const fields = call.parameters.map((one) => this.#parameterField(one));
    const body = call.body ? [this.#bodyField(call.body)] : [];
    const send = make("button", { type: "submit", className: buttonClass(call.method), textContent: `Send ${call.method}` });
    const note = make("p", { className: "quiet small", textContent: "It really changes something on this server." });
    this.element = make("form", { className: "stack" }, ...fields, ...body, ...(call.method === "GET" ? [] : [note]), make("div", {}, send), this.#command);
    this.element.setAttribute("aria-label", `Try ${call.method} ${call.path}`);
    this.element.addEventListener("submit", async (event) => {
      event.preventDefault();
      this.#command.textContent = this.#asCommand();
      this.#command.hidden = false;
      send.disabled = true;
      await onSend(this.#request());
      send.disabled = false;
    });
  }

  #parameterField({ name, place, isRequired, values, hint }) {
    const id = `${this.#call.id}-${name}`;
    const input = values.length > 0 ? select(id, isRequired ? values : ["", ...values]) : make("input", { type: "text", id, autocomplete: "off", spellcheck: false });
    input.required = isRequired;
    this.#inputs.set(name, input);
    return field(input, `${name} (${place}${isRequired ? "" : ", optional"})`, hint);
  }

  #bodyField({ example, mediaType }) {
    const id = `${this.#call.id}-body`;
    const rows = Math.min(14, (example ?? "").split("\n").length + 1);
    this.#body = example === null ? make("input", { type: "file", id, required: true }) : make("textarea", { id, rows, value: example, spellcheck: false });
    return field(this.#body, `Body (${mediaType})`, "");
  }

  /** The address with everything that was filled in. */
  #url() {
    const path = this.#call.path.replace(ARGUMENT, (_, name) => encodeURIComponent(this.#inputs.get(name).value.trim()));
    const query = new URLSearchParams(this.#filled("query"));
    return query.size > 0 ? `${path}?${query}` : path;
  }

  #filled(place) {
    const those = this.#call.parameters.filter((one) => one.place === place);
    return those.map(({ name }) => [name, this.#inputs.get(name).value.trim()]).filter(([, value]) => value !== "");
  }

  #request() {
    const { method, body } = this.#call;
    const headers = {
      ...(method === "GET" ? {} : unsafeHeaders()),
      ...Object.fromEntries(this.#filled("header")),
      ...(body ? { "Content-Type": body.mediaType } : {}),
    };
    const sent = body?.example === null ? this.#body.files[0] : this.#body?.value;
    return { method, url: this.#url(), options: { method, headers, body: sent } };
  }

  #asCommand() {
    const { method, body } = this.#call;
    const words = ["curl", ...(method === "GET" ? [] : ["-X", method]), "-H", '"Authorization: Bearer $TOKEN"'];
    for (const [name, value] of this.#filled("header")) words.push("-H", quoted(`${name}: ${value}`));
    if (body) words.push("-H", quoted(`Content-Type: ${body.mediaType}`));
    if (body) words.push(body.example === null ? `--data-binary @${quoted(this.#body.files[0].name)}` : `-d ${quoted(this.#body.value)}`);
    return [...words, quoted(location.origin + this.#url())].join(" ");
  }
}

function select(id, values) {
  return make("select", { id }, ...values.map((value) => make("option", { value, textContent: value })));
}

function buttonClass(method) {
  if (method === "DELETE") return "button button--danger";
  return method === "GET" ? "button button--main" : "button";
}

/** A word of a shell. */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
