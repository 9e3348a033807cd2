/** Heavy work in small pieces with breaks between them, so that the page can paint and answer. */

let line = Promise.resolve();

/**
 * Run a piece of work after those that were asked for before it, in a task of its own.
 *
 * @param {() => T} work
 * @returns {Promise<T>}
 * @template T
 */
export function inTurn(work) {
  const turn = line.then(pause).then(work);
  line = turn.catch(() => {});
  return turn;
}

/** Let everything that waits have its turn. A message, not a timer: timers of hidden tabs wait for up to a minute. */
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
