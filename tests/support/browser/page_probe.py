"""A page's longest block (its long tasks, and the gaps between the ticks of a timer), and its heap."""

from playwright.sync_api import Page

PROBE = """() => {
  window.probe = { gaps: [], tasks: [] };
  let last = performance.now();
  setInterval(() => {
    const now = performance.now();
    window.probe.gaps.push(Math.max(0, now - last - 20));
    last = now;
  }, 20);
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => window.probe.tasks.push(entry.duration)))
    .observe({ type: "longtask" });
}"""


def start_probe(page: Page) -> None:
    """Begin to measure, on the document that is there now."""
    page.evaluate(PROBE)


def longest_block_ms(page: Page) -> float:
    """The longest time so far in which the page could not answer."""
    return float(page.evaluate("() => Math.max(0, ...window.probe.tasks, ...window.probe.gaps)"))


def heap_bytes(page: Page) -> int:
    """How much memory the page's scripts hold now, in steps of Chromium's choice."""
    return int(page.evaluate("() => performance.memory.usedJSHeapSize"))
