/**
 * Four modes under steps of any size, the flow, the corrected flow, and where one mode's steps go in
 * the long run, as in `qw2v.dynamics.discrete`. Lengths are in √λ₁, times in 1/λ₁.
 */

import { explorer } from "../app.js";
import { slider } from "../controls.js";
import { h, s } from "../dom.js";
import { key, label, upright } from "../marks.js";
import { spaced } from "../plot.js";
import { halfTime, sigmoid } from "../theory.js";

/** @import { App } from "../app.js" */

export { sigmoid };

const END = 30; // of the time axis

/** Sizes s at steps 0, 1, .., count of a mode with eigenvalue `value`, steps of size a = η λ₁.
 * @param {number} value @param {number} start @param {number} a @param {number} count
 */
export function walked(value, start, a, count) {
  const sizes = [start];
  for (let i = 0; i < count; i++) sizes.push(sizes[i] * (1 + (a / 2) * (value - sizes[i] ** 2)));
  return sizes;
}

/** Time at which steps bring a mode to s² = share λ, for η λ below one: discrete.step_times.
 * @param {number} value @param {number} start @param {number} a @param {number} share
 */
export function stepTime(value, start, a, share) {
  const own = a * value;
  const growth = Math.log1p(own / 2);
  const kappa = growth / -Math.log1p(-own);
  /** @param {number} y */
  const g = (y) => Math.log(y) / 2 - kappa * Math.log1p(-y) + (5 / 32) * own ** 2 * y;
  return ((g(share) - g(start ** 2 / value)) * a) / growth;
}

/** Values of |s| / √λ that the steps of one mode visit for ever; none where they diverge.
 * @param {number} own @param {number} keep
 */
export function visited(own, keep, skip = 2000) {
  let u = 0.5;
  const found = [];
  for (let i = 0; i < skip + keep; i++) {
    u *= 1 + (own / 2) * (1 - u * u);
    if (!(Math.abs(u) < 1e6)) return [];
    if (i >= skip) found.push(Math.abs(u));
  }
  return found;
}

/** How many values take turns: 0 where the steps diverge, Infinity where no short period is found.
 * @param {number} own
 */
export function period(own) {
  const found = visited(own, 64, 20000);
  if (!found.length) return 0;
  for (const p of [1, 2, 3, 4, 5, 6, 8, 10, 12, 16]) {
    if (found.every((u, i) => i < p || Math.abs(u - found[i - p]) < 1e-5)) return p;
  }
  return Number.POSITIVE_INFINITY;
}

/** What becomes of a mode. @param {number} own */
function inWords(own) {
  const p = period(own);
  if (p === 0) return "diverges";
  if (p === Number.POSITIVE_INFINITY) return "never repeats itself";
  if (p === 1) return own < 1 ? "converges without overshooting" : "overshoots and converges";
  const turns = visited(own, p, 20000).sort((x, y) => x - y);
  const texts = turns.map((u) => u.toFixed(3));
  return `goes round ${p} values, ${texts.slice(0, -1).join(", ")} and ${texts[p - 1]} of √λ`;
}

/** @param {number} x */
const number = (x) => x.toFixed(2);

class StepSize {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.values = [...app.data.ratios];
    this.start = app.data.start[0];
    this.course = app.plot({
      label:
        "Sizes of four modes over time: steps as dots, the flow dashed, the corrected flow as a line",
      xLabel: "time, learning rate × steps, in 1/λ₁",
      yLabel: "s / √λ₁",
      height: 260,
    });
    this.course.range({ x: [0, END], y: [0, 1.6], yTicks: [0, 0.5, 1, 1.5] });
    this.fate = app.plot({
      label:
        "Where the steps of one mode go in the long run, against the size of the step, with the four modes marked",
      xLabel: "step size of the mode, η λ",
      yLabel: "s / √λ in the long run",
      height: 240,
      margin: { right: 16 },
    });
    this.fate.range({
      x: [0, 4.2],
      y: [0, 1.6],
      xTicks: [0, 1, 2, 3, 4],
      yTicks: [0, 0.5, 1, 1.5],
    });
    this.said = app.readout();
    const note =
      "An aligned start of 0.01 √λ₁, on the full loss. No direction with a negative eigenvalue is in the way.";
    app.body.append(
      h(
        "div",
        { class: "controls" },
        slider(app, "step", {
          label: "step size η λ₁",
          min: 0.05,
          max: 4.2,
          step: 0.01,
          show: number,
        }),
      ),
      this.course.box,
      this.fate.box,
      this.said.element,
      h("p", { class: "note" }, note),
    );
  }

  drawFate() {
    const { fate, app } = this;
    const c = fate.begin();
    const { left, right } = fate.inner;
    c.fillStyle = app.color("ink");
    for (let pixel = left; pixel <= right; pixel += 0.5) {
      const found = visited(fate.xAt(pixel), 120, 600);
      const [one, two, three] = found;
      const settled = found.length && Math.abs(one - two) + Math.abs(two - three) < 1e-3;
      c.globalAlpha = settled ? 1 : 0.16;
      for (const u of settled ? [one] : found) c.fillRect(pixel, fate.y(u) - 0.6, 0.7, 1.2);
    }
    c.globalAlpha = 1;
    fate.end();
  }

  /** The corrected flow of one mode. @param {number} value @param {number} a @param {string} color */
  drawCorrected(value, a, color) {
    const { course, start } = this;
    const first = start ** 2 / value;
    const shares = Array.from(
      { length: 241 },
      (_, i) => 1 / (1 + (1 / first - 1) * Math.exp(-i / 8)),
    );
    const times = shares.map((y) => stepTime(value, start, a, Math.min(y, 1 - 1e-12)));
    course.line(
      times,
      shares.map((y) => Math.sqrt(y * value)),
      { color, width: 1.5 },
    );
  }

  /** @param {number} a */
  drawCourse(a) {
    const { course, app, values, start } = this;
    const c = course.begin();
    const times = spaced(0, END, 241);
    const flow = { color: app.color("line"), width: 1.5, dash: [6, 4] };
    values.forEach((value, k) => {
      const color = app.modeColor(k + 1);
      course.line(
        times,
        times.map((t) => sigmoid(value, start, t)),
        flow,
      );
      if (a * value < 1) this.drawCorrected(value, a, color);
      c.fillStyle = color;
      walked(value, start, a, Math.floor(END / a)).forEach((size, i) => {
        c.beginPath();
        c.arc(course.x(a * i), course.y(Math.min(Math.abs(size), 9)), a < 0.2 ? 1.6 : 2.6, 0, 7);
        c.fill();
      });
    });
    course.end();
    const { left, right, top, bottom } = course.inner;
    const wide = course.x(a) - course.x(0);
    const ruler = `M${left + 10},${top + 8}v8m0,-4H${left + 10 + wide}m0,-4v8`;
    const corrected = a * values[values.length - 1] < 1;
    course.layer.replaceChildren(
      s("path", { d: ruler, fill: "none", style: "stroke:var(--ink)" }),
      label(left + 16 + wide, top + 16, "one step"),
      ...key(right - 118, bottom - 42, "line", "6 4", "flow"),
      ...(corrected ? key(right - 118, bottom - 22, "m1", "", "corrected") : []),
    );
  }

  draw() {
    const { app, fate, course, values, start } = this;
    const a = app.get("step");
    if (fate.changed()) this.drawFate();
    if (course.changed(a)) this.drawCourse(a);
    fate.layer.replaceChildren(
      ...values.map((value, k) =>
        upright(fate, a * value, { class: "", style: `stroke:var(--m${k + 1});stroke-width:2` }),
      ),
    );
    const half =
      a < 1
        ? ` It is half learned at t = ${number(stepTime(1, start, a, 0.5))}, the flow at ${number(halfTime(1, start))}.`
        : "";
    const others = values
      .slice(1)
      .map((value, k) => `mode ${k + 2} (${number(a * value)}) ${inWords(a * value)}`);
    this.said.say(
      `η λ₁ = ${number(a)}: mode 1 ${inWords(a)}.${half} Of the others, ${others.join("; ")}.`,
    );
  }
}

export const { render, mount } = explorer(StepSize);
