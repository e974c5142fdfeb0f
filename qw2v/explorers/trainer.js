// A small model trained in the reader's browser, beside the closed form of qw2v.dynamics.
// Matrices are row by row: entry (i, k) of W (V, d) is W[i * d + k].

const SECONDS = 8; // a whole run
const BUDGET = 8; // milliseconds of a frame for steps
const KEPT = 400; // moments of a run that are drawn

// ---- losses and weights --------------------------------------------------------------------------

const entropy = (A) => (A > 0 ? A * Math.log(A) : 0);

/**
 * What a pair costs at x = w_i . w_j: `A` times the loss of a positive pair and `B` times that of a
 * negative one; the derivative by x, and the least value that any x gives.
 */
const LOSSES = {
  qwem: {
    cost: (A, B, x) => ((A + B) * x * x) / 4 - (A - B) * x,
    slope: (A, B, x) => ((A + B) * x) / 2 - (A - B),
    floor: (A, B) => -((A - B) ** 2) / (A + B),
  },
  sgns: {
    cost: (A, B, x) => 2 * ((A + B) * (Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))) - A * x),
    slope: (A, B, x) => 2 * ((A + B) / (1 + Math.exp(-x)) - A),
    floor: (A, B) => 2 * (entropy(A + B) - entropy(A) - entropy(B)),
  },
};

/** A = Psi+ P_ij and B = Psi- P_i P_j, both (V, V), in units of g, the mean of A + B. */
function tables(pairs, counts, weighting, negatives, { subsample, power }) {
  const V = counts.length, sum = (values) => values.reduce((a, b) => a + b, 0);
  const P = Float64Array.from(counts, (count) => count / sum(counts));
  const rarity = P.map((p) => subsample / p);
  const accept = rarity.map((r) => Math.min(1, Math.sqrt(r) + r));
  const noise = P.map((p) => p ** power), noises = sum(noise);
  const excess = P.map((p, i) => (negatives * noise[i]) / noises / p);
  const A = new Float64Array(V * V), B = new Float64Array(V * V);
  let total = 0;
  for (let i = 0, at = 0; i < V; i++) {
    for (let j = 0; j <= i; j++, at++) total += (A[i * V + j] = A[j * V + i] = pairs[at]) * (i === j ? 1 : 2);
  }
  // r_i p_i: how often i is the centre of a kept pair, over P_i.
  const centres = accept.map((p, i) => {
    let kept = 0;
    for (let j = 0; j < V; j++) kept += accept[j] * A[i * V + j];
    return (p * kept) / total / P[i];
  });
  for (let i = 0; i < V; i++) {
    for (let j = 0; j < V; j++) {
      const joint = A[i * V + j] / total, apart = P[i] * P[j], own = weighting === "word2vec";
      A[i * V + j] = own ? accept[i] * accept[j] * joint : joint / (joint + apart);
      B[i * V + j] = own ? ((centres[i] * excess[j] + centres[j] * excess[i]) / 2) * apart : apart / (joint + apart);
    }
  }
  const g = (sum(A) + sum(B)) / (V * V);
  return { A: A.map((a) => a / g), B: B.map((b) => b / g) };
}

/** 2 (A - B): at the origin every loss has the flow dW/dt = 2 (A - B) W / 2. It is M* in Setting 3.1. */
const growth = ({ A, B }) => A.map((a, at) => 2 * (a - B[at]));

function product(W, d, i, j) {
  let x = 0;
  for (let k = 0; k < d; k++) x += W[i * d + k] * W[j * d + k];
  return x;
}

/** The loss above its floor, in units of g; for qwem in Setting 3.1 it is |W W^T - M*|^2 / 4. */
function lossOf(W, d, { A, B }, loss) {
  const V = W.length / d, { cost, floor } = LOSSES[loss];
  let sum = 0;
  for (let i = 0; i < V; i++) {
    for (let j = 0; j <= i; j++) {
      const a = A[i * V + j], b = B[i * V + j], x = product(W, d, i, j);
      sum += (cost(a, b, x) - floor(a, b)) * (i === j ? 1 : 2);
    }
  }
  return sum;
}

/** Add to `change` what one pair does: `c` is dL/dx_ij of the ordered pair, over g. */
function pull(change, W, d, i, j, c) {
  for (let k = 0; k < d; k++) {
    change[i * d + k] -= c * W[j * d + k];
    change[j * d + k] -= c * W[i * d + k];
  }
}

/** -grad L / 2g over all pairs, into `change`: in Setting 3.1 (M* - W W^T) W / 2 for qwem. */
function velocity(W, d, { A, B }, loss, change) {
  const V = W.length / d, { slope } = LOSSES[loss];
  change.fill(0);
  for (let i = 0; i < V; i++) {
    for (let j = 0; j <= i; j++) {
      const c = slope(A[i * V + j], B[i * V + j], product(W, d, i, j));
      pull(change, W, d, i, j, i === j ? c / 2 : c);
    }
  }
  return change;
}

/** Draws cells with odds `weights`, each in the same time: Walker's alias method. */
function sampler(weights, uniform) {
  const n = weights.length, total = weights.reduce((a, b) => a + b, 0);
  const odds = Float64Array.from(weights, (w) => (w * n) / total), other = new Uint32Array(n).map((_, i) => i);
  const small = [], large = [];
  odds.forEach((p, i) => (p < 1 ? small : large).push(i));
  while (small.length && large.length) {
    const few = small.pop(), many = large.at(-1);
    other[few] = many;
    odds[many] -= 1 - odds[few];
    if (odds[many] < 1) small.push(large.pop());
  }
  for (const i of [...small, ...large]) odds[i] = 1; // what is left is rounding
  const draw = () => {
    const at = uniform() * n, i = Math.floor(at);
    return at - i < odds[i] ? i : other[i];
  };
  return { draw, total };
}

/** The same from `batch` positive pairs, drawn with odds A, and as many negative ones with odds B. */
function sampledVelocity(W, d, [positive, negative], loss, batch, change) {
  const V = W.length / d, { slope } = LOSSES[loss];
  change.fill(0);
  for (let n = 0; n < 2 * batch; n++) {
    const { draw, total } = n < batch ? positive : negative, weight = total / (2 * batch);
    const cell = draw(), i = Math.floor(cell / V), j = cell % V, x = product(W, d, i, j);
    pull(change, W, d, i, j, n < batch ? slope(weight, 0, x) : slope(0, weight, x));
  }
  return change;
}

// ---- chance --------------------------------------------------------------------------------------

/** Numbers in [0, 1), the same for the same seed: Doty-Humphrey's generator sfc32. */
function generator(seed) {
  let a = seed | 0, b = 0x9e3779b9 | 0, c = 0x243f6a88, counter = 1;
  const next = () => {
    const sum = (a + b + counter++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 15; i++) next();
  return next;
}

/** n draws from N(0, sigma^2), by Box and Muller. */
const gaussians = (uniform, n, sigma) =>
  Float64Array.from({ length: n }, () =>
    sigma * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));

// ---- linear algebra ------------------------------------------------------------------------------

const dot = (u, v) => {
  let sum = 0;
  for (let i = 0; i < u.length; i++) sum += u[i] * v[i];
  return sum;
};
function columnsOf(W, d) {
  const columns = Array.from({ length: d }, () => new Float64Array(W.length / d));
  for (let at = 0; at < W.length; at++) columns[at % d][Math.floor(at / d)] = W[at];
  return columns;
}

/** Make columns orthonormal, one after another; return R of the QR decomposition by its rows. */
function gramSchmidt(columns) {
  return columns.map((q, k) => {
    const row = new Float64Array(columns.length);
    row[k] = Math.sqrt(dot(q, q));
    for (let i = 0; i < q.length; i++) q[i] /= row[k] || 1;
    for (let l = k + 1; l < columns.length; l++) {
      const along = (row[l] = dot(q, columns[l]));
      for (let i = 0; i < q.length; i++) columns[l][i] -= along * q[i];
    }
    return row;
  });
}

/** Turn columns until all are orthogonal (one-sided Jacobi): their lengths are the singular values. */
function orthogonalise(columns) {
  for (let sweep = 0, turned = true; turned && sweep < 40; sweep++) {
    turned = false;
    const squares = columns.map((column) => dot(column, column));
    for (let q = 1; q < columns.length; q++) {
      for (let p = 0; p < q; p++) {
        const u = columns[p], v = columns[q], c = dot(u, v);
        if (Math.abs(c) <= 1e-14 * Math.sqrt(squares[p] * squares[q])) continue;
        turned = true;
        const zeta = (squares[q] - squares[p]) / (2 * c);
        const tan = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const cos = 1 / Math.sqrt(1 + tan * tan), sin = cos * tan;
        squares[p] -= tan * c;
        squares[q] += tan * c;
        for (let i = 0; i < u.length; i++) {
          const x = u[i];
          u[i] = cos * x - sin * v[i];
          v[i] = sin * x + cos * v[i];
        }
      }
    }
  }
  return columns.map((column) => Math.sqrt(dot(column, column)));
}

/** Singular values of W, descending: of the small triangle R of W = Q R. */
const singularValues = (W, d) =>
  orthogonalise(gramSchmidt(columnsOf(W, d))).sort((a, b) => b - a);

/** Eigenvalues of a symmetric matrix, descending, and eigenvectors, their largest entry positive. */
function eigenpairs(N) {
  const V = Math.sqrt(N.length), shift = Math.sqrt(dot(N, N)); // N + shift has no negative eigenvalue
  const columns = columnsOf(N, V);
  columns.forEach((column, i) => (column[i] += shift));
  const lengths = orthogonalise(columns);
  const order = lengths.map((_, k) => k).sort((a, b) => lengths[b] - lengths[a]);
  const vectors = order.map((k) => {
    const peak = columns[k].reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
    return columns[k].map((x) => (x / lengths[k]) * Math.sign(peak));
  });
  return { values: order.map((k) => lengths[k] - shift), vectors };
}

// ---- the theory ----------------------------------------------------------------------------------

/** Coefficients v_i^T W of W (V, d) along all eigenvectors: (V, d). */
function along(vectors, W, d) {
  const columns = columnsOf(W, d);
  return Float64Array.from({ length: W.length }, (_, at) => dot(vectors[Math.floor(at / d)], columns[at % d]));
}

/**
 * The exact flow over a time h, in the eigenbasis, in place: the solution of the Riccati equation,
 *     a(t + h) = e^(Lambda h/2) a(t) R^-1   with   R^T R = I + a^T Phi a,  Phi = (e^(Lambda h) - I) / Lambda,
 * up to a right rotation. The matrix under the root is at least I, so that nothing is lost.
 */
function flow(a, d, values, h) {
  const gram = Array.from({ length: d }, (_, k) => Float64Array.from({ length: d }, (_, l) => (k === l ? 1 : 0)));
  for (let i = 0; i < values.length; i++) {
    const phi = values[i] === 0 ? h : Math.expm1(values[i] * h) / values[i];
    for (let k = 0; k < d; k++) {
      for (let l = k; l < d; l++) gram[k][l] += phi * a[i * d + k] * a[i * d + l];
    }
  }
  for (let k = 0; k < d; k++) { // Cholesky: gram becomes R
    for (let m = 0; m < k; m++) for (let l = k; l < d; l++) gram[k][l] -= gram[m][k] * gram[m][l];
    const root = Math.sqrt(gram[k][k]);
    for (let l = k; l < d; l++) gram[k][l] /= root;
  }
  for (let i = 0; i < values.length; i++) {
    const grown = Math.exp((values[i] * h) / 2);
    for (let k = 0; k < d; k++) {
      let rest = a[i * d + k] * grown;
      for (let m = 0; m < k; m++) rest -= a[i * d + m] * gram[m][k];
      a[i * d + k] = rest / gram[k][k];
    }
  }
  return a;
}

/** |a a^T - Lambda|^2 / 4, the loss of the quartic model in Setting 3.1. */
function theoryLoss(a, d, values) {
  let sum = 0;
  values.forEach((value, i) => (sum += value * value - 2 * value * product(a, d, i, i)));
  const columns = columnsOf(a, d);
  for (const u of columns) for (const v of columns) sum += dot(u, v) ** 2;
  return sum / 4;
}

/** Lengths of v_k^T W without the directions of the modes before: where the sigmoids start (Result 3). */
function silentStart(vectors, W, d) {
  const columns = columnsOf(W, d);
  const overlaps = vectors.slice(0, d).map((v) => Float64Array.from(columns, (column) => dot(v, column)));
  return gramSchmidt(overlaps).map((row, k) => row[k]);
}

const learningTime = (lambda, s) => Math.log(lambda / (s * s)) / lambda;

// ---- a run ---------------------------------------------------------------------------------------

/**
 * Gradient descent from a random start, and the theory from the same start. `spectrum` and `own`
 * are the eigenpairs of M* and of this run's growth matrix. Time is counted in units of the first
 * learning time, the run's in its own and the theory's in its own.
 */
class Run {
  constructor(weights, spectrum, own, { loss, dim, sigma, rate, batch, seed }) {
    Object.assign(this, { weights, spectrum, loss, d: dim, batch, step: 0 });
    const V = spectrum.values.length, uniform = generator(seed);
    this.W = gaussians(uniform, V * dim, sigma / Math.sqrt(dim));
    this.change = new Float64Array(V * dim);
    this.samplers = batch && [sampler(weights.A, uniform), sampler(weights.B, uniform)];
    const starts = silentStart(spectrum.vectors, this.W, dim), lambdas = spectrum.values;
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
    this.bound = 30 * lambdas.reduce((sum, v) => sum + Math.max(v, 0), 0); // of |W|^2, far above any minimum
    this.theory = this.foresee(240);
    this.kept = { times: [], s: Array.from({ length: dim }, () => []), loss: [] };
    this.distance = this.rises = 0;
    this.keep();
  }

  /** The exact path at n + 1 moments: times, singular values by mode, and loss as a share of its start. */
  foresee(n) {
    const { d, spectrum: { values } } = this, a = this.a.slice(), first = theoryLoss(a, d, values);
    const path = { times: [], s: Array.from({ length: d }, () => []), loss: [] };
    for (let i = 0; i <= n; i++) {
      if (i) flow(a, d, values, (this.horizon / n) * this.tau);
      path.times.push((i / n) * this.horizon);
      singularValues(a, d).forEach((s, k) => path.s[k].push(s));
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
    const { times, s, loss } = this.kept, time = times.at(-1);
    return { step: Math.round(time / this.stride), time, s: s.map((values) => values.at(-1)), loss: loss.at(-1) };
  }
  /** How many modes have passed half of their final square: in the run that is not above either eigenvalue. */
  learnedOf = (s, full = this.full) => s.filter((x, k) => x * x > full[k] / 2).length;

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
    const { W, d, kept } = this, theory = singularValues(this.a, d);
    const loss = lossOf(W, d, this.weights, this.loss) / this.first;
    // Of the last moments, how many saw the loss rise: about 20 count.
    this.rises = 0.95 * this.rises + (loss > kept.loss.at(-1) * (1 + 1e-9) ? 1 : 0);
    kept.times.push(this.time);
    kept.loss.push(loss);
    singularValues(W, d).forEach((s, k) => {
      kept.s[k].push(s);
      this.distance = Math.max(this.distance, Math.abs(s - theory[k]));
    });
  }

  /** Coordinates of all words along modes `chosen` (from 0), in the order in which they are learned. */
  plane(chosen) {
    const columns = columnsOf(this.W, this.d);
    const count = Math.max(...chosen) + 1;
    const ways = this.spectrum.vectors.slice(0, count).map((v) => Float64Array.from(columns, (column) => dot(v, column)));
    gramSchmidt(ways);
    return chosen.map((k) => Float64Array.from({ length: columns[0].length }, (_, i) => {
      let sum = 0;
      for (let l = 0; l < this.d; l++) sum += columns[l][i] * ways[k][l];
      return sum;
    }));
  }
}

// ---- the page ------------------------------------------------------------------------------------

const NAMES = { qwem: "quartic", sgns: "word2vec’s" };
const many = (n) => n.toLocaleString("en");
const startText = (log) => (log > -2.05 ? show(10 ** log, 2) : Number.isInteger(log) ? power(log) : scientific(10 ** log, 2));

function build(app) {
  const { pairs, counts } = app.data, { words, dims, batches, planes, seeds, note, weights: recipe } = app.texts;
  const top = app.plot({
    height: 250, margin: { right: 20, top: 26 }, yLabel: "singular value of W",
    label: "Singular values of W while it is trained, over the theory’s curves",
  });
  const fall = app.plot({
    height: 130, margin: { right: 20 }, yLabel: "loss / start", xLabel: "training time t / τ₁",
    label: "Loss while W is trained, over the theory’s curve",
  });
  const map = app.plot({
    height: 330, bare: true, margin: { left: 20, bottom: 24, right: 4 },
    label: "The word embeddings along two modes; words far from the middle are named",
  });
  const said = app.readout();

  // ---- the run: made anew after a change of any control but the plane ----
  const memo = new Map();
  /** Weights with the eigenpairs of their growth matrix, computed once. */
  function problem(weighting, negatives) {
    const key = weighting === "word2vec" ? `word2vec ${negatives}` : weighting;
    if (!memo.has(key)) {
      const weights = tables(pairs, counts, weighting, negatives, recipe);
      memo.set(key, { weights, spectrum: eigenpairs(growth(weights)) });
    }
    return memo.get(key);
  }
  const { spectrum } = problem("setting31");
  let run, running = 0, before = 0, owed = 0;
  const plain = () => app.get("loss") === "qwem" && app.get("weighting") === "setting31";

  function fresh() {
    halt();
    const { weights, spectrum: own } = problem(app.get("weighting"), app.get("negatives"));
    const chosen = { loss: app.get("loss"), dim: app.get("dim"), rate: app.get("rate"), batch: app.get("batch") };
    run = new Run(weights, spectrum, own, { ...chosen, sigma: 10 ** app.get("log_scale"), seed: app.get("seed") });
    owed = 0;
    name();
  }
  function again() {
    halt();
    run = undefined;
    app.redraw();
  }
  for (const name of ["loss", "weighting", "log_scale", "dim", "rate", "batch", "seed"]) app.on(name, again);
  app.on("negatives", () => app.get("weighting") === "word2vec" && again());

  // ---- its progress: steps spread over SECONDS, but never more of them than a frame has time for ----
  function halt() {
    cancelAnimationFrame(running);
    running = 0;
    name();
  }
  function name() {
    const step = still() ? "Next step" : run?.step ? "Go on" : "Train";
    train.textContent = running ? "Pause" : run?.over ? "Train again" : step;
  }
  function start() {
    before = performance.now();
    running = requestAnimationFrame(frame);
    name();
  }
  function frame(now) {
    owed += (Math.min(0.1, Math.max(0, now - before) / 1000) * run.steps) / SECONDS;
    before = now;
    for (const end = performance.now() + BUDGET; owed >= 1 && !run.over; owed--) {
      if (performance.now() > end) owed = 1;
      run.advance();
    }
    if (run.over) halt();
    else running = requestAnimationFrame(frame);
    app.redraw();
  }
  /** With little motion: at once to where the theory has learned one more mode. */
  function leap() {
    const { theory: { times, s } } = run;
    const learned = times.map((_, i) => run.learnedOf(s.map((values) => values[i]), spectrum.values));
    const now = Math.max(0, times.findLastIndex((t) => t <= run.time));
    const next = learned.findIndex((n, i) => i > now && n > learned[now]);
    const until = next < 0 ? run.horizon : times[next] + 0.05;
    do run.advance(); while (!run.over && run.time < until);
    name();
    app.redraw();
  }
  const train = app.button("Train", () => {
    if (running) return halt();
    if (!run || run.over) fresh();
    if (still()) leap();
    else start();
    app.redraw();
  });
  const reset = app.button("Reset", () => {
    fresh();
    app.redraw();
  });
  const motion = matchMedia("(prefers-reduced-motion: reduce)");
  motion.addEventListener("change", halt);
  app.ends.push(halt, () => motion.removeEventListener("change", halt));

  const negatives = app.slider("negatives", { label: "negatives k", min: 1, max: 10, step: 1 });
  const weigh = () => (negatives.input.disabled = app.get("weighting") !== "word2vec");
  app.on("weighting", weigh);
  weigh();
  const plane = app.select("plane", { label: "words in modes", options: planes.map((p) => [p, p.replace(" ", " and ")]) });
  app.body.append(
    h("div", { class: "controls" },
      train, reset,
      app.select("loss", { label: "loss", options: Object.entries(NAMES) }),
      app.select("weighting", { label: "weighting", options: [["setting31", "Setting 3.1"], ["word2vec", "word2vec’s"]] }),
      app.select("batch", { label: "pairs a step", options: batches.map((n) => [n, n ? `${many(n)} + ${many(n)}` : "all"]) }),
      app.select("seed", { label: "seed", options: Array.from({ length: seeds }, (_, i) => [i + 1, i + 1]) })),
    h("div", { class: "controls" },
      app.slider("log_scale", { label: "start σ", min: -6, max: -1, step: 0.25, show: startText }),
      app.slider("dim", { label: "dimension d", min: dims[0], max: dims[1], step: 1 }),
      app.slider("rate", {
        label: "learning rate lr λ₁", min: Math.log10(0.05), max: Math.log10(5), step: 0.01, show: (x) => show(x, 2),
        to: (x) => Number((10 ** x).toPrecision(2)), from: Math.log10,
      }),
      negatives),
    h("div", { class: "beside wide-first" },
      h("div", {}, top.box, fall.box),
      h("div", {}, h("div", { class: "controls" }, plane), map.box)),
    said, h("p", { class: "note" }, note),
  );

  // ---- pictures ----

  function drawCurves() {
    const { theory, kept, d, horizon } = run, comparable = plain();
    const highest = Math.max(theory.s[0].at(-1), ...kept.s[0]);
    const unit = 1.1 * Math.sqrt(spectrum.values[0]);
    top.range({ x: [0, horizon], y: [0, unit * Math.min(3, Math.max(1, Math.ceil((10.5 * highest) / unit) / 10))] });
    const lowest = 1 - Math.min(comparable ? theory.loss.at(-1) : 1, ...kept.loss);
    const depth = [0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8].find((x) => x > 1.04 * lowest) ?? 1;
    const height = Math.max(...kept.loss) > 1.001 ? 1 + 0.25 * depth : 1; // where it climbs
    fall.range({ x: [0, horizon], y: [1 - depth, height] });
    const key = comparable ? "theory" : "quartic model’s theory";
    if (top.changed(key)) {
      const { left, right } = top.inner, x = Math.max(left + 84, right - 44 - app.width(key, 12));
      top.layer.replaceChildren(...app.key(left + 4, 10, "m1", "", "trained"), thin(x, 10), label(x + 32, 14, key), ends());
    }
    const times = kept.times.slice(), ink = app.color("ink");
    top.begin();
    for (const values of theory.s) top.line(theory.times, values, { color: ink, width: 0.8 });
    for (let k = d - 1; k >= 0; k--) top.line(times, kept.s[k], { color: app.modeColor(k + 1), width: 2.5 });
    top.end();
    fall.begin();
    if (comparable) fall.line(theory.times, theory.loss, { color: ink, width: 0.8 });
    fall.line(times, kept.loss, { color: app.color("m1"), width: 2.5 });
    fall.end();
  }
  const thin = (x, y) => s("path", { d: `M${x},${y}h26`, style: "stroke:var(--ink);stroke-width:0.8" });
  const label = (x, y, text, more = {}) => s("text", { x, y, class: "halo", ...more }, text);

  /** The numbers of the modes, at the right ends of the theory's curves. */
  function ends() {
    const heights = run.theory.s.map((values) => top.y(values.at(-1)));
    return s("g", {}, ...apart(heights, 12).map((y, k) =>
      label(top.inner.right + 6, y + 4, String(k + 1), { style: `fill:var(--m${k + 1})` })));
  }

  /** Three words at either end of mode k (from 0). */
  function endsOf(k) {
    const v = spectrum.vectors[k], order = words.map((_, i) => i).sort((a, b) => v[b] - v[a]);
    return [order.slice(0, 3), order.slice(-3).reverse()].map((rows) => rows.map((i) => words[i]));
  }

  /** The two modes of the plane, from 0. */
  const modesShown = () => app.get("plane").split(" ").map((k) => k - 1);

  /** Offer the planes that d dimensions have, and leave one that they have not. */
  function offerPlanes() {
    const fits = (plane) => Number(plane.at(-1)) <= run.d;
    for (const option of plane.input.options) option.disabled = !fits(option.value);
    if (!fits(app.get("plane"))) app.set("plane", planes[0]);
  }

  const widths = words.map((word) => app.width(word, 12));
  function drawMap() {
    const chosen = modesShown(), places = run.plane(chosen);
    const extent = chosen.map((k) => [-1, 1].map((sign) => sign * 1.1 * Math.sqrt(spectrum.values[k]) *
      Math.max(...spectrum.vectors[k].map((x) => sign * x))));
    // Room for embeddings that outgrow the theory's, in steps, so that the picture does not breathe.
    const beyond = places.flatMap((xs, axis) => Array.from(xs, (x) => x / extent[axis][x < 0 ? 0 : 1]));
    const grow = Math.min(3, Math.max(1, Math.ceil(5 * Math.max(...beyond)) / 5 || 1));
    const [x, y] = extent.map((ends) => ends.map((end) => grow * end));
    map.range({ x, y });
    if (map.changed(chosen)) map.layer.replaceChildren(...directions(chosen));
    const c = map.begin(), { left, right, top: high, bottom } = map.inner;
    Object.assign(c, { strokeStyle: app.color("line"), lineWidth: 0.5 });
    c.beginPath();
    c.moveTo(left, map.y(0)), c.lineTo(right, map.y(0)), c.moveTo(map.x(0), high), c.lineTo(map.x(0), bottom);
    c.stroke();
    if (!run.diverged) drawWords(c, chosen, words.map((_, i) => [map.x(places[0][i]), map.y(places[1][i])]));
    map.end();
  }

  /** Words in the colour of the end of a mode that they are at, named where there is room. */
  function drawWords(c, chosen, points) {
    const peaks = chosen.map((k) => Math.max(...spectrum.vectors[k].map(Math.abs)));
    const shares = words.map((_, i) => chosen.map((k, axis) => spectrum.vectors[k][i] / peaks[axis]));
    const far = shares.map(([x, y]) => Math.max(Math.abs(x), Math.abs(y)));
    const color = ([x, y], size) => {
      if (size < 0.4) return app.color("muted");
      return app.modeColor(Math.abs(x) > Math.abs(y) ? (x > 0 ? 1 : 2) : y > 0 ? 3 : 4);
    };
    const { left, right, top: high, bottom } = map.inner;
    const taken = points.map(([x, y]) => ({ left: x - 3, right: x + 3, y, half: 3 }));
    Object.assign(c, { font: app.font(12), lineJoin: "round", strokeStyle: app.color("paper"), lineWidth: 3 });
    for (const i of words.map((_, i) => i).sort((a, b) => far[b] - far[a])) {
      const [x, y] = points[i], away = Math.hypot(x - map.x(0), y - map.y(0));
      c.fillStyle = color(shares[i], far[i]);
      c.fillRect(x - 2, y - 2, 4, 4);
      const free = ([at, middle]) =>
        at > left && at + widths[i] < right && middle > high + 6 && middle < bottom - 6 && taken.every((b, j) =>
          (j === i && middle === y) || at > b.right || at + widths[i] < b.left || Math.abs(middle - b.y) > b.half + 6);
      const over = x - widths[i] / 2;
      const found = [[x + 5, y], [x - 5 - widths[i], y], [over, y - 10], [over, y + 10]].find(free);
      if (away < 24 || !found) continue;
      const [at, middle] = found;
      taken.push({ left: at, right: at + widths[i], y: middle, half: 6 });
      c.strokeText(words[i], at, middle + 4);
      c.fillText(words[i], at, middle + 4);
    }
  }

  /** What the ends of the two axes stand for. */
  function directions(chosen) {
    const { left, right, top: high, bottom } = map.inner;
    const [[[east], [west]], [[north], [south]]] = chosen.map(endsOf);
    const text = (x, y, words, anchor, turn) =>
      s("text", { x, y, "text-anchor": anchor, transform: turn && `rotate(-90 ${x} ${y})` }, words);
    return [
      text(left, bottom + 18, `← ${west}`, "start"), text(right, bottom + 18, `${east} →`, "end"),
      text((left + right) / 2, bottom + 18, `mode ${chosen[0] + 1}`, "middle"),
      text(12, bottom, `← ${south}`, "start", true), text(12, high, `${north} →`, "end", true),
      text(12, (high + bottom) / 2, `mode ${chosen[1] + 1}`, "middle", true),
    ];
  }

  // ---- what is said ----

  function report() {
    const { d, steps, batch } = run, { step, time, s, loss } = run.latest, learned = run.learnedOf(s);
    const [[across, west], [up, south]] = modesShown().map((k) => [k + 1, endsOf(k).map(([word]) => word)]);
    const shown = `The words are shown along mode ${across}, ${west[1]} to ${west[0]}, and mode ${up}, ${south[1]} to ${south[0]}.`;
    const theory = plain() ? "theory" : "quartic model’s theory";
    if (!step) {
      const foretold = run.learnedOf(run.theory.s.map((values) => values.at(-1)), spectrum.values);
      return `W starts as noise of size ${startText(app.get("log_scale"))}. From this start the ${theory} foretells ` +
        `${foretold} modes in ${show(run.horizon, 3)} τ₁: ${many(steps)} steps at lr λ₁ = ${show(app.get("rate"), 2)}, ` +
        `each from ${batch ? `${many(batch)} positive and ${many(batch)} negative pairs, drawn by chance` : "all pairs"}.\n${shown}`;
    }
    const last = run.diverged ? "What was last seen: step" : run.over ? "The run is over. Step" : "Step";
    const share = loss < 10 ? `${(100 * loss).toFixed(1)}% of its start` : `${show(loss, 2)} times its start`;
    const newest = learned && app.get("weighting") === "setting31" && endsOf(learned - 1).map((end) => end.join(", "));
    return [
      fate(),
      `${last} ${many(step)} of ${many(steps)}, t = ${time.toFixed(2)} τ₁: loss ${share}, ${learned} of ${d} modes learned, ` +
        `largest distance of a singular value from the ${theory} ${show(run.distance, 2)}.`,
      newest && !run.diverged && `The newest mode sets ${newest[0]} against ${newest[1]}.`,
      shown,
    ].filter(Boolean).join("\n");
  }

  /**
   * Whether the steps are too long, in words. At the start W moves along the lowest mode by
   * 1 + lr lambda / 2, which must be above -1; around the minimum of the quartic model in Setting
   * 3.1 its first mode moves by 1 - lr lambda_1. Other minima have limits of their own.
   */
  function fate() {
    const { values } = problem(app.get("weighting"), app.get("negatives")).spectrum;
    const rate = `lr λ₁ = ${show(app.get("rate"), 2)}`, start = (-4 * values[0]) / values.at(-1);
    const limit = plain() ? `The steps are stable below lr λ₁ = ${show(Math.min(2, start), 2)}.` :
      "In Setting 3.1 the quartic model is stable below lr λ₁ = 2; here the limit can be lower" +
      (start < 2 ? `, and at the start alone it is ${show(start, 2)}.` : ".");
    if (run.diverged) return `Diverged at step ${many(run.step)}: at ${rate} each step overshoots by more than the last. ${limit} Choose a smaller one.`;
    if (!run.batch && run.rises > 2.5) return `The steps overshoot: at ${rate} the loss climbs again and again. ${limit}`;
    return "";
  }

  let begun = false;
  return () => {
    if (!run) {
      fresh();
      if (begun && !still()) start();
      begun = true;
      offerPlanes();
    }
    drawCurves();
    drawMap();
    said.say(report());
  };
}

const render = (context) => explorer(context, build);

export { eigenpairs, flow, generator, gaussians, growth, lossOf, Run, sampledVelocity, sampler, silentStart, singularValues, tables, theoryLoss, velocity };
export default { render };
