/** A small model that is trained in the reader's browser, over the theory's curves. */

import { explorer } from "../app.js";
import { button, Clock, menu, slider } from "../controls.js";
import { calm, h, s } from "../dom.js";
import { grouped, show, startText } from "../format.js";
import { eigenpairs, singularValues } from "../linalg.js";
import { apart, compass, cross, key, label, Namer } from "../marks.js";
import { gaussians, generator, sampler } from "../random.js";
import { flow, silentStart, theoryLoss } from "../theory.js";
import { growth, lossOf, Run, sampledVelocity, tables, velocity } from "../training.js";

/** @import { App } from "../app.js" */
/** @import { Loss, Spectrum, Weights } from "../training.js" */

export {
  eigenpairs,
  flow,
  gaussians,
  generator,
  growth,
  lossOf,
  Run,
  sampledVelocity,
  sampler,
  silentStart,
  singularValues,
  tables,
  theoryLoss,
  velocity,
};

const SECONDS = 8; // a whole run
const BUDGET = 8; // milliseconds of a frame for steps
const DEPTHS = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8]; // of the axis of the loss
const FRESH = ["loss", "weighting", "log_scale", "dim", "rate", "batch", "seed"]; // these begin anew

/** @type {[Loss, string][]} */
const LOSS_NAMES = [
  ["qwem", "quartic"],
  ["sgns", "word2vec’s"],
];

class Trainer {
  /** @param {App} app */
  constructor(app) {
    const { words, planes } = app.texts;
    this.app = app;
    /** @type {string[]} */
    this.words = words;
    /** @type {string[]} */
    this.planes = planes;
    /** @type {Map<string, {weights: Weights, spectrum: Spectrum}>} */
    this.problems = new Map();
    this.spectrum = this.problem("setting31", 1).spectrum;
    /** @type {Run | undefined} */
    this.made = undefined;
    this.begun = false;
    this.due = 0; // steps that the clock has asked for and that are still to be done
    this.widths = this.words.map((word) => app.width(word, 12));
    this.top = app.plot({
      height: 250,
      margin: { right: 20, top: 26 },
      yLabel: "singular value of W",
      label: "Singular values of W while it is trained, over the theory’s curves",
    });
    this.fall = app.plot({
      height: 130,
      margin: { right: 20 },
      yLabel: "loss / start",
      xLabel: "training time t / τ₁",
      label: "Loss while W is trained, over the theory’s curve",
    });
    this.map = app.plot({
      height: 330,
      bare: true,
      margin: { left: 20, bottom: 24, right: 4 },
      label: "The word embeddings along two modes; words far from the middle are named",
    });
    this.said = app.readout();
    this.train = button("Train", () => this.press());
    this.clock = new Clock(
      app,
      (passed) => this.advance(passed),
      () => this.name(),
    );
    this.negatives = slider(app, "negatives", { label: "negatives k", min: 1, max: 10, step: 1 });
    this.plane = menu(app, "plane", {
      label: "words in modes",
      options: this.planes.map((p) => [p, p.replace(" ", " and ")]),
    });
    this.layout();
    this.listen();
  }

  layout() {
    const { app, top, fall, map, plane } = this;
    app.body.append(
      this.choices(),
      this.sliders(),
      h(
        "div",
        { class: "beside wide-first" },
        h("div", {}, top.box, fall.box),
        h("div", {}, h("div", { class: "controls" }, plane), map.box),
      ),
      this.said.element,
      h("p", { class: "note" }, app.texts.note),
    );
  }

  choices() {
    const { app, train } = this;
    const { batches, seeds } = app.texts;
    const reset = button("Reset", () => {
      this.fresh();
      app.redraw();
    });
    /** @param {number} n @returns {[number, string]} */
    const pairs = (n) => [n, n ? `${grouped(n)} + ${grouped(n)}` : "all"];
    return h(
      "div",
      { class: "controls" },
      train,
      reset,
      menu(app, "loss", { label: "loss", options: LOSS_NAMES }),
      menu(app, "weighting", {
        label: "weighting",
        options: [
          ["setting31", "Setting 3.1"],
          ["word2vec", "word2vec’s"],
        ],
      }),
      menu(app, "batch", { label: "pairs a step", options: batches.map(pairs) }),
      menu(app, "seed", {
        label: "seed",
        options: Array.from({ length: seeds }, (_, i) => [i + 1, i + 1]),
      }),
    );
  }

  sliders() {
    const { app, negatives } = this;
    const [fewest, most] = app.texts.dims;
    return h(
      "div",
      { class: "controls" },
      slider(app, "log_scale", { label: "start σ", min: -6, max: -1, step: 0.25, show: startText }),
      slider(app, "dim", { label: "dimension d", min: fewest, max: most, step: 1 }),
      slider(app, "rate", {
        label: "learning rate lr λ₁",
        min: Math.log10(0.05),
        max: Math.log10(5),
        step: 0.01,
        show: (x) => show(x, 2),
        to: (x) => Number((10 ** x).toPrecision(2)),
        from: Math.log10,
      }),
      negatives,
    );
  }

  /** What a change of the controls does to the run. */
  listen() {
    const { app, negatives } = this;
    const again = () => {
      this.clock.halt();
      this.made = undefined;
      app.redraw();
    };
    const weigh = () => {
      negatives.input.disabled = app.get("weighting") !== "word2vec";
    };
    for (const name of FRESH) app.on(name, again);
    app.on("negatives", () => app.get("weighting") === "word2vec" && again());
    app.on("weighting", weigh);
    weigh();
  }

  // ---- the run: made anew after a change of any control but the plane ----

  /** Weights with the eigenpairs of their growth matrix, computed once.
   * @param {string} weighting @param {number} negatives
   */
  problem(weighting, negatives) {
    const name = weighting === "word2vec" ? `word2vec ${negatives}` : weighting;
    const known = this.problems.get(name);
    if (known) return known;
    const { pairs, counts } = this.app.data;
    const weights = tables(pairs, counts, weighting, negatives, this.app.texts.weights);
    const found = { weights, spectrum: eigenpairs(growth(weights)) };
    this.problems.set(name, found);
    return found;
  }

  /** The problem that the controls set. */
  get chosen() {
    return this.problem(this.app.get("weighting"), this.app.get("negatives"));
  }

  /** Whether the run is of the theory's own loss and weights. */
  get plain() {
    return this.app.get("loss") === "qwem" && this.app.get("weighting") === "setting31";
  }

  /** A run from the start. */
  fresh() {
    const { app, spectrum } = this;
    this.clock.halt();
    const { weights, spectrum: own } = this.chosen;
    const [loss, dim, rate, batch, seed] = ["loss", "dim", "rate", "batch", "seed"].map(app.get);
    const sigma = 10 ** app.get("log_scale");
    this.made = new Run(weights, spectrum, own, { loss, dim, rate, batch, seed, sigma });
    this.due = 0;
    this.name();
    return this.made;
  }

  get run() {
    return this.made ?? this.fresh();
  }

  // ---- its progress: steps spread over SECONDS, but never more of them than a frame has time for ----

  /** The text of the button. */
  name() {
    const { made, clock } = this;
    const next = calm().matches ? "Next step" : made?.step ? "Go on" : "Train";
    if (clock?.running) this.train.textContent = "Pause";
    else this.train.textContent = made?.over ? "Train again" : next;
  }

  press() {
    const { clock, app } = this;
    if (clock.running) return clock.halt();
    if (!this.made || this.made.over) this.fresh();
    if (calm().matches) this.learnOne();
    else clock.start();
    app.redraw();
  }

  /** @param {number} passed seconds since the last frame */
  advance(passed) {
    const { run } = this;
    this.due += (passed * run.steps) / SECONDS;
    for (const end = performance.now() + BUDGET; this.due >= 1 && !run.over; this.due--) {
      if (performance.now() > end) this.due = 1;
      run.advance();
    }
    this.app.redraw();
    return !run.over;
  }

  /** With little motion: at once to where the theory has learned one more mode. */
  learnOne() {
    const { run, spectrum } = this;
    const { times, s } = run.theory;
    const learned = times.map((_, i) =>
      run.learnedOf(
        s.map((values) => values[i]),
        spectrum.values,
      ),
    );
    const now = Math.max(
      0,
      times.findLastIndex((t) => t <= run.time),
    );
    const next = learned.findIndex((n, i) => i > now && n > learned[now]);
    const until = next < 0 ? run.horizon : times[next] + 0.05;
    do run.advance();
    while (!run.over && run.time < until);
    this.name();
  }

  // ---- pictures ----

  /** The ranges of both plots, with room for what the run has done so far. */
  fit() {
    const { run, top, fall, spectrum, plain } = this;
    const { theory, kept, horizon } = run;
    const highest = Math.max(theory.s[0][theory.s[0].length - 1], ...kept.s[0]);
    const unit = 1.1 * Math.sqrt(spectrum.values[0]);
    const tall = Math.min(3, Math.max(1, Math.ceil((10.5 * highest) / unit) / 10));
    top.range({ x: [0, horizon], y: [0, unit * tall] });
    const lowest = 1 - Math.min(plain ? theory.loss[theory.loss.length - 1] : 1, ...kept.loss);
    const depth = DEPTHS.find((x) => x > 1.04 * lowest) ?? 1;
    const height = Math.max(...kept.loss) > 1.001 ? 1 + 0.25 * depth : 1; // where it climbs
    fall.range({ x: [0, horizon], y: [1 - depth, height] });
  }

  drawCurves() {
    const { run, top, fall, app, plain } = this;
    const { theory, kept, d } = run;
    this.fit();
    const name = plain ? "theory" : "quartic model’s theory";
    if (top.changed(name)) {
      const { left, right } = top.inner;
      const x = Math.max(left + 84, right - 44 - app.width(name, 12));
      top.layer.replaceChildren(
        ...key(left + 4, 10, "m1", "", "trained"),
        ...key(x, 10, "ink", "", name, 0.8),
        this.ends(),
      );
    }
    const ink = app.color("ink");
    const times = [...kept.times];
    top.begin();
    for (const values of theory.s) top.line(theory.times, values, { color: ink, width: 0.8 });
    for (let k = d - 1; k >= 0; k--)
      top.line(times, kept.s[k], { color: app.modeColor(k + 1), width: 2.5 });
    top.end();
    fall.begin();
    if (plain) fall.line(theory.times, theory.loss, { color: ink, width: 0.8 });
    fall.line(times, kept.loss, { color: app.color("m1"), width: 2.5 });
    fall.end();
  }

  /** The numbers of the modes, at the right ends of the theory's curves. */
  ends() {
    const { top } = this;
    const heights = this.run.theory.s.map((values) => top.y(values[values.length - 1]));
    return s(
      "g",
      {},
      ...apart(heights, 12).map((y, k) =>
        label(top.inner.right + 6, y + 4, String(k + 1), { color: `m${k + 1}` }),
      ),
    );
  }

  /** Three words at either end of mode k (from 0). @param {number} k */
  endsOf(k) {
    const v = this.spectrum.vectors[k];
    const order = this.words.map((_, i) => i).sort((a, b) => v[b] - v[a]);
    return [order.slice(0, 3), order.slice(-3).reverse()].map((rows) =>
      rows.map((i) => this.words[i]),
    );
  }

  /** The two modes of the plane, from 0. @returns {number[]} */
  modesShown() {
    return this.app
      .get("plane")
      .split(" ")
      .map((/** @type {string} */ k) => Number(k) - 1);
  }

  /** Offer the planes that d dimensions have, and leave one that they have not. */
  offerPlanes() {
    const { app, plane, run } = this;
    /** @param {string} name */
    const fits = (name) => Number(name.at(-1)) <= run.d;
    for (const option of plane.input.options) option.disabled = !fits(option.value);
    if (!fits(app.get("plane"))) app.set("plane", this.planes[0]);
  }

  drawMap() {
    const { run, map, spectrum, words } = this;
    const chosen = this.modesShown();
    const places = run.plane(chosen);
    const extent = chosen.map((k) =>
      [-1, 1].map((sign) => {
        const far = Math.max(...spectrum.vectors[k].map((x) => sign * x));
        return sign * 1.1 * Math.sqrt(spectrum.values[k]) * far;
      }),
    );
    // Room for embeddings that outgrow the theory's, in steps, so that the picture does not breathe.
    const beyond = places.flatMap((xs, axis) =>
      Array.from(xs, (x) => x / extent[axis][x < 0 ? 0 : 1]),
    );
    const grow = Math.min(3, Math.max(1, Math.ceil(5 * Math.max(...beyond)) / 5 || 1));
    const [x, y] = extent.map((ends) => ends.map((end) => grow * end));
    map.range({ x, y });
    if (map.changed(chosen)) map.layer.replaceChildren(...this.directions(chosen));
    const c = map.begin();
    cross(map, c);
    const points = words.map(
      (_, i) => /** @type {[number, number]} */ ([map.x(places[0][i]), map.y(places[1][i])]),
    );
    if (!run.diverged) this.drawWords(c, chosen, points);
    map.end();
  }

  /** Words in the colour of the end of a mode that they are at, named where there is room.
   * @param {CanvasRenderingContext2D} c @param {number[]} chosen @param {[number, number][]} points
   */
  drawWords(c, chosen, points) {
    const { app, map, spectrum, words, widths } = this;
    const peaks = chosen.map((k) => Math.max(...spectrum.vectors[k].map(Math.abs)));
    const shares = words.map((_, i) =>
      chosen.map((k, axis) => spectrum.vectors[k][i] / peaks[axis]),
    );
    const far = shares.map(([x, y]) => Math.max(Math.abs(x), Math.abs(y)));
    /** @param {number[]} share @param {number} size */
    const color = ([x, y], size) => {
      if (size < 0.4) return app.color("muted");
      const [first, along] = Math.abs(x) > Math.abs(y) ? [1, x] : [3, y];
      return app.modeColor(along > 0 ? first : first + 1);
    };
    const namer = new Namer(map, points, 3);
    Object.assign(c, {
      font: app.font(12),
      lineJoin: "round",
      strokeStyle: app.color("paper"),
      lineWidth: 3,
    });
    for (const i of words.map((_, row) => row).sort((a, b) => far[b] - far[a])) {
      const [x, y] = points[i];
      c.fillStyle = color(shares[i], far[i]);
      c.fillRect(x - 2, y - 2, 4, 4);
      if (Math.hypot(x - map.x(0), y - map.y(0)) >= 24) namer.write(c, i, words[i], widths[i]);
    }
  }

  /** What the ends of the two axes stand for. @param {number[]} chosen */
  directions(chosen) {
    const [[[east], [west]], [[north], [south]]] = chosen.map((k) => this.endsOf(k));
    const [across, up] = chosen.map((k) => `mode ${k + 1}`);
    return compass(this.map, { east, west, north, south, across, up });
  }

  // ---- what is said ----

  /** Along which modes the words are shown. */
  shown() {
    const [across, up] = this.modesShown().map((k) => {
      const [[one], [other]] = this.endsOf(k);
      return `mode ${k + 1}, ${other} to ${one}`;
    });
    return `The words are shown along ${across}, and ${up}.`;
  }

  /** What the theory says of the run before its first step. @param {string} theory */
  before(theory) {
    const { run, app, spectrum } = this;
    const { batch } = run;
    const last = run.theory.s.map((values) => values[values.length - 1]);
    const pairs = `${grouped(batch)} positive and ${grouped(batch)} negative pairs, drawn by chance`;
    return (
      `W starts as noise of size ${startText(app.get("log_scale"))}. From this start the ${theory} predicts ` +
      `${run.learnedOf(last, spectrum.values)} modes in ${show(run.horizon, 3)} τ₁: ${grouped(run.steps)} steps ` +
      `at lr λ₁ = ${show(app.get("rate"), 2)}, each from ${batch ? pairs : "all pairs"}.\n${this.shown()}`
    );
  }

  report() {
    const { run, app } = this;
    const { step, time, s: sizes, loss } = run.latest;
    const theory = this.plain ? "theory" : "quartic model’s theory";
    if (!step) return this.before(theory);
    const learned = run.learnedOf(sizes);
    const last = run.diverged
      ? "What was last seen: step"
      : run.over
        ? "The run is over. Step"
        : "Step";
    const share =
      loss < 10 ? `${(100 * loss).toFixed(1)}% of its start` : `${show(loss, 2)} times its start`;
    const named = learned && app.get("weighting") === "setting31" && !run.diverged;
    const [up, down] = named ? this.endsOf(learned - 1).map((end) => end.join(", ")) : [];
    return [
      this.fate(),
      `${last} ${grouped(step)} of ${grouped(run.steps)}, t = ${time.toFixed(2)} τ₁: loss ${share}, ` +
        `${learned} of ${run.d} modes learned, ` +
        `largest distance of a singular value from the ${theory} ${show(run.distance, 2)}.`,
      up && `The newest mode sets ${up} against ${down}.`,
      this.shown(),
    ]
      .filter(Boolean)
      .join("\n");
  }

  /**
   * Whether the steps are too long, in words. At the start W moves along the lowest mode by
   * 1 + lr lambda / 2, which must be above -1; around the minimum of the quartic model in Setting
   * 3.1 its first mode moves by 1 - lr lambda_1. Other minima have limits of their own.
   */
  fate() {
    const { run, app } = this;
    const { values } = this.chosen.spectrum;
    const rate = `lr λ₁ = ${show(app.get("rate"), 2)}`;
    const start = (-4 * values[0]) / values[values.length - 1];
    const limit = this.plain
      ? `The steps are stable below lr λ₁ = ${show(Math.min(2, start), 2)}.`
      : "In Setting 3.1 the quartic model is stable below lr λ₁ = 2; here the limit can be lower" +
        (start < 2 ? `, and at the start alone it is ${show(start, 2)}.` : ".");
    if (run.diverged) {
      return `Diverged at step ${grouped(run.step)}: at ${rate} each step overshoots by more than the last. ${limit} Choose a smaller one.`;
    }
    if (run.batch || run.rises <= 2.5) return "";
    return `The steps overshoot: at ${rate} the loss climbs again and again. ${limit}`;
  }

  draw() {
    if (!this.made) {
      this.fresh();
      if (this.begun && !calm().matches) this.clock.start();
      this.begun = true;
      this.offerPlanes();
    }
    this.drawCurves();
    this.drawMap();
    this.said.say(this.report());
  }
}

export const { render, mount } = explorer(Trainer);
