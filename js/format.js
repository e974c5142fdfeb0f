/** Numbers as the explorers write them. */

/** A true minus sign. @param {string} text */
export const signed = (text) => text.replace("-", "−");

/** A number with `digits` significant digits. @param {number} x */
export const show = (x, digits = 3) =>
  signed(Number.isFinite(x) ? String(Number(x.toPrecision(digits))) : "∞");

/** A number with `digits` decimals. @param {number} x */
export const fixed = (x, digits = 2) => signed(x.toFixed(digits));

/** Ten to an integer power, in superscript. @param {number} n */
export const power = (n) =>
  `10${[...String(n)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(c)] ?? "⁻").join("")}`;

/** A small number as a product with a power of ten. @param {number} x @param {number} digits */
export function scientific(x, digits) {
  if (x === 0) return "0";
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  return `${mantissa} × ${power(Number(exponent))}`;
}

/** Ten to any power. @param {number} log */
export const powerText = (log) => (Number.isInteger(log) ? power(log) : scientific(10 ** log, 2));

/** The scale of a start from its logarithm. @param {number} log */
export const startText = (log) => (log > -2.05 ? show(10 ** log, 2) : powerText(log));

/** @param {number} share */
export const percent = (share) => `${(100 * share).toFixed(1)}%`;

/** @param {number} n */
export const grouped = (n) => n.toLocaleString("en");

/** How many modes, in words. @param {number} n */
export const modes = (n) => (n === 1 ? "1 mode" : `${n} modes`);
