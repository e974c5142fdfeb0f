// Features of several models: the words at their two ends, and where the other models have them.

/** Squared overlaps of feature k, from 1, of model a with the features of model b, in order. */
function overlapsOf({ codes, pairs }, count, a, b, k) {
  const [first, second] = a < b ? [a, b] : [b, a];
  const table = pairs[first * Math.sqrt(pairs.length) + second] * count * count;
  const at = (j) => codes[table + (a < b ? (k - 1) * count + j : j * count + k - 1)];
  return Array.from({ length: count }, (_, j) => at(j) / 255);
}

/** The largest of them: which feature, from 1, and how much. */
function bestOf(overlaps) {
  const most = Math.max(...overlaps);
  return { j: overlaps.indexOf(most) + 1, most };
}

/** The words at the two ends of feature k, from 1, of a model; turned where `sign` is negative. */
function endsOf({ ends }, words, model, k, sign = 1) {
  const [, count, , n] = ends.shape;
  const start = (model * count + k - 1) * 2 * n;
  const [up, down] = [0, 1].map((end) => [...ends.subarray(start + end * n, start + (end + 1) * n)].map((w) => words[w]));
  return sign < 0 ? [down, up] : [up, down];
}

function render(context) {
  return explorer(context, (app) => {
    const { models, words, count } = app.texts, { shares, signs } = app.data;
    const rows = models.length - 1;
    const plot = app.plot({
      height: 40 + 46 * rows, xLabel: "feature of the other model", margin: { left: 12, right: 16, top: 6 },
      label: "Squared overlap of the chosen feature with each feature of the other models",
    });
    plot.range({ x: [0, count + 1], y: [0, rows], yTicks: [], xTicks: [1, ...ticks(1, count, 5)] });
    const poles = [h("dd"), h("dd")];
    const body = h("tbody");
    const head = ["model", "nearest", "overlap", "words at its two ends"].map((name) => h("th", { scope: "col" }, name));
    const table = h("table", { class: "answers" }, h("thead", {}, h("tr", {}, ...head)), body);
    const said = app.readout();
    app.body.append(
      h("div", { class: "controls" },
        app.select("model", { label: "model", options: models.map((name) => [name, name]) }),
        app.slider("k", { label: "feature k", min: 1, max: count, step: 1 })),
      h("dl", { class: "poles" }, ...["one end", "other end"].map((name, i) => h("div", {}, h("dt", {}, name), poles[i]))),
      plot.box, table, said);

    return () => {
      const a = models.indexOf(app.get("model")), k = app.get("k");
      const others = models.flatMap((name, b) => {
        if (b === a) return [];
        const overlaps = overlapsOf(app.data, count, a, b, k);
        const at = (a * models.length + b) * count + k - 1;
        return [{ name, b, overlaps, ...bestOf(overlaps), share: shares[at], sign: signs[at] }];
      });

      const c = plot.begin();
      const wide = Math.max(2, 0.8 * (plot.x(1) - plot.x(0)));
      others.forEach(({ b, overlaps }, row) => {
        const low = plot.y(rows - 1 - row), high = 0.62 * (low - plot.y(rows - row));
        c.fillStyle = app.color("line");
        c.fillRect(plot.inner.left, low, plot.inner.right - plot.inner.left, 1);
        c.fillStyle = app.modeColor(b + 1);
        overlaps.forEach((overlap, j) => c.fillRect(plot.x(j + 1) - wide / 2, low - overlap * high, wide, overlap * high));
      });
      plot.end();
      plot.layer.replaceChildren(...others.map(({ name, b, share }, row) =>
        s("text", {
          x: plot.inner.right, y: plot.y(rows - row) + 14, "text-anchor": "end", class: "halo",
          style: `fill:var(--m${b + 1})`,
        }, `${name}: ${(100 * share).toFixed(0)}% in its first ${count}`)));

      const [up, down] = endsOf(app.data, words, a, k);
      [up, down].forEach((list, i) => (poles[i].textContent = list.join(", ")));
      body.replaceChildren(...others.map(({ name, b, j, most, sign }) => {
        const [one, other] = endsOf(app.data, words, b, j, sign).map((list) => list.slice(0, 3).join(", "));
        return h("tr", {},
          h("th", { scope: "row" }, name), h("td", {}, String(j)), h("td", {}, most.toFixed(2)),
          h("td", {}, `${one} | ${other}`));
      }));
      const nearest = others.map(({ name, j, most }) => `${name} ${j} (${most.toFixed(2)})`);
      said.say(`Feature ${k} of ${app.get("model")} sets ${up.slice(0, 3).join(", ")} against ${down.slice(0, 3).join(", ")}. Nearest: ${nearest.join("; ")}.`);
    };
  });
}

export { bestOf, endsOf, overlapsOf };
export default { render };
