/** The target M* for two words. */

import { explorer } from "../app.js";
import { button, wordField } from "../controls.js";
import { h, s } from "../dom.js";
import { fixed, scientific, show } from "../format.js";
import { disc, label } from "../marks.js";
import { spaced } from "../plot.js";
import { softClip } from "../theory.js";

/** @import { App } from "../app.js" */

export { softClip };

const REACH = 7; // of the PMI axis

/** @typedef {{codes: ArrayLike<number>, scale: ArrayLike<number>, counts: ArrayLike<number>, total: ArrayLike<number>}} Counts */
/** @typedef {{pmi: number, apart: number, joint: number, target: number}} Pair */

/** PMI of words i and j from the upper triangle of an n x n table of bytes; 0 says they never met.
 * @param {Pick<Counts, "codes" | "scale" | "counts">} data @param {number} i @param {number} j
 */
function pmiOf({ codes, scale, counts: { length: n } }, i, j) {
  const [a, b] = i < j ? [i, j] : [j, i];
  const code = codes[a * n - (a * (a - 1)) / 2 + b - a];
  return code ? scale[0] + (code - 1) * scale[1] : Number.NEGATIVE_INFINITY;
}

/** What is known of two words. @param {Counts} data @param {number} i @param {number} j @returns {Pair} */
export function pairOf(data, i, j) {
  const pmi = pmiOf(data, i, j);
  const apart = (data.counts[i] / data.total[0]) * (data.counts[j] / data.total[0]);
  return { pmi, apart, joint: apart * Math.exp(pmi), target: softClip(pmi) };
}

/** @param {Pair} pair */
const silent = (pair) => pair.pmi === Number.NEGATIVE_INFINITY;

/** @param {Pair} pair */
function inWords(pair) {
  const times = Math.exp(Math.abs(pair.pmi));
  if (silent(pair)) return "never met: PMI is minus infinity, M* stays at −2";
  if (times < 1.06) return "meet about as often as chance would have it";
  const how = `${times < 10 ? times.toFixed(1) : show(times, 2)} times ${pair.pmi > 0 ? "more" : "less"}`;
  const kept = Math.abs(pair.target / pair.pmi);
  return `meet ${how} often than by chance; M* keeps ${(100 * kept).toFixed(0)}% of their PMI`;
}

class Pairs {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    /** @type {string[]} */
    this.words = app.texts.words;
    this.index = new Map(this.words.map((word, i) => [word, i]));
    this.lowest = app.data.scale[0];
    this.step = app.data.scale[1];
    this.plot = app.plot({
      height: 300,
      margin: { right: 16 },
      xLabel: "PMI",
      yLabel: "entry of the matrix",
      label: "M* against PMI with the chosen pair, above the distribution of PMI over all pairs",
    });
    this.plot.range({ x: [-REACH, REACH], y: [-4.4, 4], yTicks: [-4, -2, 0, 2, 4] });
    this.said = app.readout();
    this.tiles = Array.from({ length: 4 }, () => h("dd"));
    this.bars = new Float64Array(256);
    for (const code of app.data.codes) this.bars[code]++;
    this.bars[0] = 0;
    this.layout();
  }

  layout() {
    const { app, words, index, step } = this;
    const sub = (/** @type {string} */ text) => h("sub", {}, text);
    const names = [["P", sub("ij")], ["P", sub("i"), " P", sub("j")], ["PMI"], ["M*"]];
    /** @type {[string, string][]} */
    const examples = app.texts.examples;
    const buttons = examples.map(([a, b]) =>
      button(`${a} + ${b}`, () => {
        app.set("first", a);
        app.set("second", b);
      }),
    );
    const note = `≈: so that all pairs fit on a page, PMI is rounded to steps of ${step}, and Pᵢⱼ to ${(100 * step) / 2}%.`;
    app.body.append(
      h(
        "div",
        { class: "controls" },
        wordField(app, "first", { label: "first word", words, index }),
        wordField(app, "second", { label: "second word", words, index }),
      ),
      h("div", { class: "controls", role: "group", "aria-label": "examples" }, ...buttons),
      h(
        "dl",
        { class: "tiles" },
        ...this.tiles.map((value, i) => h("div", {}, h("dt", {}, ...names[i]), value)),
      ),
      this.plot.box,
      this.said.element,
      h("p", { class: "note" }, note),
    );
  }

  drawCurves() {
    const { plot, app, bars, step, lowest } = this;
    const xs = spaced(-REACH, REACH, 141);
    const tallest = Math.max(...bars);
    const c = plot.begin();
    c.fillStyle = app.color("line");
    c.globalAlpha = 0.5;
    const wide = Math.max(1, plot.x(step) - plot.x(0));
    bars.forEach((count, code) => {
      const high = (50 * count) / tallest;
      c.fillRect(plot.x(lowest + (code - 1.5) * step), plot.inner.bottom - high, wide, high);
    });
    c.globalAlpha = 1;
    plot.line(xs, xs, { color: app.color("m2"), width: 1.5, dash: [2, 3] });
    plot.line(
      xs,
      xs.map((x) => Math.max(x, 0)),
      { color: app.color("m4"), width: 1.5, dash: [7, 4] },
    );
    plot.line(xs, xs.map(softClip), { color: app.color("m1"), width: 3 });
    plot.end();
    const mstar = plot.width > 420 ? "M* = 2 tanh(PMI / 2)" : "M*";
    plot.layer.replaceChildren(
      label(plot.x(-2.6), plot.y(-3.2), "PMI", { color: "m2" }),
      label(plot.x(-6.8), plot.y(0.25), "PPMI = max(PMI, 0)", { color: "m4" }),
      label(plot.x(6.9), plot.y(1.35), mstar, { color: "m1", anchor: "end" }),
      s("g"),
    );
  }

  /** The pair on the curve, with lines to both axes; a pair that never met stands at the left edge.
   * @param {Pair} pair @param {string} name
   */
  drawPair(pair, name) {
    const { plot } = this;
    const at = Math.max(-REACH, Math.min(REACH, pair.pmi));
    const [x, y] = [plot.x(at), plot.y(pair.target)];
    const right = at < 1;
    plot.layer.lastElementChild?.replaceChildren(
      s("path", {
        d: `M${x},${plot.inner.bottom}V${y}H${plot.inner.left}`,
        fill: "none",
        class: "chosen thin",
      }),
      disc(x, y, 6, "m1"),
      label(
        right ? x + 9 : x - 9,
        y + (pair.target > 0 ? -12 : 20),
        silent(pair) ? `← ${name}` : name,
        {
          bold: true,
          anchor: right ? "start" : "end",
        },
      ),
    );
  }

  draw() {
    const { app, plot, index } = this;
    const [first, second] = [app.get("first"), app.get("second")];
    const pair = pairOf(
      /** @type {any} */ (app.data),
      index.get(first) ?? 0,
      index.get(second) ?? 0,
    );
    if (plot.changed()) this.drawCurves();
    this.drawPair(pair, `${first} + ${second}`);
    const none = silent(pair);
    const values = [
      none ? "0" : `≈ ${scientific(pair.joint, 2)}`,
      scientific(pair.apart, 3),
      none ? "−∞" : `≈ ${fixed(pair.pmi)}`,
      `${none ? "" : "≈ "}${fixed(pair.target)}`,
    ];
    this.tiles.forEach((tile, i) => {
      tile.textContent = values[i];
    });
    this.said.say(`“${first}” and “${second}” ${inWords(pair)}.`);
  }
}

export const { render, mount } = explorer(Pairs);
