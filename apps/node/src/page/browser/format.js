/** Numbers, times and sizes as people read them. */

const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const tenths = new Intl.NumberFormat("en-US", { maximumFractionDigits: 1 });

/** @param {number} value */
export function count(value) {
  return Math.abs(value) < 100_000 ? whole.format(value) : compact.format(value);
}

/** @param {number} value */
export function rate(value) {
  return value < 10 ? tenths.format(value) : count(value);
}

/**
 * A duration, with the unit that fits.
 *
 * @param {number | null | undefined} ms
 */
export function milliseconds(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 1) return `${whole.format(ms * 1000)} µs`;
  if (ms < 100) return `${tenths.format(ms)} ms`;
  if (ms < 10_000) return `${whole.format(ms)} ms`;
  return duration(ms);
}

/** @param {number} ms */
export function duration(ms) {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** @param {number} value */
export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${unit === 0 ? whole.format(value) : tenths.format(value)} ${units[unit]}`;
}

/**
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 */
export function plural(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}
