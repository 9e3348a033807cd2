/** Heavy work in small pieces with breaks between them, so that the page can paint and answer. */

let line = Promise.resolve();

/**
 * Run a piece of work after those that were asked for before it, when everything else has had its turn.
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

/** End this task and go on in a new one at once. */
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

/** A few milliseconds that are free for others. Timers of hidden tabs wait for up to a minute; those have nothing to paint. */
export function rest() {
  return document.hidden ? pause() : new Promise((resolve) => setTimeout(resolve, 0));
}
