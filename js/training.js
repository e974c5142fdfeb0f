/** Gradient descent on a small model, beside the theory from the same start. */

import { columnsOf, dot, gramSchmidt, singularValues } from "./linalg.js";
import { gaussians, generator, sampler } from "./random.js";
import { along, flow, learningTime, silentStart, theoryLoss } from "./theory.js";

const KEPT = 400; // moments of a run that are drawn

/** @typedef {{A: Float64Array, B: Float64Array}} Weights A = Psi+ P_ij and B = Psi- P_i P_j, (V, V) */
/** @typedef {{values: number[], vectors: Float64Array[]}} Spectrum */
/** @typedef {keyof typeof LOSSES} Loss */

/** @param {number} A */
const entropy = (A) => (A > 0 ? A * Math.log(A) : 0);

/**
 * What a pair costs at x = w_i . w_j: `A` times the loss of a positive pair and `B` times that of a
 * negative one; the derivative by x, and the least value that any x gives.
 * @typedef {object} PairLoss
 * @property {(A: number, B: number, x: number) => number} cost
 * @property {(A: number, B: number, x: number) => number} slope
 * @property {(A: number, B: number) => number} floor
 */

/** @type {{qwem: PairLoss, sgns: PairLoss}} */
const LOSSES = {
  qwem: {
    cost: (A, B, x) => ((A + B) * x * x) / 4 - (A - B) * x,
    slope: (A, B, x) => ((A + B) * x) / 2 - (A - B),
    floor: (A, B) => -((A - B) ** 2) / (A + B),
  },
  sgns: {
    cost: (A, B, x) =>
      2 * ((A + B) * (Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))) - A * x),
    slope: (A, B, x) => 2 * ((A + B) / (1 + Math.exp(-x)) - A),
    floor: (A, B) => 2 * (entropy(A + B) - entropy(A) - entropy(B)),
  },
};

/** @param {ArrayLike<number>} values */
function sum(values) {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}

/** A symmetric table from its lower triangle. @param {ArrayLike<number>} triangle @param {number} V */
function symmetric(triangle, V) {
  const table = new Float64Array(V * V);
  for (let i = 0, at = 0; i < V; i++) {
    for (let j = 0; j <= i; j++, at++) {
      table[i * V + j] = triangle[at];
      table[j * V + i] = triangle[at];
    }
  }
  return table;
}

/** (Psi+, Psi-) of word2vec's sampler, as in `qw2v.weighting.Word2Vec`.
 * @param {Float64Array} joint P_ij @param {Float64Array} P
 * @param {number} negatives @param {{subsample: number, power: number}} recipe
 * @returns {(i: number, j: number) => [number, number]}
 */
function samplerWeights(joint, P, negatives, { subsample, power }) {
  const V = P.length;
  const accept = P.map((p) => Math.min(1, Math.sqrt(subsample / p) + subsample / p));
  const noise = P.map((p) => p ** power);
  const noises = sum(noise);
  const excess = P.map((p, i) => (negatives * noise[i]) / noises / p);
  // r_i p_i: how often i is the centre of a kept pair, over P_i.
  const centres = accept.map((p, i) => (p * dot(accept, joint.subarray(i * V, i * V + V))) / P[i]);
  return (i, j) => [accept[i] * accept[j], (centres[i] * excess[j] + centres[j] * excess[i]) / 2];
}

/**
 * A = Psi+ P_ij and B = Psi- P_i P_j, both (V, V), in units of g, the mean of A + B.
 * @param {ArrayLike<number>} pairs the lower triangle of the counts
 * @param {ArrayLike<number>} counts
 * @param {string} weighting
 * @param {number} negatives
 * @param {{subsample: number, power: number}} recipe
 * @returns {Weights}
 */
export function tables(pairs, counts, weighting, negatives, recipe) {
  const V = counts.length;
  const all = sum(counts);
  const P = Float64Array.from(counts, (count) => count / all);
  const table = symmetric(pairs, V);
  const total = sum(table);
  const joint = table.map((count) => count / total);
  const word2vec = samplerWeights(joint, P, negatives, recipe);
  const [A, B] = [new Float64Array(V * V), new Float64Array(V * V)];
  for (let i = 0, at = 0; i < V; i++) {
    for (let j = 0; j < V; j++, at++) {
      const apart = P[i] * P[j];
      const both = 1 / (joint[at] + apart);
      const [positive, negative] = weighting === "word2vec" ? word2vec(i, j) : [both, both];
      A[at] = positive * joint[at];
      B[at] = negative * apart;
    }
  }
  const g = (sum(A) + sum(B)) / (V * V);
  return { A: A.map((a) => a / g), B: B.map((b) => b / g) };
}

/** 2 (A - B): at the origin every loss has the flow dW/dt = 2 (A - B) W / 2. It is M* in Setting 3.1.
 * @param {Weights} weights
 */
export const growth = ({ A, B }) => A.map((a, at) => 2 * (a - B[at]));

/** w_i . w_j. @param {Float64Array} W @param {number} d @param {number} i @param {number} j */
function product(W, d, i, j) {
  let x = 0;
  for (let k = 0; k < d; k++) x += W[i * d + k] * W[j * d + k];
  return x;
}

/** The loss above its floor, in units of g; for qwem in Setting 3.1 it is |W W^T - M*|^2 / 4.
 * @param {Float64Array} W @param {number} d @param {Weights} weights @param {Loss} loss
 */
export function lossOf(W, d, { A, B }, loss) {
  const V = W.length / d;
  const { cost, floor } = LOSSES[loss];
  let total = 0;
  for (let i = 0; i < V; i++) {
    for (let j = 0; j <= i; j++) {
      const [a, b] = [A[i * V + j], B[i * V + j]];
      total += (cost(a, b, product(W, d, i, j)) - floor(a, b)) * (i === j ? 1 : 2);
    }
  }
  return total;
}

/** Add to `change` what one pair does: `c` is dL/dx_ij of the ordered pair, over g.
 * @param {Float64Array} change @param {Float64Array} W @param {number} d
 * @param {number} i @param {number} j @param {number} c
 */
function pull(change, W, d, i, j, c) {
  for (let k = 0; k < d; k++) {
    change[i * d + k] -= c * W[j * d + k];
    change[j * d + k] -= c * W[i * d + k];
  }
}

/** -grad L / 2g over all pairs, into `change`: in Setting 3.1 (M* - W W^T) W / 2 for qwem.
 * @param {Float64Array} W @param {number} d @param {Weights} weights @param {Loss} loss
 * @param {Float64Array} change
 */
export function velocity(W, d, { A, B }, loss, change) {
  const V = W.length / d;
  const { slope } = LOSSES[loss];
  change.fill(0);
  for (let i = 0; i < V; i++) {
    for (let j = 0; j <= i; j++) {
      const c = slope(A[i * V + j], B[i * V + j], product(W, d, i, j));
      pull(change, W, d, i, j, i === j ? c / 2 : c);
    }
  }
  return change;
}

/** The same from `batch` positive pairs, drawn with odds A, and as many negative ones with odds B.
 * @param {Float64Array} W @param {number} d @param {ReturnType<typeof sampler>[]} samplers
 * @param {Loss} loss @param {number} batch @param {Float64Array} change
 */
export function sampledVelocity(W, d, [positive, negative], loss, batch, change) {
  const V = W.length / d;
  const { slope } = LOSSES[loss];
  change.fill(0);
  for (let n = 0; n < 2 * batch; n++) {
    const { draw, total } = n < batch ? positive : negative;
    const weight = total / (2 * batch);
    const cell = draw();
    const i = Math.floor(cell / V);
    const j = cell % V;
    const x = product(W, d, i, j);
    pull(change, W, d, i, j, n < batch ? slope(weight, 0, x) : slope(0, weight, x));
  }
  return change;
}

/** Curves over time: singular values by mode, and the loss as a share of its start.
 * @typedef {{times: number[], s: number[][], loss: number[]}} Path
 */

/** @param {number} d @returns {Path} */
const emptyPath = (d) => ({ times: [], s: Array.from({ length: d }, () => []), loss: [] });

/**
 * Gradient descent from a random start, entries N(0, sigma^2 / d), and the theory from the same
 * start. `spectrum` and `own` are the eigenpairs of M* and of this run's growth matrix. Time is
 * counted in units of the first learning time, the run's in its own and the theory's in its own.
 */
export class Run {
  /**
   * @param {Weights} weights @param {Spectrum} spectrum @param {Spectrum} own
   * @param {{loss: Loss, dim: number, sigma: number, rate: number, batch: number, seed: number}} chosen
   */
  constructor(weights, spectrum, own, { loss, dim, sigma, rate, batch, seed }) {
    this.weights = weights;
    this.spectrum = spectrum;
    this.loss = loss;
    this.d = dim;
    this.batch = batch;
    this.step = 0;
    this.diverged = false;
    const lambdas = spectrum.values;
    const uniform = generator(seed);
    this.W = gaussians(uniform, lambdas.length * dim, sigma / Math.sqrt(dim));
    this.change = new Float64Array(this.W.length);
    this.samplers = batch ? [sampler(weights.A, uniform), sampler(weights.B, uniform)] : [];
    const starts = silentStart(spectrum.vectors, this.W, dim);
    this.tau = learningTime(lambdas[0], starts[0]);
    this.lr = rate / own.values[0];
    const last = Math.max(...starts.map((s, k) => learningTime(lambdas[k], s) + 5 / lambdas[k]));
    this.horizon = last / this.tau;
    this.stride = this.lr / learningTime(own.values[0], silentStart(own.vectors, this.W, dim)[0]);
    this.steps = Math.ceil(this.horizon / this.stride);
    this.every = Math.ceil(this.steps / KEPT);
    this.a = along(spectrum.vectors, this.W, dim);
    this.first = lossOf(this.W, dim, weights, loss);
    this.full = lambdas.map((value, k) => Math.min(value, own.values[k]));
    this.bound = 30 * lambdas.reduce((total, v) => total + Math.max(v, 0), 0); // of |W|^2, far above any minimum
    this.theory = this.exactPath(240);
    this.kept = emptyPath(dim);
    this.distance = 0;
    this.rises = 0;
    this.keep();
  }

  /** The exact path at n + 1 moments. @param {number} n */
  exactPath(n) {
    const { d } = this;
    const { values } = this.spectrum;
    const a = this.a.slice();
    const first = theoryLoss(a, d, values);
    const path = emptyPath(d);
    for (let i = 0; i <= n; i++) {
      if (i) flow(a, d, values, (this.horizon / n) * this.tau);
      path.times.push((i / n) * this.horizon);
      singularValues(a, d).forEach((s, k) => {
        path.s[k].push(s);
      });
      path.loss.push(theoryLoss(a, d, values) / first);
    }
    return path;
  }

  get time() {
    return this.step * this.stride;
  }
  get over() {
    return this.diverged || this.step >= this.steps;
  }

  /** The last moment that was kept. */
  get latest() {
    const { times, s, loss } = this.kept;
    const last = times.length - 1;
    const step = Math.round(times[last] / this.stride);
    return { step, time: times[last], s: s.map((values) => values[last]), loss: loss[last] };
  }

  /** How many modes have passed half of their final square: in the run not above either eigenvalue.
   * @param {number[]} s
   */
  learnedOf(s, full = this.full) {
    return s.filter((x, k) => x * x > full[k] / 2).length;
  }

  /** One step of gradient descent. */
  advance() {
    const { W, d, loss, change } = this;
    if (this.batch) sampledVelocity(W, d, this.samplers, loss, this.batch, change);
    else velocity(W, d, this.weights, loss, change);
    for (let at = 0; at < W.length; at++) W[at] += this.lr * change[at];
    flow(this.a, d, this.spectrum.values, this.stride * this.tau);
    this.step++;
    this.diverged = !(dot(W, W) < this.bound); // NaN is not below it either
    if (!this.diverged && (this.step % this.every === 0 || this.over)) this.keep();
  }

  /** Keep this moment, and how far from the theory it is. */
  keep() {
    const { W, d, kept } = this;
    const theory = singularValues(this.a, d);
    const loss = lossOf(W, d, this.weights, this.loss) / this.first;
    // Of the last moments, how many saw the loss rise: about 20 count.
    const rose = loss > kept.loss[kept.loss.length - 1] * (1 + 1e-9);
    this.rises = 0.95 * this.rises + Number(rose);
    kept.times.push(this.time);
    kept.loss.push(loss);
    singularValues(W, d).forEach((s, k) => {
      kept.s[k].push(s);
      this.distance = Math.max(this.distance, Math.abs(s - theory[k]));
    });
  }

  /** Coordinates of all words along modes `chosen` (from 0), in the order in which they are learned.
   * @param {number[]} chosen
   */
  plane(chosen) {
    const columns = columnsOf(this.W, this.d);
    const ways = this.spectrum.vectors
      .slice(0, Math.max(...chosen) + 1)
      .map((v) => Float64Array.from(columns, (column) => dot(v, column)));
    gramSchmidt(ways);
    return chosen.map((k) =>
      Float64Array.from(columns[0], (_, i) =>
        columns.reduce((total, column, l) => total + column[i] * ways[k][l], 0),
      ),
    );
  }
}
