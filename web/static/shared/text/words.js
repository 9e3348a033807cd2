/** Numbers, sizes and times in words. web/pages/common/words.py does the same on the server. */

const NUMBER = new Intl.NumberFormat("en");
const UNITS = ["bytes", "KB", "MB", "GB", "TB"];

/** 20000 -> "20,000". */
export function count(n) {
  return NUMBER.format(n);
}

/** (1, "picture") -> "1 picture"; (2, "picture") -> "2 pictures". */
export function plural(n, noun) {
  return `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
}

/** Bytes -> "3.4 MB"; in decimal units, as in file managers. */
export function bytes(n) {
  let unit = 0;
  let value = n;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit > 0 && value < 9.95 ? tenths(value) : count(Math.round(value))} ${UNITS[unit]}`;
}

/** A limit in bytes -> "64 MB": what fits in either unit, and is a round number where the limit is. */
export function limit(n) {
  const power = [4, 3, 2].find((one) => n % 1024 ** one === 0);
  return n === 0 || power === undefined ? bytes(n) : `${count(n / 1024 ** power)} ${UNITS[power]}`;
}

/** Seconds -> "about 2 minutes". */
export function duration(seconds) {
  if (seconds < 5) return "a few seconds";
  if (seconds < 55) return `about ${Math.max(5, Math.round(seconds / 5) * 5)} seconds`;
  if (seconds < 55 * 60) return `about ${plural(Math.max(1, Math.round(seconds / 60)), "minute")}`;
  if (seconds < 36 * 3600) return `about ${plural(Math.max(1, Math.round(seconds / 3600)), "hour")}`;
  return `about ${plural(Math.round(seconds / 86400), "day")}`;
}

/** Pictures per second -> "850 pictures per second"; per minute below 1 per second. */
export function rate(perSecond) {
  if (perSecond >= 10) return `${count(Math.round(perSecond))} pictures per second`;
  if (perSecond >= 1) return `${tenths(perSecond)} pictures per second`;
  return `${plural(Math.round(perSecond * 60), "picture")} per minute`;
}

function tenths(value) {
  return (Math.round(value * 10) / 10).toFixed(1);
}

/** 0.8734 -> "87 %"; rounds down, so that 99.9 % never becomes 100 %. */
export function percent(share) {
  return `${Math.floor(Math.round(share * 1e6) / 1e4)} %`;
}

/** Whole percent of a total, 0 while the total is unknown. */
export function percentOf(part, total) {
  return total > 0 ? Math.floor((100 * part) / total) : 0;
}

/** "cat" -> "Cat". */
export function label(name) {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

/** Show every <time> of the page in the reader's time zone and format. */
export function localTimes(root = document) {
  const day = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
  for (const element of root.querySelectorAll("time[datetime]")) {
    const when = new Date(element.dateTime);
    if (!Number.isNaN(when.getTime())) element.textContent = day.format(when);
  }
}
