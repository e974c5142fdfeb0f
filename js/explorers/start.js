/** Two singular values from a start of any scale and angle, exactly and by the two simple formulas. */

import { explorer } from "../app.js";
import { slider } from "../controls.js";
import { h } from "../dom.js";
import { powerText, show } from "../format.js";
import { key, upright } from "../marks.js";
import { spaced } from "../plot.js";
import { exactPair, ownStarts, sigmoid } from "../theory.js";

/** @import { App } from "../app.js" */

/** @typedef {{others: number[], away: [number, number][]}} Texts eigenvalues after the first two, and a frame */
/** @typedef {(t: number) => number[]} Theory */

/** Two orthonormal columns, turned by `angle` degrees from the first two modes, as rows [x, y].
 * @param {number} angle @param {[number, number][]} away
 */
export function tilted(angle, away) {
  const turn = (angle * Math.PI) / 180;
  const [c, s] = [Math.cos(turn), Math.sin(turn)];
  const rows = away.map(([x, y], i) => [s * x + (i === 0 ? c : 0), s * y + (i === 1 ? c : 0)]);
  /** @param {0 | 1} a @param {0 | 1} b */
  const dot = (a, b) => rows.reduce((sum, row) => sum + row[a] * row[b], 0);
  const length = Math.sqrt(dot(0, 0));
  const along = dot(0, 1) / length;
  const across = Math.sqrt(dot(1, 1) - along * along);
  return rows.map(
    ([x, y]) => /** @type {[number, number]} */ ([x / length, (y - (along * x) / length) / across]),
  );
}

/** Lemma 3.1 for two modes: t to their singular values, the larger first.
 * @param {number[]} values @param {number[]} starts @returns {Theory}
 */
const sigmoids = (values, starts) => (t) =>
  values.map((value, k) => sigmoid(value, Math.max(starts[k], 1e-150), t)).sort((a, b) => b - a);

/** A time by which both modes are learned. @param {number} ratio @param {number} sigma */
export const horizon = (ratio, sigma) =>
  1.25 * Math.max(Math.log(ratio / sigma ** 2) / ratio, 0) + 8 / ratio;

/** The theories from one start, as functions of t.
 * @param {number} ratio @param {number} angle @param {number} sigma @param {Texts} texts
 */
export function theories(ratio, angle, sigma, { others, away }) {
  const frame = tilted(angle, away);
  const learned = [1, ratio];
  const overlaps = frame.slice(0, 2).map((row) => Float64Array.from(row));
  return {
    exact: exactPair([...learned, ...others], frame, sigma),
    lemma: sigmoids(
      learned,
      overlaps.map((row) => sigma * Math.hypot(...row)),
    ),
    result: sigmoids(learned, [sigma, sigma]),
    own: sigmoids(
      learned,
      ownStarts(overlaps).map((length) => sigma * length),
    ),
  };
}

/** The largest errors of Lemma 3.1 and of Result 3, without and with own starts, in % of √λ₁.
 * @param {number} ratio @param {number} angle @param {number} sigma @param {Texts} texts
 */
export function worst(ratio, angle, sigma, texts, count = 80) {
  const { exact, ...guesses } = theories(ratio, angle, sigma, texts);
  const errors = [0, 0, 0];
  for (const t of spaced(0, horizon(ratio, sigma), count)) {
    const truth = exact(t);
    Object.values(guesses).forEach((theory, which) => {
      const guess = theory(t);
      for (const k of [0, 1])
        errors[which] = Math.max(errors[which], 100 * Math.abs(guess[k] - truth[k]));
    });
  }
  return errors;
}

const SCALES = Array.from({ length: 53 }, (_, i) => 10 ** (-12 + i / 4));
const GUESSES = [
  ["m3", "Lemma 3.1"],
  ["m4", "Result 3"],
  ["m5", "Result 3, own starts"],
];

class Start {
  /** @param {App} app */
  constructor(app) {
    this.app = app;
    this.course = app.plot({
      label: "Two singular values over training time: exact, Lemma 3.1 and Result 3",
      xLabel: "training time t, in 1/λ₁",
      yLabel: "singular value",
      height: 280,
    });
    this.errors = app.plot({
      label:
        "Largest errors of Lemma 3.1 and of Result 3, without and with own starts, against the scale of the start",
      xLabel: "scale σ of the start",
      yLabel: "largest error in %",
      height: 210,
      margin: { right: 16 },
    });
    this.errors.range({
      x: [1e-12, 10],
      y: [0, 100],
      log: true,
      xTicks: [1e-12, 1e-9, 1e-6, 1e-3, 1],
    });
    this.said = app.readout();
    this.known = "";
    /** @type {number[][]} */
    this.swept = [];
    app.body.append(
      h(
        "div",
        { class: "controls" },
        slider(app, "log_scale", {
          label: "scale σ of the start",
          min: -12,
          max: 1,
          step: 0.25,
          show: powerText,
        }),
        slider(app, "angle", {
          label: "angle to the modes",
          min: 0,
          max: 90,
          step: 1,
          show: (x) => `${show(x)}°`,
        }),
        slider(app, "ratio", {
          label: "λ₂ / λ₁",
          min: 0.5,
          max: 0.99,
          step: 0.01,
          show: (x) => show(x, 2),
        }),
      ),
      this.course.box,
      this.errors.box,
      this.said.element,
    );
  }

  /** @param {number} sigma @param {number} angle @param {number} ratio */
  drawCourse(sigma, angle, ratio) {
    const { course, app } = this;
    const { exact, lemma, result } = theories(ratio, angle, sigma, app.texts);
    const end = horizon(ratio, sigma);
    const times = spaced(0, end, 400);
    course.range({ x: [0, end], y: [0, 1.05 * Math.max(1.15, Math.min(sigma, 4))] });
    course.begin();
    /** @type {[Theory, number, number[]][]} */
    const drawn = [
      [result, 1.5, [2, 4]],
      [lemma, 1.5, [7, 4]],
      [exact, 2.5, []],
    ];
    for (const [theory, width, dash] of drawn) {
      const values = times.map(theory);
      for (const k of [0, 1]) {
        course.line(
          times,
          values.map((pair) => pair[k]),
          { color: app.modeColor(k + 1), width, dash },
        );
      }
    }
    course.end();
    const { right, bottom } = course.inner;
    course.layer.replaceChildren(
      ...key(right - 118, bottom - 62, "ink", "", "exact"),
      ...key(right - 118, bottom - 42, "ink", "7 4", "Lemma 3.1"),
      ...key(right - 118, bottom - 22, "ink", "2 4", "Result 3"),
    );
  }

  /** @param {number} sigma @param {number} angle @param {number} ratio */
  drawErrors(sigma, angle, ratio) {
    const { errors, app } = this;
    if (this.known !== `${angle} ${ratio}`) {
      this.swept = SCALES.map((scale) => worst(ratio, angle, scale, app.texts));
    }
    this.known = `${angle} ${ratio}`;
    errors.begin();
    GUESSES.forEach(([color], which) => {
      errors.line(
        SCALES,
        this.swept.map((pair) => pair[which]),
        { color: app.color(color) },
      );
    });
    errors.end();
    const { left, top } = errors.inner;
    errors.layer.replaceChildren(
      upright(errors, sigma),
      ...GUESSES.flatMap(([color, name], row) =>
        key(left + 12, top + 12 + 20 * row, color, "", name),
      ),
    );
  }

  draw() {
    const { app } = this;
    const [log, angle, ratio] = [app.get("log_scale"), app.get("angle"), app.get("ratio")];
    const sigma = 10 ** log;
    this.drawCourse(sigma, angle, ratio);
    this.drawErrors(sigma, angle, ratio);
    const [one, two, three] = worst(ratio, angle, sigma, app.texts, 400).map((x) =>
      x < 0.001 ? "less than 0.001%" : `up to ${show(x, 2)}%`,
    );
    this.said.say(
      `From σ = ${powerText(log)} at ${show(angle)}° to the modes, λ₂ = ${show(ratio, 2)} λ₁: ` +
        `Lemma 3.1 is wrong by ${one} of the first mode’s final size, Result 3 by ${two}, ` +
        `and with each mode’s own start by ${three}.`,
    );
  }
}

export const { render, mount } = explorer(Start);
