"""Pages whose time a test can turn forward, and which note what they ask: that nothing is asked is seen at once."""

from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page

MINUTE_MS = 60_000
BEGIN = datetime(2026, 11, 5, tzinfo=UTC)

# An answer counts as read when whoever awaited it has had its turn.
NOTE = """() => {
  window.asked = [];
  window.answered = [];
  const turn = () => new Promise((done) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(null);
  });
  const send = window.fetch;
  window.fetch = (address, ...given) => {
    window.asked.push(String(address));
    const answer = send(address, ...given);
    const note = () => turn().then(turn).then(() => window.answered.push(String(address)));
    answer.then((one) => one.clone().text()).then(note, note);
    return answer;
  };
  const open = XMLHttpRequest.prototype.open;
  XMLHttpRequest.prototype.open = function (method, address, ...given) {
    window.asked.push(String(address));
    return open.call(this, method, address, ...given);
  };
}"""
COUNT = "([list, end]) => window[list].filter((address) => address.endsWith(end)).length"


def take_time(page: Page, stands_still: bool = False) -> None:
    """From its next address on, the page's time is ours. It runs as ever, unless it stands still."""
    page.add_init_script(f"({NOTE})()")
    page.clock.install(time=BEGIN)
    if stands_still:
        page.clock.pause_at(BEGIN + timedelta(seconds=1))


def turn(page: Page, ms: float = MINUTE_MS) -> None:
    """Let so much time pass now; every timer that comes due has run when this returns."""
    page.clock.run_for(ms)


def n_asked(page: Page, end: str) -> int:
    """How many requests the page's scripts have begun to addresses with this end."""
    return int(page.evaluate(COUNT, ["asked", end]))


def wait_until_answered(page: Page, end: str, n: int) -> None:
    """Wait until so many of them have been answered, and the page has done what follows from it."""
    page.wait_for_function(f"([n, ...given]) => ({COUNT})(given) >= n", arg=[n, "answered", end])
