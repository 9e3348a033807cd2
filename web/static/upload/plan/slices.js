/** Heavy work in small pieces with breaks between them, so that the page stays responsive. */

let line = Promise.resolve();

/**
 * Run a piece of work after all earlier pieces, with a break before it.
 *
 * @param {() => T} work
 * @returns {Promise<T>}
 * @template T
 */
export function inTurn(work) {
  const turn = line.then(rest).then(work);
  line = turn.catch(() => {});
  return turn;
}

/** Continue in a new task at once. */
export function pause() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** A break of a few milliseconds. In hidden tabs, where timers may wait for a minute and nothing is painted, there is no break. */
export function rest() {
  return document.hidden ? pause() : new Promise((resolve) => setTimeout(resolve, 0));
}
