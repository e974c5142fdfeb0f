/**
 * Words by their entries along modes, and cosines between them. Rows may have any length, since a
 * cosine divides by it. All sums run in double precision.
 */

/** @import { Table } from "./model.js" */

/**
 * Entries one mode after another, and their squares: of all words, or of a few.
 * @typedef {{entries: Float32Array, size: number, squared: Float32Array}} Space
 */

/** @typedef {{lead: number, scores: number[]}} Step the leading row, and the cosines of chosen rows */

/** @param {Float32Array} entries @param {number} size @returns {Space} */
const spaceOf = (entries, size) => ({ entries, size, squared: entries.map((e) => e * e) });

/** @param {{modes: Table, step: ArrayLike<number>}} data */
export function decode({ modes, step }) {
  const size = modes.shape[1];
  const entries = new Float32Array(modes.length);
  for (let at = 0; at < modes.length; at++) entries[at] = modes[at] * step[Math.floor(at / size)];
  return spaceOf(entries, size);
}

/** The same words as if there were no others. @param {Space} space @param {number[]} rows */
export function only({ entries, size }, rows) {
  const some = new Float32Array((entries.length / size) * rows.length);
  for (let at = 0; at < some.length; at++) {
    const k = Math.floor(at / rows.length);
    some[at] = entries[k * size + rows[at - k * rows.length]];
  }
  return spaceOf(some, rows.length);
}

/** The sums over modes of factor * entry, for every word; four modes at a time, twice as fast as one.
 * @param {Float32Array} entries @param {number} size @param {Float64Array} factors
 */
function combine(entries, size, factors) {
  const sum = new Float64Array(size);
  const whole = factors.length - (factors.length % 4);
  for (let k = 0; k < whole; k += 4) {
    const [w, x, y, z] = factors.subarray(k, k + 4);
    const at = k * size;
    const [next, third, last] = [at + size, at + 2 * size, at + 3 * size];
    for (let i = 0; i < size; i++) {
      sum[i] +=
        w * entries[at + i] +
        x * entries[next + i] +
        y * entries[third + i] +
        z * entries[last + i];
    }
  }
  for (let k = whole; k < factors.length; k++) {
    for (let i = 0, at = k * size; i < size; i++) sum[i] += factors[k] * entries[at + i];
  }
  return sum;
}

/** One over a length: a word without length, which eight bits may give for few modes, stays zero.
 * @param {number} square
 */
const inverse = (square) => (square > 0 ? 1 / Math.sqrt(square) : 0);

/** Squared lengths of all words under the weights. @param {Space} space @param {Float64Array} weight */
export const squares = ({ squared, size }, weight) => combine(squared, size, weight);

/** A row and its sign in a query. @typedef {[number, number]} Term */

/** The sum of signed rows, each of length one, over the modes: weighted, and of length one itself.
 * @param {Space} space @param {Term[]} terms @param {Float64Array} weight @param {Float64Array} square
 */
function query({ entries, size }, terms, weight, square) {
  const q = new Float64Array(weight.length);
  for (const [row, sign] of terms) {
    const unit = sign * inverse(square[row]);
    for (let k = 0; k < q.length; k++) q[k] += unit * entries[k * size + row];
  }
  const length = Math.sqrt(q.reduce((sum, x, k) => sum + weight[k] * x * x, 0));
  return q.map((x, k) => (length > 0 ? (weight[k] * x) / length : 0));
}

/** Cosines of all words with a sum of signed words.
 * @param {Space} space @param {Term[]} terms @param {Float64Array} weight @param {Float64Array} [given]
 */
export function nearness(space, terms, weight, given) {
  const square = given ?? squares(space, weight);
  const sum = combine(space.entries, space.size, query(space, terms, weight, square));
  return sum.map((score, i) => score * inverse(square[i]));
}

/** Cosines of all words with b - a + c.
 * @param {Space} space @param {number[]} asked @param {Float64Array} weight @param {Float64Array} [square]
 */
export function cosines(space, [a, b, c], weight, square) {
  /** @type {Term[]} */
  const terms = [
    [b, 1],
    [a, -1],
    [c, 1],
  ];
  return nearness(space, terms, weight, square);
}

/** Rows of the n largest scores, largest first, without those in `out`.
 * @param {ArrayLike<number>} scores @param {number} n @param {number[]} out
 */
export function best(scores, n, out) {
  /** @type {number[]} */
  const found = [];
  for (let i = 0; i < scores.length; i++) {
    if (found.length === n && !(scores[i] > scores[found[n - 1]])) continue;
    if (out.includes(i)) continue;
    let place = found.length;
    while (place > 0 && scores[i] > scores[found[place - 1]]) place--;
    found.splice(place, 0, i);
    found.length = Math.min(found.length, n);
  }
  return found;
}

/** The sums that grow as modes are added: products of every word with a, b and c, and its square. */
class Sums {
  /** @param {Space} space @param {number[]} asked */
  constructor(space, asked) {
    this.space = space;
    this.asked = asked;
    this.products = asked.map(() => new Float64Array(space.size));
    this.square = new Float64Array(space.size);
  }

  /** @param {number} k @param {number} w the weight of mode k */
  add(k, w) {
    const { entries, squared, size } = this.space;
    const at = k * size;
    const [ea, eb, ec] = this.asked.map((row) => w * entries[at + row]);
    const [sumA, sumB, sumC] = this.products;
    const { square } = this;
    for (let i = 0; i < size; i++) {
      const e = entries[at + i];
      sumA[i] += ea * e;
      sumB[i] += eb * e;
      sumC[i] += ec * e;
      square[i] += w * squared[at + i];
    }
  }

  /** Who leads among all words but the three, and the cosines of `rows`. @param {number[]} rows @returns {Step} */
  step(rows) {
    const { square } = this;
    const [a, b, c] = this.asked;
    const [sumA, sumB, sumC] = this.products;
    const [ia, ib, ic] = this.asked.map((row) => inverse(square[row]));
    const ones = Number(ia > 0) + Number(ib > 0) + Number(ic > 0);
    const cross = sumB[c] * ib * ic - sumA[b] * ia * ib - sumA[c] * ia * ic;
    const length = Math.sqrt(ones + 2 * cross);
    let [lead, most] = [-1, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < square.length; i++) {
      const score = sumB[i] * ib - sumA[i] * ia + sumC[i] * ic;
      const value = (score * Math.abs(score)) / square[i]; // in the order of the cosines, with no root
      if (value > most && i !== a && i !== b && i !== c) {
        lead = i;
        most = value;
      }
    }
    const scores = rows.map(
      (i) => ((sumB[i] * ib - sumA[i] * ia + sumC[i] * ic) * inverse(square[i])) / length,
    );
    return { lead, scores };
  }
}

/**
 * For d = 1, 2, ... the leading row among all words and the cosines of `rows`. One pass over the
 * modes, since the sums at d are those at d - 1 and one term; where to pause is the caller's choice.
 * @param {Space} space @param {number[]} asked @param {Float64Array} weight @param {number[]} rows
 */
export function* growing(space, asked, weight, rows) {
  const sums = new Sums(space, asked);
  for (let k = 0; k < weight.length; k++) {
    sums.add(k, weight[k]);
    yield sums.step(rows);
  }
}

/** The same for one list of weights after another.
 * @param {Space} space @param {number[]} asked @param {Float64Array[]} lists @param {number[]} rows
 */
export function* passing(space, asked, lists, rows) {
  for (const weight of lists) {
    const scores = cosines(space, asked, weight);
    yield { lead: best(scores, 1, asked)[0], scores: rows.map((row) => scores[row]) };
  }
}
