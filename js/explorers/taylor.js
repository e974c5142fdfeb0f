/** The loss of a positive pair, and its parabola. */

import { explorer } from "../app.js";
import { slider } from "../controls.js";
import { h, s } from "../dom.js";
import { fixed, show } from "../format.js";
import { disc, key } from "../marks.js";
import { spaced } from "../plot.js";

/** @import { App } from "../app.js" */

/** log(1 + e^-x), without overflow. @param {number} x */
export const exactLoss = (x) => Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Its second-order Taylor polynomial at zero. @param {number} x */
export const parabola = (x) => Math.LN2 - x / 2 + (x * x) / 8;

class Taylor {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.plot = app.plot({
      height: 280,
      xLabel: "x = wᵢ · wⱼ",
      yLabel: "loss of a positive pair",
      label: "The loss of a positive pair and its parabola, with the gap at the chosen x",
    });
    this.plot.range({ x: [-4, 4], y: [0, 5] });
    this.said = app.readout();
    const x = slider(app, "x", { label: "x = wᵢ · wⱼ", min: -4, max: 4, step: 0.05, show: fixed });
    app.body.append(h("div", { class: "controls" }, x), this.plot.box, this.said.element);
  }

  drawCurves() {
    const { plot, app } = this;
    const xs = spaced(-4, 4, 161);
    const c = plot.begin();
    c.beginPath();
    for (const x of xs) c.lineTo(plot.x(x), plot.y(exactLoss(x)));
    for (const x of [...xs].reverse()) c.lineTo(plot.x(x), plot.y(parabola(x)));
    Object.assign(c, { fillStyle: app.color("m3"), globalAlpha: 0.22 });
    c.fill();
    c.globalAlpha = 1;
    plot.line(xs, xs.map(exactLoss), { color: app.color("ink") });
    plot.line(xs, xs.map(parabola), { color: app.color("m3"), dash: [7, 4] });
    plot.end();
    const x = plot.inner.right - 32 - app.width("log 2 − x/2 + x²/8", 12);
    plot.layer.replaceChildren(
      ...key(x, 20, "ink", "", "log(1 + e⁻ˣ)"),
      ...key(x, 38, "m3", "7 4", "log 2 − x/2 + x²/8"),
      s("g"),
    );
  }

  draw() {
    const { app, plot } = this;
    const x = app.get("x");
    const [exact, close] = [exactLoss(x), parabola(x)];
    if (plot.changed()) this.drawCurves();
    const at = plot.x(x);
    const [one, two] = [plot.y(exact), plot.y(close)];
    plot.layer.lastElementChild?.replaceChildren(
      s("path", { d: `M${at},${plot.inner.bottom}V${Math.min(one, two)}`, class: "chosen thin" }),
      s("path", { d: `M${at},${one}V${two}`, class: "chosen" }),
      disc(at, one, 5, "ink"),
      disc(at, two, 5, "m3"),
    );
    const gap = close - exact;
    this.said.say(
      `At x = ${fixed(x)} the loss is ${exact.toFixed(3)} and the parabola ${close.toFixed(3)}: ` +
        `a gap of ${gap.toFixed(3)}, ${show((100 * gap) / exact, 2)}% of the loss.`,
    );
  }
}

export const { render, mount } = explorer(Taylor);
