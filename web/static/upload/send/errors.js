/** What went wrong while sending: which files the browser can no longer read, and the sentences that a person gets. */

export const CHANGED = "The file was changed, moved or removed while it was being sent.";

/** Whether the browser can still read a file as it was when it was dropped. To a request, one that it cannot is a lost connection. */
export async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** While it is tried again. */
export function waitSentence(ms, error) {
  const what = error.status === 0 ? "The server cannot be reached." : error.message;
  return `${what} Trying again in ${Math.max(1, Math.round(ms / 1000))} s.`;
}

/** When only a person can mend it. */
export function haltSentence(error) {
  if (error.status === 401) return "You are no longer logged in. Log in again in another tab, then press Go on.";
  if (error.status === 410) return "This job has been deleted meanwhile, so nothing more was sent. Drop the folder again to send it as a new one.";
  return error.message;
}
