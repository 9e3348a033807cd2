/** Shows that a job has ended to somebody who looks elsewhere: in the title, and with a notification if that was asked for. */

const STORED = "pawsort-notify";

export class DoneNotice {
  #button = document.querySelector("[data-notify]");
  #title;

  /** @param {string} title Of the page, once the job has ended. */
  constructor(title) {
    this.#title = title;
    this.#button.addEventListener("click", () => this.#allow());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && document.title.startsWith("✓ ")) document.title = this.#title;
    });
  }

  /** The job is active: offer a notification, unless it was asked for already. Browsers have none on plain HTTP. */
  offer() {
    this.#button.hidden = !("Notification" in window) || !isSecureContext || Notification.permission === "denied" || this.#isOn;
  }

  /** The job has ended. */
  show(words) {
    this.#button.hidden = true;
    document.title = document.hidden ? `✓ ${this.#title}` : this.#title;
    if (!document.hidden || !this.#isOn) return;
    const notice = new Notification(this.#title, { body: words, icon: document.querySelector("link[rel=icon]").href });
    notice.addEventListener("click", () => window.focus());
  }

  async #allow() {
    if ((await Notification.requestPermission()) === "granted") localStorage.setItem(STORED, "on");
    this.offer();
  }

  get #isOn() {
    try {
      return Notification.permission === "granted" && localStorage.getItem(STORED) === "on";
    } catch {
      return false;
    }
  }
}
