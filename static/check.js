/* Self-checks: compare an answer with the right one and show the text that belongs to it.
   extensions/self_checks.py writes the forms and says what their attributes mean. */
(() => {
  "use strict";

  const FUNCTIONS = {
    exp: Math.exp, log: Math.log, ln: Math.log, sqrt: Math.sqrt, tanh: Math.tanh,
    sinh: Math.sinh, cosh: Math.cosh, sin: Math.sin, cos: Math.cos, abs: Math.abs,
  };
  const CONSTANTS = { pi: Math.PI, e: Math.E };

  /** Parse a formula such as 2 tanh(x/2); return a function of its variables, or throw. */
  function parse(text, variables) {
    const tokens = text.replace(/\u2212/g, "-").replace(/\*\*/g, "^")
      .match(/\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+|[A-Za-z]+\d*|[-+*/^()]|\S/g) || [];
    let at = 0;
    const peek = () => tokens[at];
    const take = (token) => (peek() === token ? (at++, true) : false);

    function sum() {
      let left = product();
      for (;;) {
        const a = left;
        if (take("+")) { const b = product(); left = (v) => a(v) + b(v); }
        else if (take("-")) { const b = product(); left = (v) => a(v) - b(v); }
        else return left;
      }
    }
    function product() {
      let left = signed();
      for (;;) {
        const a = left;
        if (take("*")) { const b = signed(); left = (v) => a(v) * b(v); }
        else if (take("/")) { const b = signed(); left = (v) => a(v) / b(v); }
        else if (peek() !== undefined && /^[\w(.]/.test(peek())) {
          const b = power(); left = (v) => a(v) * b(v);
        } else return left;
      }
    }
    function signed() {
      if (take("-")) { const a = signed(); return (v) => -a(v); }
      if (take("+")) return signed();
      return power();
    }
    function power() {
      const a = atom();
      if (!take("^")) return a;
      const b = signed();
      return (v) => a(v) ** b(v);
    }
    function atom() {
      const token = tokens[at++];
      if (token === undefined) throw new Error("the formula ends too early");
      if (token === "(") {
        const inside = sum();
        if (!take(")")) throw new Error("a bracket is not closed");
        return inside;
      }
      if (/^[\d.]/.test(token)) { const value = Number(token); return () => value; }
      if (token in variables) return (v) => v[token];
      if (Object.hasOwn(FUNCTIONS, token)) {
        if (!take("(")) throw new Error(`${token} needs brackets`);
        const inside = sum();
        if (!take(")")) throw new Error("a bracket is not closed");
        return (v) => FUNCTIONS[token](inside(v));
      }
      if (Object.hasOwn(CONSTANTS, token)) return () => CONSTANTS[token];
      const names = Object.keys(variables).join(", ");
      throw new Error(`"${token}" is not known here; the letters are ${names}`);
    }

    const whole = sum();
    if (at < tokens.length) throw new Error(`"${tokens[at]}" stands where nothing is expected`);
    return whole;
  }

  /** Whether two formulas have the same values at points spread over the variables' ranges. */
  function same(one, other, variables) {
    const f = parse(one, variables);
    const g = parse(other, variables);
    for (let n = 1; n <= 16; n++) {
      const point = {};
      Object.entries(variables).forEach(([name, [low, high]], k) => {
        point[name] = low + (high - low) * ((n * (0.618034 + 0.137 * k)) % 1);
      });
      const a = f(point);
      const b = g(point);
      if (!(Math.abs(a - b) <= 1e-6 * Math.max(1, Math.abs(b)))) return false;
    }
    return true;
  }

  function close(a, b, tolerance) {
    return Math.abs(a - b) <= tolerance * (Math.abs(b) || 1) + 1e-12;
  }

  /** Read a number as people write it: 0,5 and 1/4 and 62% too. */
  function number(text) {
    const plain = text.trim().replace(/\u2212/g, "-").replace(/^([-+]?\d+),(\d+)$/, "$1.$2");
    const percent = plain.endsWith("%");
    const value = parse(percent ? plain.slice(0, -1) : plain, {})({});
    return percent ? value / 100 : value;
  }

  /** Return which feedback an answer gets, and whether it is right; throw if it cannot be read. */
  function judge(form, given) {
    const { kind, answer, tolerance, variables, near } = form.dataset;
    if (kind === "choice") return { key: given, right: given === answer };
    const ranges = variables ? JSON.parse(variables) : {};
    const matches = kind === "number"
      ? (value) => close(number(given), Number(value), Number(tolerance))
      : (value) => same(given, value, ranges);
    if (matches(answer)) return { key: "right", right: true };
    const which = (near ? JSON.parse(near) : []).findIndex(matches);
    return { key: which < 0 ? "wrong" : `near-${which}`, right: false };
  }

  function check(form) {
    const said = form.querySelector(".check-said");
    const chosen = form.querySelector("input:checked") || form.querySelector("input[type=text]");
    const given = chosen ? chosen.value.trim() : "";
    const mark = (right, content) => {
      said.dataset.right = String(right);
      said.replaceChildren(...content);
    };
    const words = (text) => Object.assign(document.createElement("p"), { textContent: text });
    if (!given) return mark(false, [words(chosen ? "Write an answer first." : "Choose an answer first.")]);
    try {
      const { key, right } = judge(form, given);
      const text = form.querySelector(`.check-feedback > [data-for="${CSS.escape(key)}"]`);
      mark(right, [...text.cloneNode(true).childNodes]);
    } catch (error) {
      mark(false, [words(`This cannot be read: ${error.message}.`)]);
    }
  }

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form.check");
    if (!form) return;
    event.preventDefault();
    check(form);
  });
})();
