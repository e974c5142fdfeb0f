/** The landing figure: time moves, modes rise one by one, the loss falls, the word cloud opens. */

import { explorer } from "../app.js";
import { menu, player, slider } from "../controls.js";
import { h, s } from "../dom.js";
import { modes, percent } from "../format.js";
import { apart, compass, cross, cursor, moveCursor, Namer } from "../marks.js";
import { spaced } from "../plot.js";
import { halfTime, learningTime, moment, sigmoid } from "../theory.js";

/** @import { App } from "../app.js" */
/** @import { Plot } from "../plot.js" */
/** @import { Table } from "../model.js" */

class History {
  /** @param {App} app */
  constructor(app) {
    const { eigenvalues, frobenius, cloud_step, marked_step } = app.data;
    const { horizon, names, words } = app.texts;
    this.app = app;
    this.values = eigenvalues;
    this.frobenius = frobenius[0];
    this.d = eigenvalues.length;
    /** @type {number} */
    this.horizon = horizon;
    /** @type {[string, string][]} */
    this.names = names;
    /** @type {string[]} */
    this.words = words;
    this.full = [0, 2].map((k) => Math.sqrt(eigenvalues[k]));
    this.reach = this.full.map(
      (full, axis) => 1.04 * 32767 * Math.max(cloud_step[axis], marked_step[axis]) * full,
    );
    this.widths = this.words.map((word) => app.width(word, 12));
    const margin = { left: 50, right: this.roomForNames };
    this.top = app.plot({
      height: 214,
      margin,
      yLabel: "singular value",
      label: "Singular values over training time",
    });
    this.loss = app.plot({
      height: 96,
      margin,
      yLabel: "loss / start",
      label: "Loss over training time",
    });
    this.rank = app.plot({
      height: 124,
      margin,
      yLabel: "modes",
      xLabel: "training time t / τ₁",
      label: "Number of learned modes over training time",
    });
    this.map = app.plot({
      height: 434,
      bare: true,
      margin: { left: 20, bottom: 24, right: 4 },
      label: "The word embeddings along modes 1 and 3; words at the four ends are named",
    });
    this.said = app.readout();
    app.body.append(this.controls(), this.pictures(), this.said.element);
  }

  get start() {
    return 10 ** this.app.get("log_scale");
  }
  get unit() {
    return learningTime(this.values[0], this.start);
  }

  controls() {
    const { app, horizon } = this;
    const next = (/** @type {number} */ time) => {
      const steps = Array.from(this.values, (v) => halfTime(v, this.start) / this.unit + 0.05);
      return Math.min(...steps.filter((step) => step > time + 1e-9));
    };
    return h(
      "div",
      { class: "controls" },
      player(app, "time", { from: () => 0, to: () => horizon, seconds: 14, next }),
      slider(app, "time", {
        label: "training time t / τ₁",
        min: 0,
        max: horizon,
        step: 0.01,
        show: (t) => t.toFixed(2),
      }),
      menu(app, "log_scale", { label: "size of the start", options: app.texts.starts }),
    );
  }

  pictures() {
    const { top, loss, rank, map } = this;
    return h(
      "div",
      { class: "beside wide-first" },
      h("div", {}, top.box, loss.box, rank.box),
      map.box,
    );
  }

  /** Names of modes at the right of the curves: one end on a phone. @param {number} width */
  labels = (width) => this.names.map(([up, down]) => (width < 330 ? up : `${up} / ${down}`));
  /** @param {number} width */
  roomForNames = (width) =>
    Math.ceil(Math.max(...this.labels(width).map((text) => this.app.width(text, 11)))) + 6;

  /** A label right of a plot. @param {Plot} plot @param {number} y @param {string} text @param {string} color */
  beside = (plot, y, text, color) =>
    s(
      "text",
      {
        x: plot.inner.right + 5,
        y: y + 4,
        style: `fill:var(--${color})`,
        "font-size": 11,
      },
      text,
    );

  /** The curves, drawn once for a start: as time goes on only the cursor moves.
   * @param {number} s0 @param {number} tau
   */
  drawCurves(s0, tau) {
    const { top, loss, rank, values, horizon, d, app } = this;
    top.range({ x: [0, horizon], y: [0, 1.04 * Math.sqrt(values[0])] });
    if (!top.changed(s0)) return;
    const times = spaced(0, horizon, 241);
    const at = times.map((t) => moment(values, this.frobenius, d, s0, t * tau));
    top.begin();
    for (let k = d; k >= 1; k--) {
      const sizes = times.map((t) => sigmoid(values[k - 1], s0, t * tau));
      top.line(times, sizes, { color: app.modeColor(k), width: k <= this.names.length ? 2 : 0.7 });
    }
    top.end();
    const heights = this.names.map((_, k) => top.y(sigmoid(values[k], s0, horizon * tau)));
    const texts = this.labels(top.width);
    const ended = apart(heights, 13).map((y, k) => this.beside(top, y, texts[k], `m${k + 1}`));
    top.layer.replaceChildren(cursor(top), ...ended);
    const [first, last] = [at[0], at[at.length - 1]];
    loss.range({ x: [0, horizon], y: [1 - 1.08 * (1 - last.loss / first.loss), 1] });
    rank.range({ x: [0, horizon], y: [0, 1.08 * last.learned] });
    this.drawCounter(
      loss,
      times,
      at.map((m) => m.loss / first.loss),
    );
    this.drawCounter(
      rank,
      times,
      at.map((m) => m.learned),
    );
  }

  /** A curve with a number that will move along it. @param {Plot} plot @param {number[]} times @param {number[]} ys */
  drawCounter(plot, times, ys) {
    plot.begin();
    plot.line(times, ys, { color: this.app.color("ink") });
    plot.end();
    plot.layer.replaceChildren(cursor(plot), this.beside(plot, 0, "", "ink"));
  }

  /** @param {Plot} plot @param {number} time @param {number} [value] @param {string} [text] */
  moveTo(plot, time, value, text) {
    plot.pale(time);
    moveCursor(plot, time);
    const counter = plot.layer.lastElementChild;
    if (value === undefined || text === undefined || !counter) return;
    counter.textContent = text;
    counter.setAttribute("y", String(plot.y(value) + 4));
  }

  /** The cloud at time t: words are where s_k times their entry of v_k says, k = 1 and 3.
   * @param {number} s0 @param {number} t
   */
  drawCloud(s0, t) {
    const { map, app, reach } = this;
    const { cloud, cloud_step, marked, marked_step } = app.data;
    map.range({ x: [-reach[0], reach[0]], y: [-reach[1], reach[1]] });
    const grow = [0, 2].map((k) => sigmoid(this.values[k], s0, t));
    /** @param {Table} entries @param {Table} step @returns {(i: number) => [number, number]} */
    const place = (entries, step) => {
      const [east, north] = grow.map((size, axis) => size * step[axis]);
      const [left, right] = [map.x(0), map.x(1)];
      return (i) => [
        left + (right - left) * entries[2 * i] * east,
        map.y(entries[2 * i + 1] * north),
      ];
    };
    if (map.changed()) map.layer.replaceChildren(...this.directions());
    const c = map.begin();
    cross(map, c);
    c.fillStyle = app.color("muted");
    c.globalAlpha = 0.45;
    const of = place(cloud, cloud_step);
    for (let i = 0; i < cloud.length / 2; i++) {
      const [x, y] = of(i);
      c.fillRect(x - 0.75, y - 0.75, 1.5, 1.5);
    }
    c.globalAlpha = 1;
    const ofMarked = place(marked, marked_step);
    this.drawWords(
      c,
      this.words.map((_, i) => ofMarked(i)),
    );
    map.end();
  }

  /** What the ends of the two axes stand for. */
  directions() {
    const [[east, west], , [north, south]] = this.names;
    return compass(this.map, { east, west, north, south, across: "mode 1", up: "mode 3" });
  }

  /** Words of the topics, each named where it covers no word before it; near the origin none is.
   * @param {CanvasRenderingContext2D} c @param {[number, number][]} places
   */
  drawWords(c, places) {
    const { map, app, words, widths } = this;
    const namer = new Namer(map, places, 4);
    Object.assign(c, {
      font: app.font(12),
      lineJoin: "round",
      strokeStyle: app.color("paper"),
      lineWidth: 3,
    });
    const topics = app.texts.topics;
    places.forEach(([x, y], i) => {
      const away = Math.hypot(x - map.x(0), y - map.y(0)) / 50;
      if (away < 0.4) return;
      c.fillStyle = app.color(`m${topics[i] + 1}`);
      c.globalAlpha = Math.min(1, away);
      namer.write(c, i, words[i], widths[i]);
    });
    c.globalAlpha = 1;
    places.forEach(([x, y], i) => {
      c.fillStyle = app.color(`m${topics[i] + 1}`);
      mark(c, x, y, topics[i]);
    });
  }

  draw() {
    const { app, values, frobenius, d, start: s0, unit: tau } = this;
    const time = app.get("time");
    const t = time * tau;
    const now = moment(values, frobenius, d, s0, t);
    const share = now.loss / moment(values, frobenius, d, s0, 0).loss;
    this.drawCurves(s0, tau);
    this.moveTo(this.top, time);
    this.moveTo(this.loss, time, share, percent(share));
    this.moveTo(this.rank, time, now.learned, modes(now.learned));
    this.drawCloud(s0, t);
    const [up, down] = this.names[now.learned - 1] ?? [];
    this.said.say(
      `At t = ${time.toFixed(2)} τ₁, ${now.learned} of ${modes(d)} ${now.learned === 1 ? "is" : "are"} learned ` +
        `and the loss is ${percent(share)} of its start.${up ? ` The newest sets ${up} against ${down}.` : ""}`,
    );
  }
}

/** Corners of a topic's mark; the first topic has a disc, the second a square. */
const CORNERS = [
  [],
  [],
  [
    [0, -4],
    [4, 3],
    [-4, 3],
  ],
  [
    [0, -4],
    [4, 0],
    [0, 4],
    [-4, 0],
  ],
];

/** A topic's mark: a disc, a square, a triangle or a diamond, so that colour is not the only sign.
 * @param {CanvasRenderingContext2D} c @param {number} x @param {number} y @param {number} topic
 */
function mark(c, x, y, topic) {
  const r = 3;
  c.beginPath();
  if (topic === 0) c.arc(x, y, r, 0, 7);
  if (topic === 1) c.rect(x - r, y - r, 2 * r, 2 * r);
  for (const [dx, dy] of CORNERS[topic]) c.lineTo(x + dx, y + dy);
  c.fill();
}

export const { render, mount } = explorer(History);
