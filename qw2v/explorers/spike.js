// The spike explorer: the spectrum of task vectors against the Marchenko-Pastur law, as in
// qw2v.taskvectors. The spectra and the fits come from Python; the law is computed here.

/** Edges of the bulk of `size` task vectors in `dim` effective dimensions, mean eigenvalue `scale`. */
function edges(size, dim, scale) {
  const root = Math.sqrt(size / dim);
  return [scale * (1 - root) ** 2, scale * (1 + root) ** 2];
}

/** The Marchenko-Pastur density at x. */
function density(x, size, dim, scale) {
  const [low, high] = edges(size, dim, scale);
  if (x <= low || x >= high) return 0;
  return Math.sqrt((x - low) * (high - x)) / (2 * Math.PI * (size / dim) * scale * x);
}

/** lambda_max rank / trace. The spectra hold no eigenvalue that must be zero. */
function snr(values) {
  const most = Math.max(...values), floor = most * values.length * 2 ** -52;
  const sum = values.reduce((total, value) => total + value, 0);
  return (most * values.filter((value) => value > floor).length) / sum;
}

/** Dots (x, height) of a dot plot with bins of equal width in log x; the last in a bin lies lowest. */
function stacked(values, [low, high], binsPerDecade) {
  const filled = new Map();
  const dots = [...values].reverse().map((value) => {
    const x = Math.min(high, Math.max(low, value));
    const bin = Math.floor(Math.log10(x / low) * binsPerDecade);
    filled.set(bin, (filled.get(bin) ?? 0) + 1);
    return [x, filled.get(bin) - 0.5];
  });
  return dots.reverse();
}

function render(context) {
  return explorer(context, (app) => {
    const { spectra, starts, numbers, accuracies } = app.data;
    const { dims, categories, ranges, bins, normalisations } = app.texts;
    const [share, dEff, error, scale, edge] = [0, 1, 2, 3, 4];
    const width = numbers.shape[3];

    const of = [
      ["paper", "in questions (paper)", "with rows of length one in the questions alone, as in the paper"],
      ["none", "nowhere", "with rows as they are"],
      ["unit", "everywhere", "with rows of length one in questions and task vectors"],
    ];

    /** Where category c at the i-th dimension lies; kind 0 are rows as they are, 1 of length one. */
    const place = (kind, c, i) => (kind * categories.length + c) * dims.length + i;
    const number = (kind, c, i, what) => numbers[place(kind, c, i) * width + what];
    const spectrum = (kind, c, i) => {
      const at = place(kind, c, i);
      return spectra.subarray(starts[at], starts[at + 1]);
    };
    const curves = (value) => categories.map((_, c) => dims.map((_, i) => value(c, i)));
    const ratios = [0, 1].map((kind) => curves((c, i) => snr(spectrum(kind, c, i))));
    const scores = [0, 1, 2, 3].map((which) => curves((c, i) => 100 * accuracies[place(which, c, i)]));

    const law = app.plot({
      label: "Eigenvalues of the task vectors as dots, and the Marchenko-Pastur law",
      xLabel: "eigenvalue of RRᵀ/d", yLabel: "eigenvalues", height: 250, margin: { top: 26 },
    });
    const over = [-0.12, 0.08].map((pad) => Math.log(dims.at(pad < 0 ? 0 : -1)) + pad).map(Math.exp);
    const shown = [4, 16, 64, 256, 1000, 4000].filter((d) => d >= over[0] && d <= over[1]);
    const sweep = (name, yLabel, yMax) => {
      const plot = app.plot({
        label: `${name} against the dimension, for the chosen category and, pale, the others`,
        xLabel: "dimension d", yLabel, height: 190, margin: { right: 16, top: 18 },
      });
      plot.range({ x: over, y: [0, yMax], log: true, xTicks: shown });
      return plot;
    };
    const snrPlot = sweep("Signal-to-noise ratio", "SNR", 1.08 * Math.max(...ratios.flat(2)));
    const scorePlot = sweep("Accuracy", "accuracy in %", 104);
    const said = app.readout();
    app.body.append(
      h("div", { class: "controls" },
        app.select("category", { label: "category", options: categories.map(([name, text]) => [name, text]) }),
        app.slider("dim", {
          label: "dimension d", min: 0, max: dims.length - 1, step: 1,
          to: (i) => dims[i], from: (d) => dims.indexOf(d), show: String,
        })),
      h("div", { class: "controls" },
        app.select("normalisation", {
          label: "rows of length one",
          options: of,
        }),
        app.select("protocol", {
          label: "questions", options: [["pairs", "every pair of pairs"], ["google", "Google’s list"]],
        })),
      law.box,
      h("div", { class: "beside" }, snrPlot.box, scorePlot.box),
      said,
    );

    /** The tallest column over all dimensions, so that the axis stays while d moves. */
    const tallest = (kind, c) => Math.max(
      ...dims.flatMap((_, i) => stacked(spectrum(kind, c, i), ranges[kind], bins).map(([, y]) => y)));

    return () => {
      const c = categories.findIndex(([name]) => name === app.get("category"));
      const i = dims.indexOf(app.get("dim"));
      const [, title, pairs] = categories[c];
      const [kind, asked] = normalisations[app.get("normalisation")];
      const score = scores[2 * (1 - asked) + (app.get("protocol") === "google")];
      const range = ranges[kind], get = (what) => number(kind, c, i, what);
      const values = spectrum(kind, c, i), dots = stacked(values, range, bins);
      const fitted = [pairs, get(dEff), get(scale)];
      const known = Number.isFinite(fitted[1]);
      const outside = known && values[0] > get(edge);

      const xTicks = [0.0001, 0.001, 0.01, 0.1, 1, 10].filter((x) => x > range[0] && x <= range[1]);
      law.range({ x: range, y: [0, tallest(kind, c) + 1.5], log: true, xTicks });
      const canvas = law.begin();
      if (known) {
        const xs = Array.from({ length: 400 }, (_, k) => range[0] * (range[1] / range[0]) ** (k / 399));
        const binWidth = Math.LN10 / bins;
        law.line(xs, xs.map((x) => pairs * binWidth * x * density(x, ...fitted)), { color: app.color("ink"), width: 1.5 });
      }
      canvas.fillStyle = app.color("m1");
      for (const [x, y] of dots.slice(1)) {
        canvas.beginPath();
        canvas.arc(law.x(x), law.y(y), 3, 0, 7);
        canvas.fill();
      }
      law.end();
      const [left, top] = [law.x(dots[0][0]), law.y(dots[0][1])];
      const label = (x, y, text, color, anchor = "middle") =>
        s("text", { x, y, "text-anchor": anchor, style: `fill:var(--${color})`, class: "halo" }, text);
      law.layer.replaceChildren(
        s("path", { d: `M${left},${top - 6}l6,6l-6,6l-6,-6z`, style: "fill:var(--m2)" }),
        label(Math.min(left, law.inner.right - 36), top - 12, `${outside || !known ? "spike" : "largest"} ${show(values[0])}`, "m2"),
        label(law.inner.left + 6, 14, known
          ? `Marchenko–Pastur, d_eff = ${fitted[1].toFixed(0)} ± ${get(error).toFixed(0)}`
          : "no law fitted: fewer dimensions than pairs", "ink", "start"),
      );

      for (const [plot, curves] of [[snrPlot, ratios[kind]], [scorePlot, score]]) {
        plot.begin();
        curves.forEach((curve, other) => {
          if (other !== c) plot.line(dims, curve, { color: app.color("line"), width: 0.7 });
        });
        plot.line(dims, curves[c], { color: app.color("m1"), width: 2.5 });
        plot.end();
        const x = plot.x(dims[i]), y = plot.y(curves[c][i]);
        const near = x > plot.inner.right - 40 ? [x - 8, "end"] : [x + 8, "start"];
        plot.layer.replaceChildren(
          s("path", { d: `M${x},${plot.inner.top}V${plot.inner.bottom}`, class: "cursor" }),
          s("circle", { cx: x, cy: y, r: 4, style: "fill:var(--m1)" }),
          label(near[0], Math.max(y - 8, plot.inner.top + 6), show(curves[c][i]), "m1", near[1]),
        );
      }

      said.say([
        `${title[0].toUpperCase()}${title.slice(1)}, ${pairs} pairs, d = ${dims[i]}.`,
        known
          ? `The bulk fits ${fitted[1].toFixed(0)} ± ${get(error).toFixed(0)} effective dimensions and ends at ${show(get(edge))};` +
            ` the largest eigenvalue, ${show(values[0])}, ${outside ? `stands out, at ${show(values[0] / get(edge), 2)} times that` : "does not stand out"}.`
          : `The largest eigenvalue is ${show(values[0])}. With fewer dimensions than pairs no bulk can be fitted.`,
        `The mean task vector holds ${(100 * get(share)).toFixed(0)}% of it.`,
        `SNR ${show(ratios[kind][c][i])}, accuracy ${Number.isFinite(score[c][i]) ? score[c][i].toFixed(0) : "–"}%` +
          ` of ${app.get("protocol") === "google" ? "Google’s questions" : "all pairs of pairs"},` +
          ` ${of.find(([value]) => value === app.get("normalisation"))[2]}.`,
      ].join(" "));
    };
  });
}

export { density, edges, snr, stacked };
export default { render };
