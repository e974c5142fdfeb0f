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
    const { spectra, starts, numbers } = app.data;
    const { dims, categories, range, bins } = app.texts;
    const [accuracy, share, dEff, error, scale, edge] = [0, 1, 2, 3, 4, 5];
    const width = numbers.shape[2];

    /** Row `what` of the numbers, or the spectrum, of category c at the i-th dimension. */
    const number = (c, i, what) => numbers[(c * dims.length + i) * width + what];
    const spectrum = (c, i) => spectra.subarray(starts[c * dims.length + i], starts[c * dims.length + i + 1]);
    const ratios = categories.map((_, c) => dims.map((_, i) => snr(spectrum(c, i))));
    const accuracies = categories.map((_, c) => dims.map((_, i) => 100 * number(c, i, accuracy)));

    const law = app.plot({
      label: "Eigenvalues of the task vectors as dots, and the Marchenko-Pastur law",
      xLabel: "eigenvalue of RRᵀ/d", yLabel: "eigenvalues", height: 250, margin: { top: 26 },
    });
    const over = [-0.12, 0.08].map((pad) => Math.log(dims.at(pad < 0 ? 0 : -1)) + pad).map(Math.exp);
    const shown = [4, 16, 64, 256, 1000].filter((d) => d >= over[0] && d <= over[1]);
    const sweep = (name, yLabel, curves, yMax) => {
      const plot = app.plot({
        label: `${name} against the dimension, for the chosen category and, pale, the others`,
        xLabel: "dimension d", yLabel, height: 190, margin: { right: 16, top: 18 },
      });
      plot.range({ x: over, y: [0, yMax], log: true, xTicks: shown });
      return { plot, curves };
    };
    const most = Math.max(...ratios.flat());
    const sweeps = [
      sweep("Signal-to-noise ratio", "SNR", ratios, 1.08 * most),
      sweep("Accuracy", "accuracy in %", accuracies, 104),
    ];
    const said = app.readout();
    app.body.append(
      h("div", { class: "controls" },
        app.select("category", { label: "category", options: categories.map(([name, text]) => [name, text]) }),
        app.slider("dim", {
          label: "dimension d", min: 0, max: dims.length - 1, step: 1,
          to: (i) => dims[i], from: (d) => dims.indexOf(d), show: String,
        })),
      law.box,
      h("div", { class: "beside" }, ...sweeps.map(({ plot }) => plot.box)),
      said,
    );

    /** The tallest column over all dimensions, so that the axis stays while d moves. */
    const tallest = (c) =>
      Math.max(...dims.flatMap((_, i) => stacked(spectrum(c, i), range, bins).map(([, y]) => y)));

    return () => {
      const c = categories.findIndex(([name]) => name === app.get("category"));
      const i = dims.indexOf(app.get("dim"));
      const [, title, pairs] = categories[c];
      const values = spectrum(c, i), dots = stacked(values, range, bins);
      const fitted = [pairs, number(c, i, dEff), number(c, i, scale)];
      const known = Number.isFinite(fitted[1]);
      const outside = known && values[0] > number(c, i, edge);

      law.range({ x: range, y: [0, tallest(c) + 1.5], log: true, xTicks: [0.001, 0.01, 0.1, 1] });
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
          ? `Marchenko–Pastur, d_eff = ${fitted[1].toFixed(0)} ± ${number(c, i, error).toFixed(0)}`
          : "no law fitted: fewer dimensions than pairs", "ink", "start"),
      );

      for (const { plot, curves } of sweeps) {
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
          ? `The bulk fits ${fitted[1].toFixed(0)} ± ${number(c, i, error).toFixed(0)} effective dimensions and ends at ${show(number(c, i, edge))};` +
            ` the largest eigenvalue, ${show(values[0])}, ${outside ? `stands out, at ${show(values[0] / number(c, i, edge), 2)} times that` : "does not stand out"}.`
          : `The largest eigenvalue is ${show(values[0])}. With fewer dimensions than pairs no bulk can be fitted.`,
        `The mean task vector holds ${(100 * number(c, i, share)).toFixed(0)}% of it.`,
        `SNR ${show(ratios[c][i])}, accuracy ${accuracies[c][i].toFixed(0)}%.`,
      ].join(" "));
    };
  });
}

export { density, edges, snr, stacked };
export default { render };
