// The target M* for two words, and the parabola it comes from.

// ---- two words -----------------------------------------------------------------------------------

/** M* = 2 tanh(PMI / 2), in [-2, 2]. */
const softClip = (pmi) => 2 * Math.tanh(pmi / 2);

/** PMI of words i and j from the upper triangle of an n x n table of bytes; 0 says they never met. */
function pmiOf({ codes, scale: [lowest, step], counts: { length: n } }, i, j) {
  const [a, b] = i < j ? [i, j] : [j, i];
  const code = codes[a * n - (a * (a - 1)) / 2 + b - a];
  return code ? lowest + (code - 1) * step : -Infinity;
}

/** What is known of two words. */
function pairOf(data, i, j) {
  const pmi = pmiOf(data, i, j), [total] = data.total;
  const apart = (data.counts[i] / total) * (data.counts[j] / total);
  return { pmi, apart, joint: apart * Math.exp(pmi), target: softClip(pmi) };
}

function inWords(pair) {
  const times = Math.exp(Math.abs(pair.pmi));
  if (pair.pmi === -Infinity) return "never met: PMI is minus infinity, M* stays at −2";
  if (times < 1.06) return "meet about as often as chance would have it";
  const how = `meet ${times < 10 ? times.toFixed(1) : show(times, 2)} times ${pair.pmi > 0 ? "more" : "less"} often than by chance`;
  const kept = Math.abs(pair.target / pair.pmi);
  return `${how}; M* keeps ${(100 * kept).toFixed(0)}% of their PMI`;
}

const REACH = 7; // of the PMI axis

function buildPairs(app) {
  const { words, examples } = app.texts, { codes, scale: [lowest, step] } = app.data;
  const index = new Map(words.map((word, i) => [word, i]));
  const plot = app.plot({
    height: 300, margin: { right: 16 }, xLabel: "PMI", yLabel: "entry of the matrix",
    label: "M* against PMI with the chosen pair, above the distribution of PMI over all pairs",
  });
  plot.range({ x: [-REACH, REACH], y: [-4.4, 4], yTicks: [-4, -2, 0, 2, 4] });
  const said = app.readout();
  const tiles = ["P_ij", "P_i P_j", "PMI", "M*"].map((name) => ({ name, value: h("dd") }));
  const subscripted = { "P_ij": ["P", h("sub", {}, "ij")], "P_i P_j": ["P", h("sub", {}, "i"), " P", h("sub", {}, "j")] };
  const buttons = examples.map(([a, b]) =>
    app.button(`${a} + ${b}`, () => (app.set("first", a), app.set("second", b))));
  app.body.append(
    h("div", { class: "controls" },
      app.word("first", { label: "first word", words, index }), app.word("second", { label: "second word", words, index })),
    h("div", { class: "controls", role: "group", "aria-label": "examples" }, ...buttons),
    h("dl", { class: "tiles" }, ...tiles.map(({ name, value }) => h("div", {}, h("dt", {}, ...(subscripted[name] ?? [name])), value))),
    plot.box, said,
    h("p", { class: "note" }, `≈: so that all pairs fit on a page, PMI is rounded to steps of ${step}, and Pᵢⱼ to ${100 * step / 2}%.`),
  );

  const bars = new Float64Array(256);
  for (const code of codes) bars[code]++;
  bars[0] = 0;
  const tallest = Math.max(...bars);

  function drawCurves() {
    const xs = Array.from({ length: 141 }, (_, i) => -REACH + (i * REACH) / 70);
    const c = plot.begin();
    c.fillStyle = app.color("line");
    c.globalAlpha = 0.5;
    const wide = Math.max(1, plot.x(step) - plot.x(0));
    bars.forEach((count, code) => {
      const high = (50 * count) / tallest;
      c.fillRect(plot.x(lowest + (code - 1.5) * step), plot.inner.bottom - high, wide, high);
    });
    c.globalAlpha = 1;
    plot.line(xs, xs, { color: app.color("m2"), width: 1.5, dash: [2, 3] });
    plot.line(xs, xs.map((x) => Math.max(x, 0)), { color: app.color("m4"), width: 1.5, dash: [7, 4] });
    plot.line(xs, xs.map(softClip), { color: app.color("m1"), width: 3 });
    plot.end();
    const text = (x, y, words, color, anchor) =>
      s("text", { x: plot.x(x), y: plot.y(y), style: `fill:var(--${color})`, class: "halo", "text-anchor": anchor }, words);
    plot.layer.replaceChildren(
      text(-2.6, -3.2, "PMI", "m2", "start"), text(-6.8, 0.25, "PPMI = max(PMI, 0)", "m4", "start"),
      text(6.9, 1.35, plot.width > 420 ? "M* = 2 tanh(PMI / 2)" : "M*", "m1", "end"), s("g"));
  }

  /** The pair on the curve, with lines to both axes; a pair that never met stands at the left edge. */
  function drawPair(pair, name) {
    const at = Math.max(-REACH, Math.min(REACH, pair.pmi)), x = plot.x(at), y = plot.y(pair.target);
    const silent = pair.pmi === -Infinity, right = at < 1;
    const text = silent ? `← ${name}` : name;
    plot.layer.lastChild.replaceChildren(
      s("path", { d: `M${x},${plot.inner.bottom}V${y}H${plot.inner.left}`, fill: "none", class: "chosen thin" }),
      s("circle", { cx: x, cy: y, r: 6, style: "fill:var(--m1);stroke:var(--paper);stroke-width:2" }),
      s("text", {
        x: right ? x + 9 : x - 9, y: y + (pair.target > 0 ? -12 : 20), class: "halo",
        "font-weight": "bold", "text-anchor": right ? "start" : "end",
      }, text));
  }

  return () => {
    const first = app.get("first"), second = app.get("second");
    const pair = pairOf(app.data, index.get(first), index.get(second));
    if (plot.changed()) drawCurves();
    drawPair(pair, `${first} + ${second}`);
    const silent = pair.pmi === -Infinity;
    const values = [
      silent ? "0" : `≈ ${scientific(pair.joint, 2)}`, scientific(pair.apart, 3),
      silent ? "−∞" : `≈ ${pair.pmi.toFixed(2).replace("-", "−")}`, `${silent ? "" : "≈ "}${pair.target.toFixed(2).replace("-", "−")}`,
    ];
    tiles.forEach((tile, i) => (tile.value.textContent = values[i]));
    said.say(`“${first}” and “${second}” ${inWords(pair)}.`);
  };
}

// ---- the parabola ----------------------------------------------------------------------------------

/** log(1 + e^-x), without overflow. */
const exactLoss = (x) => Math.max(-x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

/** Its second-order Taylor polynomial at zero. */
const parabola = (x) => Math.LN2 - x / 2 + (x * x) / 8;

function buildTaylor(app) {
  const plot = app.plot({
    height: 280, xLabel: "x = wᵢ · wⱼ", yLabel: "loss of a positive pair",
    label: "The loss of a positive pair and its parabola, with the gap at the chosen x",
  });
  plot.range({ x: [-4, 4], y: [0, 5] });
  const said = app.readout();
  const number = (x) => x.toFixed(2).replace("-", "−");
  app.body.append(
    h("div", { class: "controls" }, app.slider("x", { label: "x = wᵢ · wⱼ", min: -4, max: 4, step: 0.05, show: number })),
    plot.box, said);

  function drawCurves() {
    const xs = Array.from({ length: 161 }, (_, i) => -4 + i / 20);
    const c = plot.begin();
    c.beginPath();
    for (const x of xs) c.lineTo(plot.x(x), plot.y(exactLoss(x)));
    for (const x of [...xs].reverse()) c.lineTo(plot.x(x), plot.y(parabola(x)));
    Object.assign(c, { fillStyle: app.color("m3"), globalAlpha: 0.22 });
    c.fill();
    c.globalAlpha = 1;
    plot.line(xs, xs.map(exactLoss), { color: app.color("ink") });
    plot.line(xs, xs.map(parabola), { color: app.color("m3"), dash: [7, 4] });
    plot.end();
    const x = plot.inner.right - 32 - app.width("log 2 − x/2 + x²/8", 12);
    plot.layer.replaceChildren(
      ...app.key(x, 20, "ink", "", "log(1 + e⁻ˣ)"), ...app.key(x, 38, "m3", "7 4", "log 2 − x/2 + x²/8"), s("g"));
  }

  return () => {
    const x = app.get("x"), exact = exactLoss(x), close = parabola(x);
    if (plot.changed()) drawCurves();
    const at = plot.x(x), ends = [plot.y(exact), plot.y(close)];
    plot.layer.lastChild.replaceChildren(
      s("path", { d: `M${at},${plot.inner.bottom}V${Math.min(...ends)}`, class: "chosen thin" }),
      s("path", { d: `M${at},${ends[0]}V${ends[1]}`, class: "chosen" }),
      ...ends.map((cy, i) => s("circle", { cx: at, cy, r: 5, style: `fill:var(--${i ? "m3" : "ink"});stroke:var(--paper);stroke-width:2` })));
    const gap = close - exact;
    said.say(
      `At x = ${number(x)} the loss is ${exact.toFixed(3)} and the parabola ${close.toFixed(3)}: ` +
      `a gap of ${gap.toFixed(3)}, ${show((100 * gap) / exact, 2)}% of the loss.`);
  };
}

const render = (context) =>
  explorer(context, context.model.get("_texts").words ? buildPairs : buildTaylor);

export { exactLoss, pairOf, parabola, softClip };
export default { render };
