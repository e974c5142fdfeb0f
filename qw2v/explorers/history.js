// Lemma 3.1 in the browser: the sigmoids, the loss and the counts of qw2v.dynamics.

/** log((e^(lambda t) - 1) / lambda), with its limit log t at lambda = 0. */
function logPhi(lambda, t) {
  const z = lambda * t, size = Math.abs(z);
  return Math.max(z, 0) + Math.log(size > 1e-300 ? -Math.expm1(-size) / Math.abs(lambda) : t);
}

/** s_k(t) of Lemma 3.1, from the start s0, without overflow for any time. */
function sigmoid(lambda, s0, t) {
  const a = -lambda * t - 2 * Math.log(s0), b = logPhi(-lambda, t);
  const high = Math.max(a, b);
  return Math.exp(-0.5 * (high + Math.log1p(Math.exp(-Math.abs(a - b)))));
}

/** tau_k = log(lambda_k / s0^2) / lambda_k. */
const learningTime = (lambda, s0) => (Math.log(lambda) - 2 * Math.log(s0)) / lambda;

function render({ model, el }) {
  return explorer({ model, el }, (app) => {
    const { eigenvalues } = app.data;
    const plot = app.plot({
      label: "Singular values over time", xLabel: "time t / τ₁", yLabel: "singular value", height: 260,
    });
    const said = app.readout();
    app.body.append(
      h("div", { class: "row" },
        app.slider("time", { label: "time t / τ₁", min: 0, max: 4, step: 0.01, show: (t) => t.toFixed(2) }),
        app.select("log_scale", { label: "start", options: [[-6, "small: 10⁻⁶"], [-1, "word2vec: 0.1"]] })),
      plot.box, said,
    );
    const times = Array.from({ length: 201 }, (_, i) => i / 50);
    return () => {
      const s0 = 10 ** app.get("log_scale"), tau = learningTime(eigenvalues[0], s0);
      plot.range({ x: [0, 4], y: [0, 1.05 * Math.sqrt(eigenvalues[0])] });
      plot.begin();
      for (let k = eigenvalues.length; k >= 1; k--) {
        const s = times.map((t) => sigmoid(eigenvalues[k - 1], s0, t * tau));
        plot.line(times, s, { color: app.modeColor(k), width: k <= 8 ? 2 : 0.6 });
      }
      plot.end();
      const t = app.get("time") * tau;
      const learned = eigenvalues.filter((v) => sigmoid(v, s0, t) ** 2 > v / 2).length;
      said.say(`At t = ${app.get("time").toFixed(2)} τ₁, ${learned} of ${eigenvalues.length} modes are learned.`);
    };
  });
}

export { learningTime, sigmoid };
export default { render };
