/**
 * The theory of the paper: what the explorers draw, as in `qw2v.dynamics`, against which this file
 * is tested. Nothing here knows of a page.
 */

import { columnsOf, dot, gramSchmidt } from "./linalg.js";

/** M* = 2 tanh(PMI / 2), in [-2, 2]. @param {number} pmi */
export const softClip = (pmi) => 2 * Math.tanh(pmi / 2);

// ---- Lemma 3.1: an aligned start, eigenvalues above zero -------------------------------------------

/** tau = ln(lambda / s0^2) / lambda: when a mode switches on. @param {number} lambda @param {number} s0 */
export const learningTime = (lambda, s0) => (Math.log(lambda) - 2 * Math.log(s0)) / lambda;

/** When s^2 passes half of its final value: tau, but for a start that is not small.
 * @param {number} lambda @param {number} s0
 */
export const halfTime = (lambda, s0) => Math.log(Math.max(lambda / s0 ** 2 - 1, 1e-300)) / lambda;

/** s^2(t): for lambda > 0 nothing here overflows or cancels.
 * @param {number} lambda @param {number} s0 @param {number} t
 */
export const square = (lambda, s0, t) =>
  lambda / (1 + (lambda / s0 ** 2 - 1) * Math.exp(-lambda * t));

/** s(t). @param {number} lambda @param {number} s0 @param {number} t */
export const sigmoid = (lambda, s0, t) => Math.sqrt(square(lambda, s0, t));

/**
 * What a trajectory says at time t of its first d modes, all from s0.
 * @param {ArrayLike<number>} eigenvalues
 * @param {number} frobenius ||M*||_F^2
 * @param {number} d
 * @param {number} s0
 * @param {number} t
 */
export function moment(eigenvalues, frobenius, d, s0, t) {
  let [sum, fourth, learned, loss] = [0, 0, 0, frobenius];
  for (let k = 0; k < d; k++) {
    const lambda = eigenvalues[k];
    const s2 = square(lambda, s0, t);
    sum += s2;
    fourth += s2 * s2;
    learned += Number(s2 > lambda / 2);
    loss += s2 * (s2 - 2 * lambda); // (lambda - s2)^2 - lambda^2
  }
  return { loss: loss / 4, learned, effectiveRank: (sum * sum) / fourth };
}

// ---- any start ------------------------------------------------------------------------------------

/**
 * What each mode has to itself: lengths of v_k^T W without the directions of the modes before it.
 * With these for starts the sigmoids hold for a small random start (Result 3).
 * @param {Float64Array[]} overlaps rows v_k^T W, strongest mode first; they are overwritten
 */
export const ownStarts = (overlaps) => gramSchmidt(overlaps).map((row, k) => row[k]);

/** The same from the eigenvectors and W (V, d), row by row.
 * @param {Float64Array[]} vectors @param {Float64Array} W @param {number} d
 */
export function silentStart(vectors, W, d) {
  const columns = columnsOf(W, d);
  return ownStarts(
    vectors.slice(0, d).map((v) => Float64Array.from(columns, (column) => dot(v, column))),
  );
}

/** (e^(λt) − 1) / λ, and its limit t. @param {number} lambda @param {number} t */
const phi = (lambda, t) => (lambda === 0 ? t : Math.expm1(lambda * t) / lambda);

/**
 * The exact flow over a time h, in the eigenbasis, in place: the solution of the Riccati equation,
 *     a(t + h) = e^(Lambda h/2) a(t) R^-1   with   R^T R = I + a^T Phi a,  Phi = (e^(Lambda h) - I) / Lambda,
 * up to a right rotation. The matrix under the root is at least I, so that nothing is lost.
 * @param {Float64Array} a coefficients v_i^T W of all modes, (V, d) row by row
 * @param {number} d
 * @param {ArrayLike<number>} values
 * @param {number} h
 */
export function flow(a, d, values, h) {
  const V = values.length;
  const gram = Array.from({ length: d }, (_, k) => {
    const row = new Float64Array(d);
    row[k] = 1;
    return row;
  });
  for (let i = 0; i < V; i++) {
    const room = phi(values[i], h);
    for (let k = 0; k < d; k++) {
      for (let l = k; l < d; l++) gram[k][l] += room * a[i * d + k] * a[i * d + l];
    }
  }
  cholesky(gram);
  for (let i = 0; i < V; i++) {
    const grown = Math.exp((values[i] * h) / 2);
    for (let k = 0; k < d; k++) {
      let rest = a[i * d + k] * grown;
      for (let m = 0; m < k; m++) rest -= a[i * d + m] * gram[m][k];
      a[i * d + k] = rest / gram[k][k];
    }
  }
  return a;
}

/** Upper triangles: a positive matrix becomes its R, with R^T R the matrix. @param {Float64Array[]} gram */
function cholesky(gram) {
  for (let k = 0; k < gram.length; k++) {
    for (let m = 0; m < k; m++) {
      for (let l = k; l < gram.length; l++) gram[k][l] -= gram[m][k] * gram[m][l];
    }
    const root = Math.sqrt(gram[k][k]);
    for (let l = k; l < gram.length; l++) gram[k][l] /= root;
  }
}

/** Coefficients v_i^T W of W (V, d) along all eigenvectors: (V, d).
 * @param {Float64Array[]} vectors @param {Float64Array} W @param {number} d
 */
export function along(vectors, W, d) {
  const columns = columnsOf(W, d);
  return Float64Array.from(W, (_, at) => dot(vectors[Math.floor(at / d)], columns[at % d]));
}

/** |a a^T - Lambda|^2 / 4, the loss of the quartic model in Setting 3.1.
 * @param {Float64Array} a @param {number} d @param {ArrayLike<number>} values
 */
export function theoryLoss(a, d, values) {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    const row = a.subarray(i * d, i * d + d);
    sum += values[i] * (values[i] - 2 * dot(row, row));
  }
  const columns = columnsOf(a, d);
  for (const u of columns) for (const v of columns) sum += dot(u, v) ** 2;
  return sum / 4;
}

// ---- two dimensions -------------------------------------------------------------------------------

/**
 * The flow from `sigma` times the rows `frame` along the eigenvalues: t to its two singular values.
 * In two dimensions they are sums of positive terms (Cauchy and Binet): no digit is lost at any scale.
 * @param {number[]} values
 * @param {[number, number][]} frame
 * @param {number} sigma
 * @returns {(t: number) => [number, number]}
 */
export function exactPair(values, frame, sigma) {
  const scale = sigma * sigma;
  const sizes = frame.map(([x, y]) => scale * (x * x + y * y));
  const minors = frame.map(([x, y]) => frame.map(([u, v]) => (scale * (x * v - y * u)) ** 2));
  return (t) => {
    const grown = values.map((value) => Math.exp(value * t));
    const room = values.map((value) => phi(value, t));
    let [below, sum, product] = [1, 0, 0];
    for (let i = 0; i < values.length; i++) {
      below += room[i] * sizes[i];
      sum += grown[i] * sizes[i];
      for (let j = 0; j < i; j++) {
        below += room[i] * room[j] * minors[i][j];
        sum += (grown[i] * room[j] + grown[j] * room[i]) * minors[i][j];
        product += grown[i] * grown[j] * minors[i][j];
      }
    }
    const [T, P] = [sum / below, product / below];
    const larger = (T + Math.sqrt(Math.max(T * T - 4 * P, 0))) / 2;
    return [Math.sqrt(larger), Math.sqrt(P / larger)];
  };
}
