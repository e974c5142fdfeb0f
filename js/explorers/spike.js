/**
 * The spectrum of task vectors against the Marchenko-Pastur law, as in `qw2v.taskvectors`. The
 * spectra and the fits come from Python; the law is computed here.
 */

import { explorer } from "../app.js";
import { menu, slider } from "../controls.js";
import { h, s } from "../dom.js";
import { show } from "../format.js";
import { label, upright } from "../marks.js";
import { spaced } from "../plot.js";

/** @import { App } from "../app.js" */
/** @import { Plot } from "../plot.js" */

/** Edges of the bulk of `size` task vectors in `dim` effective dimensions, mean eigenvalue `scale`.
 * @param {number} size @param {number} dim @param {number} scale
 */
export function edges(size, dim, scale) {
  const root = Math.sqrt(size / dim);
  return [scale * (1 - root) ** 2, scale * (1 + root) ** 2];
}

/** The Marchenko-Pastur density at x.
 * @param {number} x @param {number} size @param {number} dim @param {number} scale
 */
export function density(x, size, dim, scale) {
  const [low, high] = edges(size, dim, scale);
  if (x <= low || x >= high) return 0;
  return Math.sqrt((x - low) * (high - x)) / (2 * Math.PI * (size / dim) * scale * x);
}

/** lambda_max rank / trace. The spectra hold no eigenvalue that must be zero.
 * @param {ArrayLike<number>} spectrum
 */
export function snr(spectrum) {
  const values = Array.from(spectrum);
  const most = Math.max(...values);
  const floor = most * values.length * 2 ** -52;
  const sum = values.reduce((total, value) => total + value, 0);
  return (most * values.filter((value) => value > floor).length) / sum;
}

/** Dots (x, height) of a dot plot with bins of equal width in log x; the last in a bin lies lowest.
 * @param {ArrayLike<number>} values @param {number[]} range @param {number} binsPerDecade
 * @returns {[number, number][]}
 */
export function stacked(values, [low, high], binsPerDecade) {
  /** @type {Map<number, number>} */
  const filled = new Map();
  const dots = Array.from(values)
    .reverse()
    .map((value) => {
      const x = Math.min(high, Math.max(low, value));
      const bin = Math.floor(Math.log10(x / low) * binsPerDecade);
      const height = (filled.get(bin) ?? 0) + 1;
      filled.set(bin, height);
      return /** @type {[number, number]} */ ([x, height - 0.5]);
    });
  return dots.reverse();
}

/** @type {[string, string, string][]} */
const ROWS = [
  [
    "paper",
    "in questions (paper)",
    "with rows of length one in the questions alone, as in the paper",
  ],
  ["none", "nowhere", "with rows as they are"],
  ["unit", "everywhere", "with rows of length one in questions and task vectors"],
];

/** Columns of `numbers`: spike.NUMBERS. */
const [SHARE, D_EFF, ERROR, SCALE, EDGE] = [0, 1, 2, 3, 4];

/** What is shown of one category at one dimension.
 * @typedef {object} View
 * @property {number} kind 0 for rows as they are, 1 for rows of length one
 * @property {number} c the category
 * @property {number} i the dimension
 * @property {Float32Array} values
 * @property {[number, number, number] | undefined} law
 * @property {boolean} outside whether the largest eigenvalue stands out
 * @property {number[]} ratios against the dimension
 * @property {number[]} scores
 */

class Spike {
  /** @param {App} app */
  constructor(app) {
    const { dims, categories } = app.texts;
    this.app = app;
    /** @type {number[]} */
    this.dims = dims;
    /** @type {[string, string, number][]} */
    this.categories = categories;
    this.ratios = [0, 1].map((kind) => this.curves((c, i) => snr(this.spectrum(kind, c, i))));
    const { accuracies } = app.data;
    this.scores = [0, 1, 2, 3].map((which) =>
      this.curves((c, i) => 100 * accuracies[this.place(which, c, i)]),
    );
    this.law = app.plot({
      label: "Eigenvalues of the task vectors as dots, and the Marchenko-Pastur law",
      xLabel: "eigenvalue of RRᵀ/d",
      yLabel: "eigenvalues",
      height: 250,
      margin: { top: 26 },
    });
    this.snr = this.sweep("Signal-to-noise ratio", "SNR", 1.08 * Math.max(...this.ratios.flat(2)));
    this.score = this.sweep("Accuracy", "accuracy in %", 104);
    this.said = app.readout();
    app.body.append(
      ...this.controls(),
      this.law.box,
      h("div", { class: "beside" }, this.snr.box, this.score.box),
      this.said.element,
    );
  }

  /** Where category c at the i-th dimension lies. @param {number} kind @param {number} c @param {number} i */
  place(kind, c, i) {
    return (kind * this.categories.length + c) * this.dims.length + i;
  }

  /** @param {number} kind @param {number} c @param {number} i */
  spectrum(kind, c, i) {
    const { spectra, starts } = this.app.data;
    const at = this.place(kind, c, i);
    return /** @type {Float32Array} */ (spectra.subarray(starts[at], starts[at + 1]));
  }

  /** @param {(c: number, i: number) => number} value */
  curves(value) {
    return this.categories.map((_, c) => this.dims.map((__, i) => value(c, i)));
  }

  /** A plot against the dimension. @param {string} name @param {string} yLabel @param {number} yMax */
  sweep(name, yLabel, yMax) {
    const { dims, app } = this;
    const x = [dims[0] * Math.exp(-0.12), dims[dims.length - 1] * Math.exp(0.08)];
    const xTicks = [4, 16, 64, 256, 1000, 4000].filter((d) => d >= x[0] && d <= x[1]);
    const plot = app.plot({
      label: `${name} against the dimension, for the chosen category and, pale, the others`,
      xLabel: "dimension d",
      yLabel,
      height: 190,
      margin: { right: 16, top: 18 },
    });
    plot.range({ x, y: [0, yMax], log: true, xTicks });
    return plot;
  }

  controls() {
    const { app, dims, categories } = this;
    return [
      h(
        "div",
        { class: "controls" },
        menu(app, "category", {
          label: "category",
          options: categories.map(([name, text]) => [name, text]),
        }),
        slider(app, "dim", {
          label: "dimension d",
          min: 0,
          max: dims.length - 1,
          step: 1,
          to: (i) => dims[i],
          from: (d) => dims.indexOf(d),
        }),
      ),
      h(
        "div",
        { class: "controls" },
        menu(app, "normalisation", {
          label: "rows of length one",
          options: ROWS.map(([value, text]) => [value, text]),
        }),
        menu(app, "protocol", {
          label: "questions",
          options: [
            ["pairs", "every pair of pairs"],
            ["google", "Google’s list"],
          ],
        }),
      ),
    ];
  }

  /** One of the fit's numbers. @param {View} view @param {number} what */
  number({ kind, c, i }, what) {
    const { numbers } = this.app.data;
    return numbers[this.place(kind, c, i) * numbers.shape[3] + what];
  }

  /** What the controls ask for. @returns {View} */
  view() {
    const { app } = this;
    const c = this.categories.findIndex(([name]) => name === app.get("category"));
    const i = this.dims.indexOf(app.get("dim"));
    const [kind, asked] = app.texts.normalisations[app.get("normalisation")];
    const protocol = 2 * (1 - asked) + Number(app.get("protocol") === "google");
    /** @type {View} */
    const view = {
      kind,
      c,
      i,
      values: this.spectrum(kind, c, i),
      law: undefined,
      outside: false,
      ratios: this.ratios[kind][c],
      scores: this.scores[protocol][c],
    };
    const dim = this.number(view, D_EFF);
    if (!Number.isFinite(dim)) return view;
    view.law = [this.categories[c][2], dim, this.number(view, SCALE)];
    view.outside = view.values[0] > this.number(view, EDGE);
    return view;
  }

  /** The tallest column over all dimensions, so that the axis stays while d moves. @param {View} view */
  tallest({ kind, c }) {
    const { ranges, bins } = this.app.texts;
    const columns = this.dims.flatMap((_, i) =>
      stacked(this.spectrum(kind, c, i), ranges[kind], bins).map(([, y]) => y),
    );
    return Math.max(...columns);
  }

  /** @param {View} view */
  drawLaw(view) {
    const { law: plot, app } = this;
    const { ranges, bins } = app.texts;
    const range = ranges[view.kind];
    const xTicks = [0.0001, 0.001, 0.01, 0.1, 1, 10].filter((x) => x > range[0] && x <= range[1]);
    plot.range({ x: range, y: [0, this.tallest(view) + 1.5], log: true, xTicks });
    const c = plot.begin();
    const { law } = view;
    if (law) {
      const xs = spaced(range[0], range[1], 400, true);
      const wide = (Math.LN10 / bins) * law[0];
      plot.line(
        xs,
        xs.map((x) => wide * x * density(x, ...law)),
        { color: app.color("ink"), width: 1.5 },
      );
    }
    const [first, ...dots] = stacked(view.values, range, bins);
    c.fillStyle = app.color("m1");
    for (const [x, y] of dots) {
      c.beginPath();
      c.arc(plot.x(x), plot.y(y), 3, 0, 7);
      c.fill();
    }
    plot.end();
    const [left, top] = [plot.x(first[0]), plot.y(first[1])];
    const spike = `${view.outside || !law ? "spike" : "largest"} ${show(view.values[0])}`;
    const error = this.number(view, ERROR).toFixed(0);
    const text = law
      ? `Marchenko–Pastur, d_eff = ${law[1].toFixed(0)} ± ${error}`
      : "no law fitted: fewer dimensions than pairs";
    plot.layer.replaceChildren(
      s("path", { d: `M${left},${top - 6}l6,6l-6,6l-6,-6z`, style: "fill:var(--m2)" }),
      label(Math.min(left, plot.inner.right - 36), top - 12, spike, {
        color: "m2",
        anchor: "middle",
      }),
      label(plot.inner.left + 6, 14, text),
    );
  }

  /** One category's curve over those of the others.
   * @param {Plot} plot @param {number[][]} curves @param {number[]} own @param {number} i
   */
  drawSweep(plot, curves, own, i) {
    const { app, dims } = this;
    plot.begin();
    for (const curve of curves) {
      if (curve !== own) plot.line(dims, curve, { color: app.color("line"), width: 0.7 });
    }
    plot.line(dims, own, { color: app.color("m1"), width: 2.5 });
    plot.end();
    const [x, y] = [plot.x(dims[i]), plot.y(own[i])];
    const far = x > plot.inner.right - 40;
    plot.layer.replaceChildren(
      upright(plot, dims[i]),
      s("circle", { cx: x, cy: y, r: 4, style: "fill:var(--m1)" }),
      label(far ? x - 8 : x + 8, Math.max(y - 8, plot.inner.top + 6), show(own[i]), {
        color: "m1",
        anchor: far ? "end" : "start",
      }),
    );
  }

  draw() {
    const view = this.view();
    this.drawLaw(view);
    this.drawSweep(this.snr, this.ratios[view.kind], view.ratios, view.i);
    const scores = this.scores.find((curves) => curves[view.c] === view.scores) ?? [];
    this.drawSweep(this.score, scores, view.scores, view.i);
    this.said.say(this.report(view));
  }

  /** @param {View} view */
  report(view) {
    const { app, dims } = this;
    const [, title, pairs] = this.categories[view.c];
    const most = view.values[0];
    const edge = this.number(view, EDGE);
    const score = view.scores[view.i];
    const place = view.outside
      ? `stands out, at ${show(most / edge, 2)} times that`
      : "does not stand out";
    const bulk = view.law
      ? `The bulk fits ${view.law[1].toFixed(0)} ± ${this.number(view, ERROR).toFixed(0)} effective dimensions ` +
        `and ends at ${show(edge)}; the largest eigenvalue, ${show(most)}, ${place}.`
      : `The largest eigenvalue is ${show(most)}. With fewer dimensions than pairs no bulk can be fitted.`;
    const of = app.get("protocol") === "google" ? "Google’s questions" : "all pairs of pairs";
    const rows = ROWS.find(([value]) => value === app.get("normalisation"))?.[2];
    return [
      `${title[0].toUpperCase()}${title.slice(1)}, ${pairs} pairs, d = ${dims[view.i]}.`,
      bulk,
      `The mean task vector holds ${(100 * this.number(view, SHARE)).toFixed(0)}% of it.`,
      `SNR ${show(view.ratios[view.i])}, accuracy ${Number.isFinite(score) ? score.toFixed(0) : "–"}% of ${of}, ${rows}.`,
    ].join(" ");
  }
}

export const { render, mount } = explorer(Spike);
