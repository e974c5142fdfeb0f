/** Formulas as readers type them, 2 tanh(x/2) or 1/4 or 62%: read, and compared by their values. */

/** @typedef {Record<string, number>} Point */
/** @typedef {(point: Point) => number} Formula */
/** @typedef {Record<string, [number, number]>} Ranges the letters of a formula, from where to where */

/** @type {Record<string, (x: number) => number>} */
const FUNCTIONS = {
  exp: Math.exp,
  log: Math.log,
  ln: Math.log,
  sqrt: Math.sqrt,
  tanh: Math.tanh,
  sinh: Math.sinh,
  cosh: Math.cosh,
  sin: Math.sin,
  cos: Math.cos,
  abs: Math.abs,
};
/** @type {Record<string, number>} */
const CONSTANTS = { pi: Math.PI, e: Math.E };
const TOKEN = /\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|[A-Za-z]+\d*|[-+*/^()]|\S/g;
const POINTS = 16;

/** One reading of a text, by recursive descent: each method takes what it is named after. */
class Reading {
  /** @param {string} text @param {Ranges} variables */
  constructor(text, variables) {
    this.tokens = text.replaceAll("\u2212", "-").replaceAll("**", "^").match(TOKEN) ?? [];
    this.variables = variables;
    this.at = 0;
  }

  /** Take the next token if it is this one. @param {string} token */
  take(token) {
    if (this.tokens[this.at] !== token) return false;
    this.at++;
    return true;
  }

  /** @returns {Formula} */
  sum() {
    let left = this.product();
    for (;;) {
      const a = left;
      if (this.take("+")) {
        const b = this.product();
        left = (v) => a(v) + b(v);
      } else if (this.take("-")) {
        const b = this.product();
        left = (v) => a(v) - b(v);
      } else return left;
    }
  }

  /** A sign of multiplication may be left out: 2 tanh(x). @returns {Formula} */
  product() {
    let left = this.signed();
    for (;;) {
      const a = left;
      if (this.take("/")) {
        const b = this.signed();
        left = (v) => a(v) / b(v);
      } else if (this.take("*")) {
        const b = this.signed();
        left = (v) => a(v) * b(v);
      } else if (/^[\w(.]/.test(this.tokens[this.at] ?? "")) {
        const b = this.power();
        left = (v) => a(v) * b(v);
      } else return left;
    }
  }

  /** @returns {Formula} */
  signed() {
    if (this.take("-")) {
      const a = this.signed();
      return (v) => -a(v);
    }
    return this.take("+") ? this.signed() : this.power();
  }

  /** @returns {Formula} */
  power() {
    const a = this.atom();
    if (!this.take("^")) return a;
    const b = this.signed();
    return (v) => a(v) ** b(v);
  }

  /** @returns {Formula} */
  atom() {
    const token = this.tokens[this.at++];
    if (token === undefined) throw new Error("the formula ends too early");
    if (token === "(") return this.rest();
    if (/^[\d.]/.test(token)) return () => Number(token);
    if (Object.hasOwn(this.variables, token)) return (v) => v[token];
    if (Object.hasOwn(FUNCTIONS, token)) {
      if (!this.take("(")) throw new Error(`${token} needs brackets`);
      const inside = this.rest();
      return (v) => FUNCTIONS[token](inside(v));
    }
    if (Object.hasOwn(CONSTANTS, token)) return () => CONSTANTS[token];
    const names = Object.keys(this.variables).join(", ");
    throw new Error(`"${token}" is not known here; the letters are ${names}`);
  }

  /** What stands in brackets, after the first of them. @returns {Formula} */
  rest() {
    const inside = this.sum();
    if (!this.take(")")) throw new Error("a bracket is not closed");
    return inside;
  }

  /** @returns {Formula} */
  whole() {
    const formula = this.sum();
    const left = this.tokens[this.at];
    if (left !== undefined) throw new Error(`"${left}" stands where nothing is expected`);
    return formula;
  }
}

/** Read a formula; throw, with a message for the reader, where it is none.
 * @param {string} text @param {Ranges} variables
 */
export const parse = (text, variables) => new Reading(text, variables).whole();

/** Whether two formulas have the same values at points spread over the variables' ranges.
 * @param {string} one @param {string} other @param {Ranges} variables
 */
export function same(one, other, variables) {
  const [f, g] = [parse(one, variables), parse(other, variables)];
  for (let n = 1; n <= POINTS; n++) {
    const spread = Object.entries(variables).map(([name, [low, high]], k) => [
      name,
      low + (high - low) * ((n * (0.618034 + 0.137 * k)) % 1),
    ]);
    /** @type {Point} */
    const point = Object.fromEntries(spread);
    const [a, b] = [f(point), g(point)];
    if (!(Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b)))) return false;
  }
  return true;
}

/** Read a number as people write it: 0,5 and 1/4 and 62% too. @param {string} text */
export function number(text) {
  const typed = text.trim().replaceAll("\u2212", "-");
  const plain = typed.replace(/^([-+]?\d+),(\d+)$/, "$1.$2");
  const percent = plain.endsWith("%");
  const value = parse(percent ? plain.slice(0, -1) : plain, {})({});
  return percent ? value / 100 : value;
}
