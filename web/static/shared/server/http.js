/** Calls to this server, with one error type that says whether a retry makes sense. */

/** Statuses of temporary errors, after which a call can be retried. */
const PASSING = new Set([0, 408, 425, 429, 500, 502, 503, 504]);

const LOGGED_OUT = "You are no longer logged in, so nothing was changed. Reload this page to log in.";

export class CallError extends Error {
  /**
   * @param {number} status HTTP status; 0 if there was no response.
   * @param {string} message A sentence for people.
   * @param {object} details The problem details from the server (RFC 9457), or {}.
   * @param {number} retryAfterMs How long the server asks to wait; 0 if it does not say.
   */
  constructor(status, message, details = {}, retryAfterMs = 0) {
    super(message);
    this.status = status;
    this.details = details;
    this.retryAfterMs = retryAfterMs;
  }

  get isPassing() {
    return PASSING.has(this.status);
  }
}

/** Headers of a call that changes something. */
export function unsafeHeaders() {
  return { "X-CSRF-Token": contentOf(document, "csrf-token"), Accept: "application/json" };
}

/** Whether an answer may mean that the session of this page has ended. */
export function isLoggedOut(error) {
  return error.status === 401 || error.status === 403;
}

/** After a login in another tab: use the CSRF token of the new session, if it is the same person's. */
export async function renewToken() {
  const answer = await fetch("/account", { headers: { Accept: "text/html" } }).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (contentOf(page, "person") !== contentOf(document, "person")) return;
  document.querySelector('meta[name="csrf-token"]').content = contentOf(page, "csrf-token");
}

function contentOf(page, name) {
  return page.querySelector(`meta[name="${name}"]`)?.content ?? "";
}

/**
 * Send JSON and read JSON.
 *
 * @param {string} method
 * @param {string} url
 * @param {object} [body]
 * @param {AbortSignal} [signal]
 * @returns {Promise<object>} The response; {} without a body.
 * @throws {CallError}
 */
export async function callJson(method, url, body, signal) {
  const headers = { ...unsafeHeaders(), ...(body === undefined ? {} : { "Content-Type": "application/json" }) };
  let answer;
  try {
    answer = await fetch(url, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw noAnswer();
  }
  const text = await answer.text().catch(() => "");
  if (!answer.ok) throw errorFrom(answer.status, text, answer.headers.get("Retry-After"));
  return parsed(text);
}

/** The error of a connection that failed before a response. */
export function noAnswer() {
  return new CallError(0, "The server is not responding.");
}

/**
 * Turn an error response into a CallError with the server's sentence.
 *
 * @param {number} status
 * @param {string} text
 * @param {string|null} retryAfter The header, in seconds.
 */
export function errorFrom(status, text, retryAfter) {
  const details = parsed(text);
  // For 401, the server's sentence is about tokens, for programs.
  const sentence = status === 401 ? LOGGED_OUT : details.detail || details.message || details.title || `The server responded with error ${status}.`;
  const seconds = Number.parseFloat(retryAfter ?? "");
  return new CallError(status, String(sentence), details, Number.isFinite(seconds) ? seconds * 1000 : 0);
}

/** JSON as an object; {} for anything else, such as the error page of a proxy. */
export function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value !== null && typeof value === "object" ? value : {};
  } catch {
    return {};
  }
}
