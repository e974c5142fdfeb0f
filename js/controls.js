/** Controls: each is bound to a trait both ways, has a label, and works by mouse and by keyboard. */

import { calm, freshId, h } from "./dom.js";

/** @import { App } from "./app.js" */

/**
 * @template {HTMLElement} F
 * @template {object} P
 * @param {App} app @param {string} name @param {F} field @param {() => void} update @param {P} parts
 */
function bound(app, name, field, update, parts) {
  update();
  app.on(name, () => {
    update();
    app.redraw();
  });
  return Object.assign(field, parts);
}

/**
 * A range input. `show(value)` is what stands beside it and is spoken; `to`, `from` bend it.
 * @param {App} app
 * @param {string} name
 * @param {{label: string, min: number, max: number, step: number, show?: (value: number) => string,
 *   to?: (place: number) => number, from?: (value: number) => number}} options
 */
export function slider(app, name, options) {
  const { label, min, max, step, show = String, to = (x) => x, from = (x) => x } = options;
  const id = freshId();
  const input = h("input", { type: "range", id, min, max, step });
  const output = h("output", { for: id });
  const update = () => {
    const value = app.get(name);
    if (to(Number(input.value)) !== value || !output.textContent) input.value = String(from(value));
    output.textContent = show(value);
    input.setAttribute("aria-valuetext", show(value));
  };
  input.addEventListener("input", () => app.set(name, to(Number(input.value))));
  const top = h("div", { class: "name" }, h("label", { for: id }, label), output);
  const field = h("div", { class: "field" }, top, input);
  return bound(app, name, field, update, { input });
}

/**
 * A menu of [value, text] pairs.
 * @param {App} app
 * @param {string} name
 * @param {{label: string, options: [string | number, string | number][]}} options
 */
export function menu(app, name, { label, options }) {
  const id = freshId();
  const items = options.map(([value, text]) => h("option", { value }, String(text)));
  const input = h("select", { id }, ...items);
  input.addEventListener("change", () => {
    const chosen = options.find(([option]) => String(option) === input.value);
    if (chosen) app.set(name, chosen[0]);
  });
  const field = h(
    "div",
    { class: "field narrow" },
    h("label", { for: id, class: "name" }, label),
    input,
  );
  const update = () => {
    input.value = String(app.get(name));
  };
  return bound(app, name, field, update, { input });
}

/** @param {App} app @param {string} name @param {{label: string}} options */
export function checkbox(app, name, { label }) {
  const input = h("input", { type: "checkbox" });
  input.addEventListener("change", () => app.set(name, input.checked));
  const field = h("label", { class: "field check" }, input, label);
  const update = () => {
    input.checked = app.get(name);
  };
  return bound(app, name, field, update, { input });
}

/** The first words that begin as typed: thousands of options would weigh on the page.
 * @param {string[]} words @param {string} begin
 */
export function completions(words, begin, most = 20) {
  const found = [];
  for (let i = 0; i < words.length && found.length < most; i++) {
    if (words[i].startsWith(begin)) found.push(words[i]);
  }
  return found;
}

/**
 * A word out of `words`, with completion; another word is refused, and the reason shown.
 * @param {App} app
 * @param {string} name
 * @param {{label: string, words: string[], index?: {has: (word: string) => boolean}}} options
 */
export function wordField(app, name, { label, words, index = new Set(words) }) {
  const id = freshId();
  const list = h("datalist", { id: `${id}-list` });
  const input = h("input", {
    id,
    list: list.id,
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    "aria-describedby": `${id}-problem`,
  });
  const problem = h("span", { id: `${id}-problem`, class: "problem", role: "alert" });
  const typed = () => input.value.trim().toLowerCase();
  /** @param {boolean} final */
  const take = (final) => {
    const word = typed();
    const known = index.has(word);
    if (known) app.set(name, word);
    problem.textContent = known || !final ? "" : `“${word}” is not among the ${words.length} words`;
    input.setAttribute("aria-invalid", String(!known && final));
  };
  const offer = () =>
    list.replaceChildren(...completions(words, typed()).map((value) => h("option", { value })));
  input.addEventListener("focus", offer);
  input.addEventListener("input", () => {
    offer();
    take(false);
  });
  input.addEventListener("change", () => take(true));
  const update = () => {
    if (typed() !== app.get(name)) input.value = app.get(name);
  };
  const name_ = h("label", { for: id, class: "name" }, label);
  const field = h("div", { class: "field" }, name_, input, problem, list);
  return bound(app, name, field, update, { input });
}

/** @param {string} label @param {() => void} press */
export function button(label, press) {
  const element = h("button", { type: "button" }, label);
  element.addEventListener("click", press);
  return element;
}

/**
 * A clock that calls `advance(seconds)` once a frame until that returns false or it is halted.
 * `changed(running)` is called when it starts and when it halts; it halts when the explorer ends
 * and when the reader comes to ask for little motion.
 */
export class Clock {
  /** @param {App} app @param {(seconds: number) => boolean} advance @param {(running: boolean) => void} changed */
  constructor(app, advance, changed) {
    this.advance = advance;
    this.changed = changed;
    this.running = 0;
    this.before = 0;
    app.onCalm(this.halt);
    app.ends.push(this.halt);
  }

  start() {
    this.before = performance.now();
    this.running = requestAnimationFrame(this.frame);
    this.changed(true);
  }

  halt = () => {
    cancelAnimationFrame(this.running);
    this.running = 0;
    this.changed(false);
  };

  /** @param {number} now */
  frame = (now) => {
    const passed = Math.min(0.1, Math.max(0, now - this.before) / 1000);
    this.before = now;
    if (this.advance(passed)) this.running = requestAnimationFrame(this.frame);
    else this.halt();
  };
}

/**
 * A button that lets trait `name` run from `from` to `to` in `seconds`, and halts it. Where the
 * reader asks for little motion it steps instead, to `next(value)` at each press.
 * @param {App} app
 * @param {string} name
 * @param {{from: () => number, to: () => number, seconds: number, next: (value: number) => number}} options
 */
export function player(app, name, { from, to, seconds, next }) {
  /** @param {number} passed */
  const advance = (passed) => {
    const value = app.get(name) + (passed * (to() - from())) / seconds;
    app.set(name, Math.min(value, to()));
    return value < to();
  };
  const press = () => {
    if (clock.running) return clock.halt();
    if (app.get(name) >= to()) app.set(name, from());
    else if (calm().matches) app.set(name, Math.min(next(app.get(name)), to()));
    if (!calm().matches) clock.start();
  };
  const element = button("Play", press);
  const clock = new Clock(app, advance, (running) => {
    element.textContent = running ? "Pause" : calm().matches ? "Next step" : "Play";
  });
  clock.halt();
  return element;
}

/**
 * Text of any kind. @param {App} app @param {string} name @param {string} label
 * @param {HTMLInputElement | HTMLTextAreaElement} input
 */
function typedText(app, name, label, input) {
  input.addEventListener("input", () => app.set(name, input.value));
  const update = () => {
    if (input.value !== app.get(name)) input.value = app.get(name);
  };
  const field = h(
    "div",
    { class: "field" },
    h("label", { for: input.id, class: "name" }, label),
    input,
  );
  return bound(app, name, field, update, { input });
}

/** A line of text. @param {App} app @param {string} name @param {{label: string}} options */
export function textField(app, name, { label }) {
  const plain = { autocomplete: "off", autocapitalize: "none", spellcheck: "false" };
  return typedText(app, name, label, h("input", { id: freshId(), type: "text", ...plain }));
}

/** Some lines of text. @param {App} app @param {string} name @param {{label: string, rows: number}} options */
export function textArea(app, name, { label, rows }) {
  return typedText(app, name, label, h("textarea", { id: freshId(), rows, spellcheck: "false" }));
}
