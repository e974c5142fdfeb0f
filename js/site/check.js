/**
 * Self-checks: compare an answer with the right one and show the text that belongs to it.
 * extensions/self_checks.py writes the forms and says what their attributes mean.
 */

import { number, same } from "./formula.js";

/** @param {number} a @param {number} b @param {number} tolerance relative, or absolute about zero */
const close = (a, b, tolerance) => Math.abs(a - b) <= tolerance * (Math.abs(b) || 1) + 1e-12;

/** Return which feedback an answer gets, and whether it is right; throw if it cannot be read.
 * @param {HTMLFormElement} form @param {string} given
 */
function judge(form, given) {
  const { kind, answer = "", tolerance, variables, near } = form.dataset;
  if (kind === "choice") return { key: given, right: given === answer };
  const ranges = variables ? JSON.parse(variables) : {};
  /** @param {string | number} value */
  const matches = (value) =>
    kind === "number"
      ? close(number(given), Number(value), Number(tolerance))
      : same(given, String(value), ranges);
  if (matches(answer)) return { key: "right", right: true };
  const which = (near ? JSON.parse(near) : []).findIndex(matches);
  return { key: which < 0 ? "wrong" : `near-${which}`, right: false };
}

/** @param {string} text */
const words = (text) => Object.assign(document.createElement("p"), { textContent: text });

/** What is said of the answer that a form holds.
 * @param {HTMLFormElement} form
 * @returns {{right: boolean, content: Node[]}}
 */
function verdict(form) {
  /** @type {HTMLInputElement | null} */
  const chosen = form.querySelector("input:checked") ?? form.querySelector("input[type=text]");
  if (!chosen) return { right: false, content: [words("Choose an answer first.")] };
  const given = chosen.value.trim();
  if (!given) return { right: false, content: [words("Write an answer first.")] };
  try {
    const { key, right } = judge(form, given);
    const text = form.querySelector(`.check-feedback > [data-for="${CSS.escape(key)}"]`);
    return { right, content: [...(text?.cloneNode(true).childNodes ?? [])] };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { right: false, content: [words(`This cannot be read: ${why}.`)] };
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!(form instanceof HTMLFormElement && form.matches("form.check"))) return;
  event.preventDefault();
  /** @type {HTMLElement | null} */
  const said = form.querySelector(".check-said");
  const { right, content } = verdict(form);
  if (!said) return;
  said.dataset.right = String(right);
  said.replaceChildren(...content);
});
