/**
 * Logging out removes what this browser stores about jobs and uploads, whose names are private. Labels that are not sent yet stay under
 * the id of their person, and are sent at the next login.
 */

import { forgetUploads } from "../../upload/resume/storage.js";

/** Clear the storage when the form that logs out is sent. */
export function clearAtLogout() {
  document.querySelector("form.logout")?.addEventListener("submit", () => {
    forgetUploads();
    try {
      sessionStorage.clear();
    } catch {
      // Storage is disabled, so there is nothing to clear.
    }
  });
}
