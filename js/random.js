/** Chance: the same numbers for the same seed. */

import { randomLcg, randomNormal } from "d3-random";

/** Numbers in [0, 1). Seeds are spread by the golden section, so that neighbours differ at once.
 * @param {number} seed
 */
export const generator = (seed) => randomLcg((seed * 0.6180339887498949) % 1);

/** n draws from N(0, sigma^2). @param {() => number} uniform @param {number} n @param {number} sigma */
export function gaussians(uniform, n, sigma) {
  const draw = randomNormal.source(uniform)(0, sigma);
  return Float64Array.from({ length: n }, draw);
}

/** Draws cells with odds `weights`, each in the same time: Walker's alias method.
 * @param {ArrayLike<number>} weights @param {() => number} uniform
 */
export function sampler(weights, uniform) {
  const n = weights.length;
  let total = 0;
  for (let i = 0; i < n; i++) total += weights[i];
  const odds = Float64Array.from(weights, (w) => (w * n) / total);
  const other = new Uint32Array(n).map((_, i) => i);
  const order = [...other];
  const small = order.filter((i) => odds[i] < 1);
  const large = order.filter((i) => odds[i] >= 1);
  while (small.length && large.length) {
    const few = /** @type {number} */ (small.pop());
    const many = /** @type {number} */ (large.at(-1));
    other[few] = many;
    odds[many] -= 1 - odds[few];
    if (odds[many] < 1) small.push(/** @type {number} */ (large.pop()));
  }
  for (const i of [...small, ...large]) odds[i] = 1; // what is left is rounding
  const draw = () => {
    const at = uniform() * n;
    const i = Math.floor(at);
    return at - i < odds[i] ? i : other[i];
  };
  return { draw, total };
}
