/** Labels that a person gives one by one: sent in the background, each once, and undone to any depth. */

import { UndoSteps } from "./undo_steps.js";
import { newUuid } from "../shared/server/uuid.js";
import { Outbox } from "./outbox.js";

export class Labelling {
  #outbox;
  #steps;
  #audit;

  /**
   * @param {{user: string, name: string, page?: string, audit?: string, onChange: (unsent: number) => void,
   *   onTrouble: (error: Error|null) => void, onRefused: (error: Error) => void}} options
   *   name: of the steps to undo. page: the id of this page, among others of the same user.
   */
  constructor({ user, name, page = newUuid(), audit = "", onChange, onTrouble, onRefused }) {
    this.#audit = audit;
    this.#steps = new UndoSteps(name);
    this.#outbox = new Outbox(user, page, {
      onChange: () => onChange(this.unsent),
      onTrouble,
      onRefused: (entry, error) => onRefused(error),
    });
    addEventListener("beforeunload", (event) => this.unsent > 0 && event.preventDefault());
    addEventListener("pagehide", () => this.#outbox.part());
  }

  /** The number of labels that the server does not have yet. */
  get unsent() {
    return this.#outbox?.size ?? 0;
  }

  /** The images with unsent changes. */
  get images() {
    return this.#outbox.images;
  }

  /** The images with an unsent label that is not undone. */
  get labelled() {
    return this.#outbox.labelled;
  }

  get canUndo() {
    return this.#steps.size > 0;
  }

  /** @param {{image_id: number, label: string|null}} picture `label`: the one that is shown to be confirmed or corrected. */
  give(picture, label) {
    const key = newUuid();
    const source = label === picture.label ? "confirmation" : "correction";
    this.#steps.push({ picture, key, label });
    this.#outbox.add({ image_id: picture.image_id, label, source, key }, this.#audit);
  }

  /** Pass over a picture, which can be undone as well. */
  skip(picture) {
    this.#steps.push({ picture, key: "", label: "" });
  }

  /** Undo the last step, and return it; undefined if there is none. */
  undo() {
    const step = this.#steps.pop();
    if (step?.key) this.#outbox.add({ image_id: step.picture.image_id, undoes: step.key, key: newUuid() }, this.#audit);
    return step;
  }
}
