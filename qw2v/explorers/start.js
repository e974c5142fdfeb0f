// The start explorer: two singular values from any start, exactly and by the two simple formulas.
// In two dimensions the exact ones are sums of positive terms (Cauchy and Binet): no digit is lost.

/** Two orthonormal columns, turned by `angle` degrees from the first two modes, as rows [x, y]. */
function tilted(angle, away) {
  const turn = (angle * Math.PI) / 180, c = Math.cos(turn), s = Math.sin(turn);
  const rows = away.map(([x, y], i) => [s * x + (i === 0 ? c : 0), s * y + (i === 1 ? c : 0)]);
  const dot = (a, b) => rows.reduce((sum, row) => sum + row[a] * row[b], 0);
  const length = Math.sqrt(dot(0, 0)), along = dot(0, 1) / length;
  const across = Math.sqrt(dot(1, 1) - along * along);
  return rows.map(([x, y]) => [x / length, (y - (along * x) / length) / across]);
}

/** (e^(λt) − 1) / λ, and its limit t. */
const phi = (value, t) => (value === 0 ? t : Math.expm1(value * t) / value);

/** The flow from `sigma` times the rows `frame` along the eigenvalues: t to its two singular values. */
function exactly(values, frame, sigma) {
  const square = sigma * sigma;
  const sizes = frame.map(([x, y]) => square * (x * x + y * y));
  const minors = frame.map(([x, y]) => frame.map(([u, v]) => square * square * (x * v - y * u) ** 2));
  return (t) => {
    const grown = values.map((value) => Math.exp(value * t)), room = values.map((value) => phi(value, t));
    let below = 1, sum = 0, product = 0;
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

/** Lemma 3.1 for two modes: t to their singular values, the larger first. */
const sigmoids = (values, starts) => (t) =>
  values
    .map((value, k) => {
      const square = Math.max(starts[k], 1e-150) ** 2;
      return Math.sqrt(1 / (Math.exp(-value * t) / square + phi(-value, t)));
    })
    .sort((a, b) => b - a);

/** What each mode has to itself: the second without the direction that the first has claimed. */
function silentStart([[x, y], [u, v]]) {
  const first = Math.hypot(x, y);
  return [first, Math.abs(x * v - y * u) / first];
}

/** A time by which both modes are learned. */
const horizon = (ratio, sigma) => 1.25 * Math.max(Math.log(ratio / sigma ** 2) / ratio, 0) + 8 / ratio;

/** The theories from one start, as functions of t. */
function theories(ratio, angle, sigma, { others, away }) {
  const values = [1, ratio, ...others], frame = tilted(angle, away);
  const learned = values.slice(0, 2);
  return {
    exact: exactly(values, frame, sigma),
    lemma: sigmoids(learned, frame.slice(0, 2).map((row) => sigma * Math.hypot(...row))),
    result: sigmoids(learned, [sigma, sigma]),
    own: sigmoids(learned, silentStart(frame).map((length) => sigma * length)),
  };
}

const evenly = (end, count) => Array.from({ length: count }, (_, i) => (end * i) / (count - 1));

/** The largest errors of Lemma 3.1 and of Result 3, without and with own starts, in % of √λ₁. */
function worst(ratio, angle, sigma, texts, count = 80) {
  const { exact, ...guesses } = theories(ratio, angle, sigma, texts);
  const errors = [0, 0, 0];
  for (const t of evenly(horizon(ratio, sigma), count)) {
    const truth = exact(t);
    Object.values(guesses).forEach((theory, which) => {
      const guess = theory(t);
      for (const k of [0, 1]) errors[which] = Math.max(errors[which], 100 * Math.abs(guess[k] - truth[k]));
    });
  }
  return errors;
}

const scaleText = (log) => (Number.isInteger(log) ? power(log) : scientific(10 ** log, 2));

const SCALES = Array.from({ length: 53 }, (_, i) => 10 ** (-12 + i / 4));

function render(context) {
  return explorer(context, (app) => {
    const course = app.plot({
      label: "Two singular values over training time: exact, Lemma 3.1 and Result 3",
      xLabel: "training time t, in 1/λ₁", yLabel: "singular value", height: 280,
    });
    const errors = app.plot({
      label: "Largest errors of Lemma 3.1 and of Result 3, without and with own starts, against the scale of the start",
      xLabel: "scale σ of the start", yLabel: "largest error in %", height: 210, margin: { right: 16 },
    });
    errors.range({ x: [1e-12, 10], y: [0, 100], log: true, xTicks: [1e-12, 1e-9, 1e-6, 1e-3, 1] });
    const percent = (x) => (x < 0.001 ? "less than 0.001%" : `up to ${show(x, 2)}%`);
    const said = app.readout();
    app.body.append(
      h("div", { class: "controls" },
        app.slider("log_scale", {
          label: "scale σ of the start", min: -12, max: 1, step: 0.25, show: scaleText,
        }),
        app.slider("angle", {
          label: "angle to the modes", min: 0, max: 90, step: 1, show: (x) => `${show(x)}°`,
        }),
        app.slider("ratio", { label: "λ₂ / λ₁", min: 0.5, max: 0.99, step: 0.01, show: (x) => show(x, 2) })),
      course.box, errors.box, said,
    );

    let known = "", swept;
    return () => {
      const [sigma, angle, ratio] = [10 ** app.get("log_scale"), app.get("angle"), app.get("ratio")];
      const { exact, lemma, result } = theories(ratio, angle, sigma, app.texts);
      const end = horizon(ratio, sigma), times = evenly(end, 400);
      course.range({ x: [0, end], y: [0, 1.05 * Math.max(1.15, Math.min(sigma, 4))] });
      course.begin();
      for (const [theory, width, dash] of [[result, 1.5, [2, 4]], [lemma, 1.5, [7, 4]], [exact, 2.5, []]]) {
        const values = times.map(theory);
        for (const k of [0, 1]) {
          course.line(times, values.map((pair) => pair[k]), { color: app.modeColor(k + 1), width, dash });
        }
      }
      course.end();
      const { right, bottom } = course.inner;
      course.layer.replaceChildren(
        ...app.key(right - 118, bottom - 62, "ink", "", "exact"),
        ...app.key(right - 118, bottom - 42, "ink", "7 4", "Lemma 3.1"),
        ...app.key(right - 118, bottom - 22, "ink", "2 4", "Result 3"),
      );

      if (known !== `${angle} ${ratio}`) swept = SCALES.map((scale) => worst(ratio, angle, scale, app.texts));
      known = `${angle} ${ratio}`;
      errors.begin();
      const lines = [["m3", "Lemma 3.1"], ["m4", "Result 3"], ["m5", "Result 3, own starts"]];
      lines.forEach(([color], which) =>
        errors.line(SCALES, swept.map((pair) => pair[which]), { color: app.color(color) }));
      errors.end();
      const at = errors.x(sigma);
      errors.layer.replaceChildren(
        s("path", { d: `M${at},${errors.inner.top}V${errors.inner.bottom}`, class: "cursor" }),
        ...lines.flatMap(([color, name], row) =>
          app.key(errors.inner.left + 12, errors.inner.top + 12 + 20 * row, color, "", name)),
      );

      const [one, two, three] = worst(ratio, angle, sigma, app.texts, 400);
      said.say(
        `From σ = ${scaleText(app.get("log_scale"))} at ${show(angle)}° to the modes, λ₂ = ${show(ratio, 2)} λ₁: ` +
        `Lemma 3.1 is wrong by ${percent(one)} of the first mode’s final size, Result 3 by ${percent(two)}, ` +
        `and with each mode’s own start by ${percent(three)}.`);
    };
  });
}

export { horizon, theories, tilted, worst };
export default { render };
