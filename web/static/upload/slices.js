/** Heavy pieces of work, one at a time and with a break before each, so that the page can paint and answer in between. */

let line = Promise.resolve();

/**
 * @param {() => T} work
 * @returns {Promise<T>}
 * @template T
 */
export function inTurn(work) {
  const turn = line.then(pause).then(work);
  line = turn.catch(() => {});
  return turn;
}

/** Let everything else have its turn. Timers of hidden tabs wait for up to a minute, messages do not. */
function pause() {
  return new Promise((resolve) => {
    if (!document.hidden) {
      setTimeout(resolve, 0);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
