/** All modes of a target over time: sigmoids, learning times, words, rank and loss. */

import { explorer } from "../app.js";
import { checkbox, menu, player, slider } from "../controls.js";
import { h, s } from "../dom.js";
import { modes, percent, show, startText } from "../format.js";
import { cursor, key, moveCursor } from "../marks.js";
import { spaced } from "../plot.js";
import { halfTime, learningTime, moment, sigmoid } from "../theory.js";

/** @import { App } from "../app.js" */

const SHORT = 0.3; // where the logarithmic time axis begins, in units of tau_1

class Modes {
  /** @param {App} app */
  constructor(app) {
    const { horizon, kinds } = app.texts;
    this.app = app;
    /** @type {number} */
    this.horizon = horizon;
    this.total = app.data[`${kinds[0][0]}_eigenvalues`].length;
    this.hovered = 0;
    const margin = { right: 16 };
    this.top = app.plot({
      margin: { ...margin, top: 22 },
      height: 280,
      yLabel: "singular value sₖ",
      xLabel: "training time t / τ₁",
      label:
        "Singular values of all modes over training time, with the learning times marked below",
    });
    this.rank = app.plot({
      margin,
      height: 170,
      yLabel: "modes",
      xLabel: "training time t / τ₁",
      label: "Number of learned modes and effective rank over training time",
    });
    this.loss = app.plot({
      margin,
      height: 170,
      yLabel: "loss / start",
      xLabel: "training time t / τ₁",
      label: "Loss over training time",
    });
    this.said = app.readout();
    app.body.append(
      this.ofTheModel(),
      this.ofTime(),
      this.top.box,
      h("div", { class: "beside" }, this.rank.box, this.loss.box),
      this.said.element,
    );
    this.top.onPointer((x, y, event) => this.point(this.nearest(x, y), event));
    this.top.box.addEventListener("pointerleave", () => {
      this.hovered = 0;
      app.redraw();
    });
  }

  get values() {
    return this.app.data[`${this.app.get("kind")}_eigenvalues`];
  }
  get frobenius() {
    return this.app.data[`${this.app.get("kind")}_frobenius`][0];
  }
  get start() {
    return 10 ** this.app.get("log_scale");
  }
  get unit() {
    return learningTime(this.values[0], this.start);
  }
  get low() {
    return this.app.get("log_time") ? SHORT : 0;
  }

  ofTheModel() {
    const { app, total } = this;
    return h(
      "div",
      { class: "controls" },
      menu(app, "kind", { label: "matrix", options: app.texts.kinds }),
      slider(app, "log_scale", {
        label: "size of the start",
        min: -12,
        max: 0,
        step: 0.1,
        show: startText,
      }),
      slider(app, "dim", { label: "dimension d", min: 1, max: total, step: 1 }),
    );
  }

  /** The slider of time runs over 1,000 places of the axis, whichever it is. */
  ofTime() {
    const { app, horizon, total } = this;
    const bend = Math.log(horizon / SHORT);
    /** @param {number} time */
    const place = (time) =>
      1000 *
      (app.get("log_time") ? Math.log(Math.max(time, SHORT) / SHORT) / bend : time / horizon);
    /** @param {number} at */
    const timeAt = (at) =>
      app.get("log_time") ? SHORT * Math.exp((bend * at) / 1000) : (at / 1000) * horizon;
    const time = slider(app, "time", {
      label: "time t / τ₁",
      min: 0,
      max: 1000,
      step: 1,
      show: (t) => t.toFixed(2),
      to: timeAt,
      from: place,
    });
    app.on("log_time", () => {
      time.input.value = String(place(app.get("time")));
    });
    return h(
      "div",
      { class: "controls" },
      player(app, "time", {
        from: () => this.low,
        to: () => horizon,
        seconds: 16,
        next: this.next,
      }),
      time,
      checkbox(app, "log_time", { label: "logarithmic" }),
      slider(app, "mode", { label: "mode k", min: 1, max: total, step: 1 }),
    );
  }

  /** When the next mode will just have been learned. @param {number} time */
  next = (time) => {
    const all = Array.from(this.values).slice(0, this.app.get("dim"));
    const steps = all.map((value) => halfTime(value, this.start) / this.unit + 0.05);
    return Math.min(this.horizon, ...steps.filter((step) => step > time + 1e-9));
  };

  /** The mode under the pointer is shown while the pointer is there; a tap or click keeps it.
   * @param {number} k @param {PointerEvent} event
   */
  point(k, event) {
    if (event.type === "pointerdown") this.app.set("mode", k);
    this.hovered = event.pointerType === "mouse" ? k : 0;
    this.app.redraw();
  }

  /** Along the axis the mode with the nearest learning time; above it the nearest curve.
   * @param {number} x @param {number} y
   */
  nearest(x, y) {
    const { values, start: s0, unit: tau, top } = this;
    const t = top.xAt(x) * tau;
    /** @param {number} k */
    const away = (k) =>
      y > top.inner.bottom - 14
        ? Math.abs(x - top.x(learningTime(values[k], s0) / tau))
        : Math.abs(y - top.y(sigmoid(values[k], s0, t)));
    let best = 0;
    for (let k = 1; k < this.app.get("dim"); k++) if (away(k) < away(best)) best = k;
    return best + 1;
  }

  /** The sigmoids, and a stroke on the axis at each learning time. @param {number[]} times */
  drawModes(times) {
    const { top, values, start: s0, unit: tau, app } = this;
    const c = top.begin();
    for (let k = app.get("dim"); k >= 1; k--) {
      const lambda = values[k - 1];
      const [width, high] = k <= 8 ? [2, 10] : [0.6, 6];
      const color = app.modeColor(k);
      top.line(
        times,
        times.map((t) => sigmoid(lambda, s0, t * tau)),
        { color, width },
      );
      c.fillStyle = color;
      const at = top.x(learningTime(lambda, s0) / tau);
      c.fillRect(at - width / 2, top.inner.bottom - high, width, high);
    }
    top.end();
    top.layer.replaceChildren(cursor(top), s("g"));
  }

  /** Loss, number of learned modes and effective rank. @param {number[]} times */
  drawSums(times) {
    const { loss, rank, values, frobenius, start: s0, unit: tau, app } = this;
    const d = app.get("dim");
    const at = times.map((t) => moment(values, frobenius, d, s0, t * tau));
    const first = moment(values, frobenius, d, s0, 0).loss;
    const lowest = moment(values, frobenius, d, s0, Number.POSITIVE_INFINITY).loss / first;
    const axis = { x: [this.low, this.horizon], log: app.get("log_time") };
    loss.range({ ...axis, y: [1 - 1.08 * (1 - lowest), 1] });
    rank.range({ ...axis, y: [0, Math.max(1.04 * d, 2)] });
    loss.begin();
    loss.line(
      times,
      at.map((m) => m.loss / first),
      { color: app.color("ink") },
    );
    loss.end();
    loss.layer.replaceChildren(cursor(loss));
    rank.begin();
    rank.line(
      times,
      at.map((m) => m.learned),
      { color: app.color("ink") },
    );
    rank.line(
      times,
      at.map((m) => m.effectiveRank),
      { color: app.color("m2"), dash: [6, 4] },
    );
    rank.end();
    const left = rank.inner.left + 8;
    rank.layer.replaceChildren(
      cursor(rank),
      ...key(left, 16, "ink", "", "learned"),
      ...key(left, 32, "m2", "6 4", "effective rank"),
    );
  }

  /** All curves, drawn anew when what they depend on has changed. */
  drawCurves() {
    const { top, values, start: s0, app, low, horizon } = this;
    const log = app.get("log_time");
    top.range({ x: [low, horizon], y: [0, 1.04 * Math.max(s0, Math.sqrt(values[0]))], log });
    if (!top.changed(app.get("kind"), app.get("dim"), s0)) return;
    const times = spaced(low, horizon, 161, log);
    this.drawModes(times);
    this.drawSums(times);
  }

  /** One curve brought out, with its learning time and its two words. @param {number} k */
  bringOut(k) {
    const { top, app, start: s0, unit: tau, low, horizon } = this;
    const lambda = this.values[k - 1];
    const times = spaced(low, horizon, 161, app.get("log_time"));
    const path = times.map(
      (t) => `${top.x(t).toFixed(1)},${top.y(sigmoid(lambda, s0, t * tau)).toFixed(1)}`,
    );
    const at = learningTime(lambda, s0) / tau;
    const { left, right, top: high, bottom } = top.inner;
    const x = Math.min(Math.max(top.x(Math.max(at, low || 1e-9)), left), right);
    const [up, down] = app.texts.words[app.get("kind")][k - 1];
    const text = `mode ${k}: ${up[0]} / ${down[0]}`;
    const wide = app.width(text, 12);
    const inside = x + wide + 8 < right;
    return [
      s("path", { d: `M${path.join("L")}`, fill: "none", class: "chosen" }),
      s("path", { d: `M${x},${bottom}V${high - 5}`, class: "chosen thin" }),
      s(
        "text",
        {
          x: inside ? x + 5 : Math.max(x - 5, left + wide),
          y: high - 8,
          "text-anchor": inside ? "start" : "end",
        },
        text,
      ),
    ];
  }

  draw() {
    const { app, top, rank, loss, low } = this;
    const time = app.get("time");
    const k = Math.min(this.hovered || app.get("mode"), app.get("dim"));
    this.drawCurves();
    for (const plot of [top, rank, loss]) {
      moveCursor(plot, Math.max(time, low));
      plot.pale(Math.max(time, low));
    }
    top.layer.lastElementChild?.replaceChildren(...this.bringOut(k));
    this.said.say(this.report(time, k));
  }

  /** @param {number} time @param {number} k */
  report(time, k) {
    const { app, values, frobenius, start: s0, unit: tau } = this;
    const d = app.get("dim");
    const now = moment(values, frobenius, d, s0, time * tau);
    const share = now.loss / moment(values, frobenius, d, s0, 0).loss;
    const lambda = values[k - 1];
    const [up, down] = app.texts.words[app.get("kind")][k - 1];
    return (
      `From ${startText(app.get("log_scale"))}, at t = ${time.toFixed(2)} τ₁: ${now.learned} of ${modes(d)} learned, ` +
      `effective rank ${now.effectiveRank.toFixed(1)}, loss ${percent(share)} of its start.\n` +
      `Mode ${k}: λ = ${show(lambda, 4)}, τ = ${(learningTime(lambda, s0) / tau).toFixed(2)} τ₁, ` +
      `s = ${sigmoid(lambda, s0, time * tau).toFixed(2)}.\n` +
      `One end: ${up.join(", ")}. The other: ${down.join(", ")}.`
    );
  }
}

export const { render, mount } = explorer(Modes);
