/** Errors of an upload: files that the browser can no longer read, and messages for users. */

export const CHANGED = "The file was changed, moved or deleted during the upload.";

/** Whether the browser can still read a dropped file. To a request, an unreadable file looks like a lost connection. */
export async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** The message during retries. */
export function waitSentence(ms, error) {
  const what = error.status === 0 ? "The server can’t be reached." : error.message;
  return `${what} Retrying in ${Math.max(1, Math.round(ms / 1000))} s.`;
}

/** The message for errors that need the user. */
export function haltSentence(error) {
  if (error.status === 401) return "You are no longer logged in. Log in again in another tab, then press Resume.";
  if (error.status === 410) return "This job was deleted, so the upload was stopped. Drop the folder again for a new upload.";
  return error.message;
}
