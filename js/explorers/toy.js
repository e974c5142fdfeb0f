/** Four words and a few lines of text: every table of the book, counted anew at each key. */

import { explorer } from "../app.js";
import { slider, textArea, textField } from "../controls.js";
import { h } from "../dom.js";
import { fixed, show, startText } from "../format.js";
import { eigenpairs } from "../linalg.js";
import { apart, label } from "../marks.js";
import { spaced } from "../plot.js";
import { learningTime, sigmoid } from "../theory.js";

/** @import { App } from "../app.js" */

/** The words of a text: letters with the marks on them, lowercased, as qw2v.text.words has them.
 * @param {string} text
 */
export const wordsOf = (text) =>
  text
    .normalize("NFC")
    .toLowerCase()
    .match(/\p{L}[\p{L}\p{M}]*/gu) ?? [];

/**
 * Counts of `words` and of their pairs in a text whose lines are documents. Other words are removed
 * first; two words at a distance of at most `window` then weigh window + 1 - distance.
 * @param {string} text @param {string[]} words @param {number} window
 */
export function countIn(text, words, window) {
  const V = words.length;
  const counts = new Array(V).fill(0);
  const pairs = new Float64Array(V * V);
  for (const line of text.split(/\r\n|\r|\n/)) {
    const rows = wordsOf(line)
      .map((word) => words.indexOf(word))
      .filter((row) => row >= 0);
    rows.forEach((row, at) => {
      counts[row]++;
      for (let gap = 1; gap <= window && gap <= at; gap++) {
        const other = rows[at - gap];
        pairs[row * V + other] += window + 1 - gap;
        pairs[other * V + row] += window + 1 - gap;
      }
    });
  }
  return { counts, pairs };
}

/** @param {ArrayLike<number>} values */
const total = (values) => Array.from(values).reduce((a, b) => a + b, 0);

/**
 * P_i, P_ij and M* = 2 (P_ij - P_i P_j) / (P_ij + P_i P_j) of counts, and the eigenpairs of M*.
 * @param {{counts: number[], pairs: Float64Array}} counted
 */
export function tablesOf({ counts, pairs }) {
  const V = counts.length;
  const [words, meetings] = [total(counts), total(pairs)];
  const unigram = counts.map((count) => count / words);
  const skipgram = pairs.map((count) => count / meetings);
  const mstar = skipgram.map((joint, at) => {
    const chance = unigram[Math.floor(at / V)] * unigram[at % V];
    return (2 * (joint - chance)) / (joint + chance);
  });
  return { unigram, skipgram, mstar, ...eigenpairs(mstar) };
}

/** What keeps a text and its words from having tables, in words. @param {string[]} words
 * @param {{counts: number[], pairs: Float64Array}} counted
 */
export function problemOf(words, { counts, pairs }) {
  if (words.length < 2) return "Name two words or more.";
  if (words.length > 6)
    return `${words.length} words are too many to be read in a table: name at most 6.`;
  const twice = words.find((word, i) => words.indexOf(word) < i);
  if (twice) return `“${twice}” is named twice.`;
  const absent = words.filter((_, i) => counts[i] === 0).map((word) => `“${word}”`);
  if (absent.length) return `The text has no ${absent.join(" and no ")}.`;
  return total(pairs) ? "" : "No two of these words stand on one line.";
}

/** A table of numbers with a head for rows and columns; `tint` colours a cell by its sign and size. */
class Matrix {
  /** @param {string} title @param {boolean} tinted */
  constructor(title, tinted) {
    this.tinted = tinted;
    this.caption = h("caption", {}, title);
    this.head = h("thead");
    this.body = h("tbody");
    this.element = h(
      "div",
      { class: "scrolls" },
      h("table", { class: "matrix" }, this.caption, this.head, this.body),
    );
  }

  /** @param {string[]} rows @param {string[]} columns @param {(i: number, j: number) => number} value
   * @param {(x: number) => string} text
   */
  fill(rows, columns, value, text) {
    const heads = columns.map((name) => h("th", { scope: "col" }, name));
    const values = rows.map((_, i) => columns.map((__, j) => value(i, j)));
    const most = Math.max(...values.flat().map(Math.abs), 1e-300);
    const line = (/** @type {string} */ name, /** @type {number} */ i) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, name),
        ...values[i].map((x) => this.cell(x, most, text)),
      );
    this.head.replaceChildren(h("tr", {}, h("td"), ...heads));
    this.body.replaceChildren(...rows.map(line));
  }

  /** @param {number} x @param {number} most @param {(x: number) => string} text */
  cell(x, most, text) {
    const share = (35 * Math.abs(x)) / most;
    const color = `color-mix(in srgb, var(--${x < 0 ? "m2" : "m1"}) ${share.toFixed(0)}%, transparent)`;
    return h("td", { style: this.tinted && `background:${color}` }, text(x));
  }
}

class Toy {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.counts = new Matrix("How often a word occurs, and its share Pᵢ", false);
    this.pairs = new Matrix("Weighted counts of pairs", false);
    this.skipgram = new Matrix("Pᵢⱼ, and by chance PᵢPⱼ", false);
    this.mstar = new Matrix("M* = 2 (Pᵢⱼ − PᵢPⱼ) / (Pᵢⱼ + PᵢPⱼ)", true);
    this.modes = new Matrix("Eigenvectors of M*, under their eigenvalues", true);
    this.problem = h("p", { class: "problem", role: "alert" });
    this.plot = app.plot({
      height: 230,
      margin: { right: 76 },
      xLabel: "training time t / τ₁",
      yLabel: "singular value sₖ",
      label: "Singular values of the modes with positive eigenvalues over training time",
    });
    this.said = app.readout();
    const { counts, pairs, skipgram, mstar, modes } = this;
    this.results = h(
      "div",
      {},
      h(
        "div",
        { class: "tables" },
        counts.element,
        pairs.element,
        skipgram.element,
        mstar.element,
        modes.element,
      ),
      this.plot.box,
    );
    app.body.append(
      textArea(app, "text", { label: "the text: a line is a document", rows: 5 }),
      h(
        "div",
        { class: "controls" },
        textField(app, "words", { label: "the words" }),
        slider(app, "window", { label: "window L", min: 1, max: 5, step: 1 }),
        slider(app, "log_scale", {
          label: "size of the start",
          min: -6,
          max: -1,
          step: 0.5,
          show: startText,
        }),
      ),
      this.problem,
      this.results,
      this.said.element,
    );
  }

  draw() {
    const { app } = this;
    const words = [...wordsOf(app.get("words"))];
    const counted = countIn(app.get("text"), words, app.get("window"));
    const problem = problemOf(words, counted);
    this.problem.textContent = problem;
    this.results.style.opacity = problem ? "0.3" : "";
    if (problem) return this.said.say(problem);
    const tables = tablesOf(counted);
    this.drawTables(words, counted, tables);
    this.drawCurves(tables.values);
    this.said.say(this.report(words, tables));
  }

  /** @param {string[]} words @param {ReturnType<typeof countIn>} counted @param {ReturnType<typeof tablesOf>} tables */
  drawTables(words, { counts, pairs }, { unigram, skipgram, mstar, values, vectors }) {
    const V = words.length;
    const two = (/** @type {number} */ x) => fixed(x);
    const three = (/** @type {number} */ x) => fixed(x, 3);
    const row = [counts, unigram];
    const shares = ["count", "Pᵢ"];
    this.counts.fill(
      words,
      shares,
      (i, j) => row[j][i],
      (x) => (x < 1 ? three(x) : String(x)),
    );
    this.pairs.fill(words, words, (i, j) => pairs[i * V + j], String);
    this.skipgram.fill(words, words, (i, j) => skipgram[i * V + j], three);
    this.skipgram.body.querySelectorAll("td").forEach((cell, at) => {
      const chance = unigram[Math.floor(at / V)] * unigram[at % V];
      cell.append(h("br"), h("small", {}, three(chance)));
    });
    this.mstar.fill(words, words, (i, j) => mstar[i * V + j], two);
    this.modes.fill(
      words,
      values.map((value) => `λ = ${two(value)}`),
      (i, k) => vectors[k][i],
      two,
    );
  }

  /** @param {number[]} values */
  drawCurves(values) {
    const { plot, app } = this;
    const s0 = 10 ** app.get("log_scale");
    const learned = values.filter((value) => value > 1e-9);
    const tau = learningTime(learned[0], s0);
    const last = Math.min(20, learningTime(learned[learned.length - 1], s0) / tau);
    plot.range({ x: [0, 1.2 * last + 0.5], y: [0, 1.05 * Math.sqrt(learned[0])] });
    const times = spaced(0, 1.2 * last + 0.5, 241);
    plot.begin();
    learned.forEach((value, k) => {
      plot.line(
        times,
        times.map((t) => sigmoid(value, s0, t * tau)),
        { color: app.modeColor(k + 1) },
      );
    });
    plot.end();
    const heights = learned.map((value) => plot.y(sigmoid(value, s0, times[240] * tau)));
    plot.layer.replaceChildren(
      ...apart(heights, 13).map((y, k) =>
        label(plot.inner.right + 5, y + 4, `mode ${k + 1}`, { color: `m${k + 1}` }),
      ),
    );
  }

  /** @param {string[]} words @param {ReturnType<typeof tablesOf>} tables */
  report(words, { values, vectors }) {
    const s0 = 10 ** this.app.get("log_scale");
    const learned = values.filter((value) => value > 1e-9).length;
    /** @param {number} k @param {number} sign */
    const side = (k, sign) => words.filter((_, i) => sign * vectors[k][i] > 0.25).join(", ");
    const first = side(0, -1) ? `sets ${side(0, 1)} against ${side(0, -1)}` : `holds ${side(0, 1)}`;
    const order = values
      .slice(0, learned)
      .map((value) => show(learningTime(value, s0) / learningTime(values[0], s0)));
    return (
      `Mode 1, λ = ${fixed(values[0])}, ${first}. ${learned} of ${words.length} modes can be learned: those with λ above zero` +
      `${learned > 1 ? `, at ${order.join(", ")} τ₁` : ""}.`
    );
  }
}

export const { render, mount } = explorer(Toy);
