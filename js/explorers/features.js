/** Features of several models: the words at their two ends, and where the other models have them. */

import { explorer } from "../app.js";
import { menu, slider } from "../controls.js";
import { h } from "../dom.js";
import { label } from "../marks.js";

/** @import { App } from "../app.js" */
/** @import { Table } from "../model.js" */

/** Squared overlaps of feature k, from 1, of model a with the features of model b, in order.
 * @param {{codes: ArrayLike<number>, pairs: ArrayLike<number>}} data
 * @param {number} count @param {number} a @param {number} b @param {number} k
 */
export function overlapsOf({ codes, pairs }, count, a, b, k) {
  const [first, second] = a < b ? [a, b] : [b, a];
  const table = pairs[first * Math.sqrt(pairs.length) + second] * count * count;
  /** @param {number} j */
  const at = (j) => codes[table + (a < b ? (k - 1) * count + j : j * count + k - 1)];
  return Array.from({ length: count }, (_, j) => at(j) / 255);
}

/** The largest of them: which feature, from 1, and how much. @param {number[]} overlaps */
export function bestOf(overlaps) {
  const most = Math.max(...overlaps);
  return { j: overlaps.indexOf(most) + 1, most };
}

/** The words at the two ends of feature k, from 1, of a model; turned where `sign` is negative.
 * @param {{ends: Table}} data @param {string[]} words @param {number} model @param {number} k
 */
export function endsOf({ ends }, words, model, k, sign = 1) {
  const [, count, , n] = ends.shape;
  const start = (model * count + k - 1) * 2 * n;
  const [up, down] = [0, 1].map((end) =>
    Array.from(ends.subarray(start + end * n, start + (end + 1) * n), (row) => words[row]),
  );
  return sign < 0 ? [down, up] : [up, down];
}

/** @typedef {{name: string, b: number, overlaps: number[], j: number, most: number, share: number, sign: number}} Other */

class Features {
  /** @param {App} app */
  constructor(app) {
    const { models, words, count } = app.texts;
    this.app = app;
    /** @type {string[]} */
    this.models = models;
    /** @type {string[]} */
    this.words = words;
    /** @type {number} */
    this.count = count;
    this.rows = models.length - 1;
    this.plot = app.plot({
      height: 40 + 46 * this.rows,
      xLabel: "feature of the other model",
      margin: { left: 12, right: 16, top: 6 },
      label: "Squared overlap of the chosen feature with each feature of the other models",
    });
    const step = count > 50 ? 20 : count > 20 ? 10 : count > 10 ? 5 : 1;
    const round = Array.from({ length: Math.floor(count / step) }, (_, i) => (i + 1) * step);
    this.plot.range({
      x: [0, count + 1],
      y: [0, this.rows],
      yTicks: [],
      xTicks: [...new Set([1, ...round])],
    });
    this.poles = [h("dd"), h("dd")];
    this.body = h("tbody");
    this.said = app.readout();
    this.layout();
  }

  layout() {
    const { app, models, count, poles } = this;
    const head = ["model", "nearest", "overlap", "words at its two ends"].map((name) =>
      h("th", { scope: "col" }, name),
    );
    const ends = ["one end", "other end"].map((name, i) =>
      h("div", {}, h("dt", {}, name), poles[i]),
    );
    app.body.append(
      h(
        "div",
        { class: "controls" },
        menu(app, "model", { label: "model", options: models.map((name) => [name, name]) }),
        slider(app, "k", { label: "feature k", min: 1, max: count, step: 1 }),
      ),
      h("dl", { class: "poles" }, ...ends),
      this.plot.box,
      h("table", { class: "answers" }, h("thead", {}, h("tr", {}, ...head)), this.body),
      this.said.element,
    );
  }

  /** What the other models have of feature k of model a. @param {number} a @param {number} k @returns {Other[]} */
  others(a, k) {
    const { codes, pairs, shares, signs } = this.app.data;
    return this.models.flatMap((name, b) => {
      if (b === a) return [];
      const overlaps = overlapsOf({ codes, pairs }, this.count, a, b, k);
      const at = (a * this.models.length + b) * this.count + k - 1;
      return [{ name, b, overlaps, ...bestOf(overlaps), share: shares[at], sign: signs[at] }];
    });
  }

  /** @param {Other[]} others */
  drawBars(others) {
    const { plot, app, rows, count } = this;
    const { left, right } = plot.inner;
    const c = plot.begin();
    const wide = Math.max(2, 0.8 * (plot.x(1) - plot.x(0)));
    others.forEach(({ b, overlaps }, row) => {
      const low = plot.y(rows - 1 - row);
      const high = 0.62 * (low - plot.y(rows - row));
      c.fillStyle = app.color("line");
      c.fillRect(left, low, right - left, 1);
      c.fillStyle = app.modeColor(b + 1);
      overlaps.forEach((overlap, j) => {
        c.fillRect(plot.x(j + 1) - wide / 2, low - overlap * high, wide, overlap * high);
      });
    });
    plot.end();
    plot.layer.replaceChildren(
      ...others.map(({ name, b, share }, row) =>
        label(
          right,
          plot.y(rows - row) + 14,
          `${name}: ${(100 * share).toFixed(0)}% in its first ${count}`,
          {
            anchor: "end",
            color: `m${b + 1}`,
          },
        ),
      ),
    );
  }

  /** @param {Other[]} others */
  drawTable(others) {
    const ends = /** @type {any} */ (this.app.data);
    const cell = (/** @type {string} */ text) => h("td", {}, text);
    this.body.replaceChildren(
      ...others.map(({ name, b, j, most, sign }) => {
        const words = endsOf(ends, this.words, b, j, sign).map((list) =>
          list.slice(0, 3).join(", "),
        );
        const head = h("th", { scope: "row" }, name);
        return h("tr", {}, head, cell(String(j)), cell(most.toFixed(2)), cell(words.join(" | ")));
      }),
    );
  }

  draw() {
    const { app } = this;
    const [model, k] = [app.get("model"), app.get("k")];
    const a = this.models.indexOf(model);
    const others = this.others(a, k);
    this.drawBars(others);
    this.drawTable(others);
    const [up, down] = endsOf(/** @type {any} */ (app.data), this.words, a, k);
    [up, down].forEach((list, i) => {
      this.poles[i].textContent = list.join(", ");
    });
    const first = (/** @type {string[]} */ list) => list.slice(0, 3).join(", ");
    const nearest = others.map(({ name, j, most }) => `${name} ${j} (${most.toFixed(2)})`);
    this.said.say(
      `Feature ${k} of ${model} sets ${first(up)} against ${first(down)}. Nearest: ${nearest.join("; ")}.`,
    );
  }
}

export const { render, mount } = explorer(Features);
