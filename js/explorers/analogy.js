/** The analogy explorer: who answers a : b :: c : ?, how clearly, and since which dimension or time. */

import { explorer } from "../app.js";
import { menu, slider, wordField } from "../controls.js";
import { freshId, h, s } from "../dom.js";
import { fixed, show } from "../format.js";
import { apart, label, upright } from "../marks.js";
import { spaced } from "../plot.js";
import { best, cosines, decode, growing, only, passing, squares } from "../space.js";
import { learningTime, square } from "../theory.js";

/** @import { App } from "../app.js" */
/** @import { Space, Step } from "../space.js" */

export { best, cosines, decode, growing, only, passing, squares };

const LINES = 6;
const ANSWERS = 8;
const MOMENTS = 60;
const BUDGET = 4; // milliseconds a frame for what may come later
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 2], [1, 4]];
const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];

/** s_k(t)^2 of Lemma 3.1 for the eigenvalues of the first `dim` modes, t in units of tau_1.
 * @param {ArrayLike<number>} eigenvalues @param {number} start @param {number} time @param {number} dim
 */
export function weights(eigenvalues, start, time, dim) {
  const t = time * learningTime(eigenvalues[0], start);
  return Float64Array.from({ length: dim }, (_, k) => square(eigenvalues[k], start, t));
}

/** The pairs (category, a, b) say what c is to: the answer's row, or -1 where they are silent.
 * @param {ArrayLike<number>} pairs @param {number[]} asked
 */
export function listed(pairs, [a, b, c]) {
  const rows = Array.from({ length: pairs.length / 3 }, (_, row) => 3 * row);
  const alike = rows.filter((row) => pairs[row + 1] === a && pairs[row + 2] === b);
  const like = new Set(alike.map((row) => pairs[row]));
  const answers = rows.filter((row) => like.has(pairs[row]) && pairs[row + 1] === c);
  const fresh = answers.find((row) => ![a, b, c].includes(pairs[row + 2]));
  return fresh === undefined ? -1 : pairs[fresh + 2];
}

/** Stretches of equal leaders: [row, first index, last index].
 * @param {number[]} leads
 */
export function stretches(leads) {
  /** @type {[number, number, number][]} */
  const found = [];
  leads.forEach((row, i) => {
    const last = found[found.length - 1];
    if (last && last[0] === row) last[2] = i;
    else found.push([row, i, i]);
  });
  return found;
}

/** @typedef {{answer: number, expected: number, drawn: number[]}} Question the answer to expect, and whom to draw */
/** @typedef {{curves: number[][], leads: number[], steps: Iterator<Step>}} Chart */
/** @typedef {"dim" | "time"} Against */

/** The colour of the word in a slot of the chart. @param {number} slot */
const slotColor = (slot, other = "line") => (slot < 0 ? other : `m${slot + 1}`);

class Analogy {
  /** @param {App} app */
  constructor(app) {
    const { modes, step, words } = app.data;
    this.app = app;
    this.words = new TextDecoder()
      .decode(/** @type {Uint8Array<ArrayBuffer>} */ (words))
      .split("\n");
    this.rowOf = new Map(this.words.map((word, row) => [word, row]));
    this.space = decode({ modes, step });
    this.dims = modes.shape[0];
    const [early, late] = app.texts.times;
    this.early = early;
    this.late = late;
    this.moments = spaced(early, late, MOMENTS, true);
    this.axis = {
      dim: { x: [0, this.dims], values: Array.from({ length: this.dims - 1 }, (_, i) => i + 2) },
      time: { x: [early, late], values: this.moments },
    };
    /** @type {Map<string, {text: string, value: unknown}>} */
    this.kept = new Map();
    this.plot = app.plot({
      label: "Cosines of the leading answers, and who leads",
      height: 300,
      margin: { top: 34, right: 92 },
      xLabel: "dimension d",
      yLabel: "cosine to the query",
    });
    this.caption = h("caption");
    this.rows = Array.from({ length: ANSWERS }, () => {
      const [word, cosine, bar] = [h("th", { scope: "row" }), h("td"), h("i")];
      const row = h("tr", {}, word, cosine, h("td", { class: "bar", "aria-hidden": "true" }, bar));
      return { word, cosine, bar, row };
    });
    const body = h("tbody", {}, ...this.rows.map(({ row }) => row));
    const table = h("table", { class: "answers" }, this.caption, body);
    this.menu = this.examples();
    this.said = app.readout();
    app.body.append(
      this.questions(),
      this.sliders(),
      h("div", { class: "beside wide" }, this.plot.box, table),
      this.said.element,
    );
  }

  /** A menu of questions. */
  examples() {
    const { app } = this;
    /** @type {[string, string, string][]} */
    const examples = app.texts.examples;
    const own = h("option", { value: "", disabled: true, hidden: true }, "your own");
    const options = examples.map(([a, b, c], i) =>
      h("option", { value: i }, `${a} : ${b} :: ${c} : ?`),
    );
    const element = h("select", { id: freshId() }, own, ...options);
    element.addEventListener("change", () => {
      if (!element.value) return;
      examples[Number(element.value)].forEach((word, i) => {
        app.set("abc"[i], word);
      });
    });
    return element;
  }

  questions() {
    const { app, words, rowOf: index, menu } = this;
    const example = h("label", { for: menu.id, class: "name" }, "example");
    return h(
      "div",
      { class: "controls words" },
      wordField(app, "a", { label: "word a", words, index }),
      wordField(app, "b", { label: "is to b", words, index }),
      wordField(app, "c", { label: "as c is to …", words, index }),
      h("div", { class: "field narrow" }, example, menu),
    );
  }

  sliders() {
    const { app, early, dims } = this;
    const ratio = this.late / early;
    return h(
      "div",
      { class: "controls" },
      slider(app, "dim", { label: "dimension d", min: 2, max: dims, step: 1 }),
      slider(app, "time", {
        label: "training time t / τ₁",
        min: 0,
        max: 400,
        step: 1,
        show: (t) => show(t),
        to: (p) => Number((early * ratio ** (p / 400)).toPrecision(3)),
        from: (t) => Math.round((400 * Math.log(t / early)) / Math.log(ratio)),
      }),
      menu(app, "against", {
        label: "chart against",
        options: [
          ["dim", "dimension"],
          ["time", "time"],
        ],
      }),
    );
  }

  /** @param {number} time @param {number} dim */
  at = (time, dim) => weights(this.app.data.eigenvalues, this.app.texts.start, time, dim);

  /** A number on an axis, in words. @param {Against} against @param {number} value */
  name = (against, value) => (against === "dim" ? `d = ${value}` : `t = ${show(value)} τ₁`);

  /** What was computed for a key, kept until the key changes.
   * @template T
   * @param {string} name @param {unknown[]} key @param {() => T} compute
   */
  keep(name, key, compute) {
    const text = key.join();
    const last = this.kept.get(name);
    if (last?.text === text) return /** @type {T} */ (last.value);
    const value = compute();
    this.kept.set(name, { text, value });
    return value;
  }

  /** What depends on the words alone. @param {number[]} asked @returns {Question} */
  ask(asked) {
    const { space, app } = this;
    const answer = listed(app.data.pairs, asked);
    const final = best(cosines(space, asked, this.at(this.late, this.dims)), LINES, asked);
    const expected = answer < 0 ? final[0] : answer;
    return { answer, expected, drawn: [...new Set([expected, ...final])].slice(0, LINES) };
  }

  /** Weights at each moment. Modes that have yet to rise add nothing to a sum: leaving them out saves
   * half of the work.
   * @param {number} dim
   */
  awake(dim) {
    return this.moments.map((moment) => {
      const all = this.at(moment, dim);
      return all.filter((w) => w > 1e-14 * all[0]);
    });
  }

  /** The curves of the drawn words, at once, and the leaders among all words, as they come.
   * @param {number[]} asked @param {Question} question @param {Against} against
   * @param {number} time @param {number} dim
   * @returns {Chart}
   */
  run(asked, { drawn }, against, time, dim) {
    const few = only(this.space, [...asked, ...drawn]);
    const rows = drawn.map((_, slot) => slot + 3);
    const lists = against === "time" && this.awake(dim);
    /** @param {Space} space @param {number[]} of @param {number[]} followed */
    const begin = (space, of, followed) => {
      if (lists) return passing(space, of, lists, followed);
      const steps = growing(space, of, this.at(time, this.dims), followed);
      steps.next(); // with one mode all cosines are 1 or -1
      return steps;
    };
    const curves = [...begin(few, [0, 1, 2], rows)].map(({ scores }) => scores);
    return { curves, leads: [], steps: begin(this.space, asked, []) };
  }

  /** Go on with the leaders for a few milliseconds; the rest in the frames to come. @param {Chart} chart */
  goOn({ leads, steps }) {
    for (const end = performance.now() + BUDGET; performance.now() < end; ) {
      const step = steps.next();
      if (step.done) return;
      leads.push(step.value.lead);
    }
  }

  /** @param {Question} question @param {Chart} chart @param {Against} against @param {number} value */
  drawChart({ drawn }, { leads, curves }, against, value) {
    const { plot, app, words } = this;
    const { x, values } = this.axis[against];
    const log = against === "time";
    const least = Math.min(...curves.slice(values.length / 10).flat());
    plot.xLabel = log ? "training time t / τ₁" : "dimension d";
    plot.range({
      x,
      y: [Math.floor(10 * least) / 10, 1],
      log,
      xTicks: log ? [1, 2, 5, 10, 20] : undefined,
    });
    plot.begin();
    const { right, bottom } = plot.inner;
    drawn.forEach((_, slot) => {
      plot.line(
        values,
        curves.map((scores) => scores[slot]),
        {
          color: app.color(slotColor(slot)),
          dash: DASHES[slot],
          width: slot ? 1.5 : 3,
        },
      );
    });
    plot.end();
    const last = curves[curves.length - 1];
    const places = apart(
      drawn.map((_, slot) => Math.min(bottom, plot.y(last[slot]))),
      14,
    );
    const rise = Math.max(0, Math.max(...places) - bottom);
    const named = drawn.map((row, slot) =>
      label(right + 6, places[slot] - rise + 4, words[row], { color: slotColor(slot) }),
    );
    const cursor = upright(plot, value, { d: `M${plot.x(value)},${plot.inner.top - 6}V${bottom}` });
    plot.layer.replaceChildren(...this.leaders(drawn, leads, values), ...named, cursor);
  }

  /** Who leads where, as a strip above the chart. @param {number[]} drawn @param {number[]} leads @param {number[]} values */
  leaders(drawn, leads, values) {
    const { plot, words } = this;
    const { left, right, top } = plot.inner;
    /** @param {number} i */
    const edge = (i) => {
      if (i <= 0) return left;
      return i >= values.length ? right : (plot.x(values[i - 1]) + plot.x(values[i])) / 2;
    };
    const strip = stretches(leads).flatMap(([row, first, last]) => {
      const slot = drawn.indexOf(row);
      const from = edge(first);
      const wide = edge(last + 1) - from;
      const style = `fill:var(--${slotColor(slot)})`;
      const bar = s("rect", { x: from, y: top - 14, width: wide, height: 7, style });
      if (wide <= 7 * words[row].length + 6) return [bar];
      const color = slotColor(slot, "muted");
      return [bar, label(from + wide / 2, top - 18, words[row], { color, anchor: "middle" })];
    });
    return [...strip, label(left - 7, top - 7, "leads", { color: "muted", anchor: "end" })];
  }

  here = () =>
    `${this.name("dim", this.app.get("dim"))}, ${this.name("time", this.app.get("time"))}`;

  /** @param {number[]} found @param {Float64Array} scores @param {Question} question */
  drawTable(found, scores, { drawn, expected }) {
    this.rows.forEach(({ word, cosine, bar, row }, i) => {
      const score = scores[found[i]];
      word.textContent = this.words[found[i]];
      cosine.textContent = fixed(score, 3);
      bar.style.width = `${Math.max(0, 100 * score)}%`;
      bar.style.background = `var(--${slotColor(drawn.indexOf(found[i]))})`;
      row.className = found[i] === expected ? "expected" : "";
    });
    this.caption.textContent = `At ${this.here()}`;
  }

  /** Since when the expected answer leads, in words; nothing while that is still being found out.
   * @param {Question} question @param {Chart} chart @param {Against} against
   */
  lead({ expected }, { leads }, against) {
    const { values } = this.axis[against];
    const last = values.length - 1;
    if (leads.length <= last) return "";
    const over = `Against ${against === "dim" ? "the dimension" : "time"}, ${this.words[expected]}`;
    const spans = stretches(leads).filter(([row]) => row === expected);
    if (!spans.length) return `${over} never leads.`;
    /** @param {number} i */
    const name = (i) => this.name(against, values[i]);
    const [, from, to] = spans[spans.length - 1];
    const earlier = spans.length > 1 ? ` first leads at ${name(spans[0][1])}, and` : "";
    const where =
      to === last
        ? `for good from ${name(from)} on`
        : `for the last time from ${name(from)} to ${name(to)}`;
    return `${over}${earlier} leads ${where}.`;
  }

  draw() {
    const { app, space, words } = this;
    const [a, b, c, dim, time, against] = ["a", "b", "c", "dim", "time", "against"].map(app.get);
    const asked = [a, b, c].map((word) => this.rowOf.get(word) ?? 0);
    const question = this.keep("ask", asked, () => this.ask(asked));
    const fixedAt = against === "dim" ? time : dim;
    const chart = this.keep("run", [...asked, against, fixedAt], () =>
      this.run(asked, question, against, time, dim),
    );
    this.goOn(chart);
    if (chart.leads.length < this.axis[/** @type {Against} */ (against)].values.length)
      app.redraw();
    const weight = this.at(time, dim);
    const scores = cosines(
      space,
      asked,
      weight,
      this.keep("squares", [dim, time], () => squares(space, weight)),
    );
    const found = best(scores, ANSWERS, asked);
    const example = app.texts.examples.findIndex(
      (/** @type {string[]} */ e) => e.join() === [a, b, c].join(),
    );
    this.menu.value = example < 0 ? "" : String(example);
    this.drawChart(question, chart, against, against === "dim" ? dim : time);
    this.drawTable(found, scores, question);
    const { answer, expected } = question;
    const place = found.indexOf(expected);
    const whose = answer < 0 ? "the answer at the end" : "the answer of Google’s list";
    const [first, second] = found;
    this.said.say(
      [
        `${a} is to ${b} as ${c} is to ${words[first]}, ${scores[first].toFixed(3)},`,
        `ahead of ${words[second]}, ${scores[second].toFixed(3)}, at ${this.here()}.`,
        place === 0 ? "" : `${words[expected]}, ${whose}, is ${ORDINALS[place] ?? "further down"}.`,
        this.lead(question, chart, against),
      ]
        .filter(Boolean)
        .join(" "),
    );
  }
}

export const { render, mount } = explorer(Analogy);
