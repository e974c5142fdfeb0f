/**
 * The linear algebra of the explorers, for matrices of some hundred rows. By hand, because ml-matrix
 * would add 17.7 kB gzipped to a page for what is 1.5 kB here, at the same accuracy: on M* of 60
 * words both are within 2e-13 of the eigenvalues in 40 digits (tests/test_js.py measures ours).
 * Matrices are row by row: entry (i, k) of W (V, d) is W[i * d + k].
 */

/** @param {ArrayLike<number>} u @param {ArrayLike<number>} v */
export function dot(u, v) {
  let sum = 0;
  for (let i = 0; i < u.length; i++) sum += u[i] * v[i];
  return sum;
}

/** The d columns of a matrix. @param {ArrayLike<number>} W @param {number} d */
export function columnsOf(W, d) {
  const columns = Array.from({ length: d }, () => new Float64Array(W.length / d));
  for (let at = 0; at < W.length; at++) columns[at % d][Math.floor(at / d)] = W[at];
  return columns;
}

/** Make columns orthonormal in place, one after another; return R of the QR decomposition by its rows.
 * @param {Float64Array[]} columns
 */
export function gramSchmidt(columns) {
  return columns.map((q, k) => {
    const row = new Float64Array(columns.length);
    row[k] = Math.sqrt(dot(q, q));
    for (let i = 0; i < q.length; i++) q[i] /= row[k] || 1;
    for (let l = k + 1; l < columns.length; l++) {
      const along = dot(q, columns[l]);
      row[l] = along;
      for (let i = 0; i < q.length; i++) columns[l][i] -= along * q[i];
    }
    return row;
  });
}

/** Turn two vectors: (u, v) becomes (cos u - sin v, sin u + cos v).
 * @param {Float64Array} u @param {Float64Array} v @param {number} cos @param {number} sin
 */
function turn(u, v, cos, sin) {
  for (let i = 0; i < u.length; i++) {
    const [x, y] = [u[i], v[i]];
    u[i] = cos * x - sin * y;
    v[i] = sin * x + cos * y;
  }
}

/** Turn columns until all are orthogonal (one-sided Jacobi): their lengths are the singular values.
 * @param {Float64Array[]} columns
 */
function orthogonalise(columns) {
  for (let sweep = 0, turned = true; turned && sweep < 40; sweep++) {
    turned = false;
    const squares = columns.map((column) => dot(column, column));
    for (let q = 1; q < columns.length; q++) {
      for (let p = 0; p < q; p++) {
        const c = dot(columns[p], columns[q]);
        if (Math.abs(c) <= 1e-14 * Math.sqrt(squares[p] * squares[q])) continue;
        turned = true;
        const zeta = (squares[q] - squares[p]) / (2 * c);
        const tan = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const cos = 1 / Math.sqrt(1 + tan * tan);
        squares[p] -= tan * c;
        squares[q] += tan * c;
        turn(columns[p], columns[q], cos, cos * tan);
      }
    }
  }
  return columns.map((column) => Math.sqrt(dot(column, column)));
}

/** Singular values of W, descending: those of the small triangle R of W = Q R.
 * @param {ArrayLike<number>} W @param {number} d
 */
export const singularValues = (W, d) =>
  orthogonalise(gramSchmidt(columnsOf(W, d))).sort((a, b) => b - a);

/**
 * A symmetric matrix as Q T Q^T with T tridiagonal (Householder): the diagonal of T, what stands
 * beside it, and the columns of Q.
 * @param {ArrayLike<number>} N
 */
function tridiagonal(N) {
  const V = Math.sqrt(N.length);
  const A = columnsOf(N, V);
  const basis = A.map((_, k) => Float64Array.from(A, (__, i) => Number(i === k)));
  for (let k = 0; k < V - 2; k++) {
    const v = A[k].map((x, i) => (i > k ? x : 0));
    const length = Math.sqrt(dot(v, v));
    if (length === 0) continue;
    v[k + 1] += v[k + 1] < 0 ? -length : length;
    const beta = 2 / dot(v, v);
    const w = Float64Array.from(A, (column) => beta * dot(column, v));
    const half = (beta / 2) * dot(w, v);
    for (let i = 0; i < V; i++) w[i] -= half * v[i];
    const sum = new Float64Array(V);
    for (let j = 0; j < V; j++) {
      for (let i = 0; i < V; i++) {
        A[j][i] -= v[i] * w[j] + w[i] * v[j];
        sum[i] += basis[j][i] * v[j];
      }
    }
    for (let j = k + 1; j < V; j++) {
      for (let i = 0; i < V; i++) basis[j][i] -= beta * v[j] * sum[i];
    }
  }
  const diagonal = Float64Array.from(A, (column, k) => column[k]);
  const beside = Float64Array.from({ length: Math.max(V - 1, 0) }, (_, k) => A[k][k + 1]);
  return { diagonal, beside, basis };
}

/** One QR step with Wilkinson's shift on rows `start` to `end` of a tridiagonal matrix, in place.
 * @param {{diagonal: Float64Array, beside: Float64Array, basis: Float64Array[]}} T
 * @param {number} start @param {number} end
 */
function chase({ diagonal: d, beside: e, basis }, start, end) {
  const gap = (d[end - 1] - d[end]) / 2;
  const last = e[end - 1];
  const shift = d[end] - last ** 2 / (gap + (gap < 0 ? -1 : 1) * Math.hypot(gap, last));
  let [x, z] = [d[start] - shift, e[start]];
  for (let k = start; k < end; k++) {
    const r = Math.hypot(x, z);
    const [c, s] = r ? [x / r, z / r] : [1, 0];
    if (k > start) e[k - 1] = r;
    const [a, g, b] = [d[k], e[k], d[k + 1]];
    d[k] = c * c * a + 2 * c * s * g + s * s * b;
    d[k + 1] = s * s * a - 2 * c * s * g + c * c * b;
    e[k] = c * s * (b - a) + (c * c - s * s) * g;
    if (k < end - 1) {
      [x, z] = [e[k], s * e[k + 1]];
      e[k + 1] *= c;
    }
    turn(basis[k], basis[k + 1], c, -s);
  }
}

/** Eigenvalues of a symmetric matrix, descending, and eigenvectors, their largest entry positive.
 * @param {ArrayLike<number>} N
 */
export function eigenpairs(N) {
  const T = tridiagonal(N);
  const { diagonal: d, beside: e, basis } = T;
  /** @param {number} k */
  const parts = (k) => Math.abs(e[k]) <= Number.EPSILON * (Math.abs(d[k]) + Math.abs(d[k + 1]));
  for (let end = d.length - 1; end > 0; ) {
    let start = end;
    while (start > 0 && !parts(start - 1)) start--;
    if (start === end) end--;
    else chase(T, start, end);
  }
  const order = [...d.keys()].sort((a, b) => d[b] - d[a]);
  const vectors = order.map((k) => {
    const peak = basis[k].reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
    return basis[k].map((x) => x * (peak < 0 ? -1 : 1));
  });
  return { values: order.map((k) => d[k]), vectors };
}
