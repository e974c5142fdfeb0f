// The training history: Lemma 3.1 in the browser, as in qw2v.dynamics. All eigenvalues are positive.

/** tau = log(lambda / s0^2) / lambda, when a mode switches on. */
const learningTime = (lambda, s0) => (Math.log(lambda) - 2 * Math.log(s0)) / lambda;

/** When s^2 passes half of its final value: tau, but for a start that is not small. */
const halfTime = (lambda, s0) => Math.log(Math.max(lambda / s0 ** 2 - 1, 1e-300)) / lambda;

/** s^2(t) of Lemma 3.1 from the start s0: for lambda > 0 nothing here overflows or cancels. */
const square = (lambda, s0, t) => lambda / (1 + (lambda / s0 ** 2 - 1) * Math.exp(-lambda * t));

/** What qw2v.dynamics.Path says at time t of the first d modes; `frobenius` is ||M*||_F^2. */
function moment(eigenvalues, frobenius, d, s0, t) {
  let sum = 0, fourth = 0, learned = 0, loss = frobenius;
  for (let k = 0; k < d; k++) {
    const lambda = eigenvalues[k], s2 = square(lambda, s0, t);
    sum += s2;
    fourth += s2 * s2;
    learned += s2 > lambda / 2;
    loss += s2 * (s2 - 2 * lambda); // (lambda - s2)^2 - lambda^2
  }
  return { loss: loss / 4, learned, effectiveRank: (sum * sum) / fourth };
}

/** Numbers from a to b, evenly spaced, or evenly in their logarithms. */
function spaced(a, b, n, log = false) {
  const at = (share) => (log ? a * (b / a) ** share : a + share * (b - a));
  return Array.from({ length: n }, (_, i) => at(i / (n - 1)));
}

const percent = (share) => `${(100 * share).toFixed(1)}%`;
const startText = (exponent) =>
  exponent > -2.05 ? show(10 ** exponent, 2)
    : Number.isInteger(exponent) ? power(exponent) : scientific(10 ** exponent, 2);
const modes = (n) => (n === 1 ? "1 mode" : `${n} modes`);

/** A dashed line at a moment, which `moveCursor` moves. */
const cursor = (plot) => s("path", { class: "cursor", d: `M0,${plot.inner.top}V${plot.inner.bottom}` });
const moveCursor = (plot, time) =>
  plot.layer.querySelector(".cursor").setAttribute("transform", `translate(${plot.x(time)},0)`);

// ---- the landing figure --------------------------------------------------------------------------

function buildHistory(app) {
  const { eigenvalues, frobenius: [frobenius], cloud, cloud_step, marked, marked_step } = app.data;
  const { horizon, names, words, topics, starts } = app.texts;
  const d = eigenvalues.length, ends = names.map(([up, down]) => `${up} / ${down}`);
  const labels = (width) => (width < 330 ? names.map(([up]) => up) : ends); // one end on a phone
  const widest = (width) => Math.max(...labels(width).map((text) => app.width(text, 11)));
  const margin = { left: 44, right: (width) => Math.ceil(widest(width)) + 6 };
  const plot = (options) => app.plot({ margin, ...options });
  const top = plot({ height: 214, yLabel: "singular value", label: "Singular values over training time" });
  const loss = plot({ height: 96, yLabel: "loss / start", label: "Loss over training time" });
  const rank = plot({
    height: 124, yLabel: "modes", xLabel: "training time t / τ₁",
    label: "Number of learned modes over training time",
  });
  const map = app.plot({
    height: 434, bare: true, margin: { left: 20, bottom: 24, right: 4 },
    label: "The word embeddings along modes 1 and 3; words at the four ends are named",
  });
  const said = app.readout();
  const start = () => 10 ** app.get("log_scale");
  const unit = () => learningTime(eigenvalues[0], start());
  const next = (time) => {
    const steps = [...eigenvalues].map((lambda) => halfTime(lambda, start()) / unit() + 0.05);
    return Math.min(...steps.filter((step) => step > time + 1e-9));
  };
  app.body.append(
    h("div", { class: "controls" },
      app.player("time", { from: () => 0, to: () => horizon, seconds: 14, next }),
      app.slider("time", {
        label: "training time t / τ₁", min: 0, max: horizon, step: 0.01, show: (t) => t.toFixed(2),
      }),
      app.select("log_scale", { label: "size of the start", options: starts })),
    h("div", { class: "beside wide-first" }, h("div", {}, top.box, loss.box, rank.box), map.box),
    said,
  );

  /** The curves, drawn once for a start: as time goes on only the cursor moves. */
  function drawCurves(s0, tau) {
    top.range({ x: [0, horizon], y: [0, 1.04 * Math.sqrt(eigenvalues[0])] });
    if (!top.changed(s0)) return;
    const times = spaced(0, horizon, 241);
    const at = times.map((t) => moment(eigenvalues, frobenius, d, s0, t * tau));
    top.begin();
    for (let k = d; k >= 1; k--) {
      const s = times.map((t) => Math.sqrt(square(eigenvalues[k - 1], s0, t * tau)));
      top.line(times, s, { color: app.modeColor(k), width: k <= ends.length ? 2 : 0.7 });
    }
    top.end();
    const heights = ends.map((_, k) => top.y(Math.sqrt(square(eigenvalues[k], s0, horizon * tau))));
    const texts = labels(top.width);
    const ended = apart(heights, 13).map((y, k) => label(top, y, texts[k], `m${k + 1}`));
    top.layer.replaceChildren(cursor(top), ...ended);
    const low = at.at(-1).loss / at[0].loss, high = 1.08 * at.at(-1).learned;
    loss.range({ x: [0, horizon], y: [1 - 1.08 * (1 - low), 1] });
    rank.range({ x: [0, horizon], y: [0, high] });
    for (const [plot, ys] of [[loss, at.map((m) => m.loss / at[0].loss)], [rank, at.map((m) => m.learned)]]) {
      plot.begin();
      plot.line(times, ys, { color: app.color("ink") });
      plot.end();
      plot.layer.replaceChildren(cursor(plot), label(plot, 0, "", "ink"));
    }
  }

  const label = (plot, y, text, color) =>
    s("text", { x: plot.inner.right + 5, y: y + 4, style: `fill:var(--${color})`, "font-size": 11 }, text);

  function moveTo(plot, time, value, text) {
    plot.pale(time);
    moveCursor(plot, time);
    if (text === undefined) return;
    const counter = plot.layer.lastChild;
    counter.textContent = text;
    counter.setAttribute("y", plot.y(value) + 4);
  }

  /** The cloud at time t: words are where s_k times their entry of v_k says, k = 1 and 3. */
  const full = [0, 2].map((k) => Math.sqrt(eigenvalues[k]));
  const reach = [0, 1].map((axis) => 32767 * Math.max(cloud_step[axis], marked_step[axis]) * full[axis]);
  function drawCloud(s0, t) {
    map.range({ x: [-1.04 * reach[0], 1.04 * reach[0]], y: [-1.04 * reach[1], 1.04 * reach[1]] });
    const grow = [0, 2].map((k) => Math.sqrt(square(eigenvalues[k], s0, t)));
    const place = (entries, step, i) =>
      [map.x(entries[2 * i] * step[0] * grow[0]), map.y(entries[2 * i + 1] * step[1] * grow[1])];
    if (map.changed()) map.layer.replaceChildren(...directions());
    const c = map.begin(), { left, right, top, bottom } = map.inner;
    Object.assign(c, { strokeStyle: app.color("line"), fillStyle: app.color("muted"), lineWidth: 0.5 });
    c.beginPath();
    c.moveTo(left, map.y(0)), c.lineTo(right, map.y(0)), c.moveTo(map.x(0), top), c.lineTo(map.x(0), bottom);
    c.stroke();
    c.globalAlpha = 0.45;
    for (let i = 0; i < cloud.length / 2; i++) {
      const [x, y] = place(cloud, cloud_step, i);
      c.fillRect(x - 0.75, y - 0.75, 1.5, 1.5);
    }
    drawWords(c, words.map((_, i) => place(marked, marked_step, i)));
    map.end();
  }

  /** What the ends of the two axes stand for. */
  function directions() {
    const { left, right, top, bottom } = map.inner;
    const [[east, west], , [north, south]] = names;
    const text = (x, y, words, anchor, turn) =>
      s("text", { x, y, "text-anchor": anchor, transform: turn && `rotate(-90 ${x} ${y})` }, words);
    return [
      text(left, bottom + 18, `← ${west}`, "start"), text(right, bottom + 18, `${east} →`, "end"),
      text((left + right) / 2, bottom + 18, "mode 1", "middle"),
      text(12, bottom, `← ${south}`, "start", true), text(12, top, `${north} →`, "end", true),
      text(12, (top + bottom) / 2, "mode 3", "middle", true),
    ];
  }

  /** Words of the topics, each where it covers no word before it; near the origin none is named. */
  const widths = words.map((word) => app.width(word, 12));
  function drawWords(c, places) {
    const origin = [map.x(0), map.y(0)];
    const taken = places.map(([x, y]) => ({ left: x - 4, right: x + 4, y, half: 4 }));
    Object.assign(c, { font: app.font(12), lineJoin: "round", strokeStyle: app.color("paper"), lineWidth: 3 });
    places.forEach(([x, y], i) => {
      c.fillStyle = app.color(`m${topics[i] + 1}`);
      const away = Math.hypot(x - origin[0], y - origin[1]) / 50;
      const free = ([left, y]) =>
        left > map.inner.left && left + widths[i] < map.inner.right &&
        taken.every((b) => left > b.right || left + widths[i] < b.left || Math.abs(y - b.y) > b.half + 6);
      const beside = [[x + 6, y], [x - 6 - widths[i], y]];
      const over = [[x - widths[i] / 2, y - 12], [x - widths[i] / 2, y + 12]];
      const found = [...beside, ...over].find(free);
      if (away < 0.4 || !found) return;
      const [left, middle] = found;
      taken.push({ left, right: left + widths[i], y: middle, half: 7 });
      c.globalAlpha = Math.min(1, away);
      c.strokeText(words[i], left, middle + 4);
      c.fillText(words[i], left, middle + 4);
    });
    c.globalAlpha = 1;
    places.forEach(([x, y], i) => {
      c.fillStyle = app.color(`m${topics[i] + 1}`);
      mark(c, x, y, topics[i]);
    });
  }

  return () => {
    const s0 = start(), tau = unit(), time = app.get("time"), t = time * tau;
    const now = moment(eigenvalues, frobenius, d, s0, t);
    const share = now.loss / moment(eigenvalues, frobenius, d, s0, 0).loss;
    drawCurves(s0, tau);
    moveTo(top, time);
    moveTo(loss, time, share, percent(share));
    moveTo(rank, time, now.learned, modes(now.learned));
    drawCloud(s0, t);
    const [up, down] = names[now.learned - 1] ?? [];
    said.say(
      `At t = ${time.toFixed(2)} τ₁, ${now.learned} of ${modes(d)} ${now.learned === 1 ? "is" : "are"} learned ` +
      `and the loss is ${percent(share)} of its start.` + (up ? ` The newest sets ${up} against ${down}.` : ""));
  };
}

/** A topic's mark: a disc, a square, a triangle or a diamond, so that colour is not the only sign. */
function mark(c, x, y, topic) {
  const r = 3;
  c.beginPath();
  if (topic === 0) c.arc(x, y, r, 0, 7);
  if (topic === 1) c.rect(x - r, y - r, 2 * r, 2 * r);
  const corners = { 2: [[0, -4], [4, 3], [-4, 3]], 3: [[0, -4], [4, 0], [0, 4], [-4, 0]] }[topic] ?? [];
  for (const [dx, dy] of corners) c.lineTo(x + dx, y + dy);
  c.fill();
}

// ---- the mode explorer -----------------------------------------------------------------------------

const SHORT = 0.3; // where the logarithmic time axis begins, in units of tau_1

function buildModes(app) {
  const { horizon, kinds, words } = app.texts;
  const spectrum = () => app.data[`${app.get("kind")}_eigenvalues`];
  const total = app.data[`${kinds[0][0]}_eigenvalues`].length;
  const margin = { right: 16 };
  const top = app.plot({
    margin: { ...margin, top: 22 }, height: 280, yLabel: "singular value sₖ", xLabel: "training time t / τ₁",
    label: "Singular values of all modes over training time, with the learning times marked below",
  });
  const rank = app.plot({
    margin, height: 170, yLabel: "modes", xLabel: "training time t / τ₁",
    label: "Number of learned modes and effective rank over training time",
  });
  const loss = app.plot({
    margin, height: 170, yLabel: "loss / start", xLabel: "training time t / τ₁",
    label: "Loss over training time",
  });
  const said = app.readout();
  const start = () => 10 ** app.get("log_scale");
  const unit = () => learningTime(spectrum()[0], start());
  const low = () => (app.get("log_time") ? SHORT : 0);
  const next = (time) => {
    const steps = [...spectrum()].slice(0, app.get("dim")).map((v) => halfTime(v, start()) / unit() + 0.05);
    return Math.min(horizon, ...steps.filter((step) => step > time + 1e-9));
  };
  // The slider of time runs over 1,000 places of the axis, whichever it is.
  const place = (time) =>
    1000 * (app.get("log_time") ? Math.log(Math.max(time, SHORT) / SHORT) / Math.log(horizon / SHORT) : time / horizon);
  const timeAt = (at) =>
    app.get("log_time") ? SHORT * (horizon / SHORT) ** (at / 1000) : (at / 1000) * horizon;
  const timeSlider = app.slider("time", {
    label: "time t / τ₁", min: 0, max: 1000, step: 1, show: (t) => t.toFixed(2), to: timeAt, from: place,
  });
  app.on("log_time", () => (timeSlider.input.value = place(app.get("time"))));
  app.body.append(
    h("div", { class: "controls" },
      app.select("kind", { label: "matrix", options: kinds }),
      app.slider("log_scale", { label: "size of the start", min: -12, max: 0, step: 0.1, show: startText }),
      app.slider("dim", { label: "dimension d", min: 1, max: total, step: 1 })),
    h("div", { class: "controls" },
      app.player("time", { from: low, to: () => horizon, seconds: 16, next }), timeSlider,
      app.checkbox("log_time", { label: "logarithmic" }),
      app.slider("mode", { label: "mode k", min: 1, max: total, step: 1 })),
    top.box, h("div", { class: "beside" }, rank.box, loss.box), said,
  );

  /** The mode under the pointer is shown while the pointer is there; a tap or click keeps it. */
  let hovered = 0;
  top.onPointer((x, y, event) => {
    const k = nearest(x, y);
    if (event.type === "pointerdown") app.set("mode", k);
    hovered = event.pointerType === "mouse" ? k : 0;
    app.redraw();
  });
  top.box.addEventListener("pointerleave", () => {
    hovered = 0;
    app.redraw();
  });

  /** Along the axis the mode with the nearest learning time; above it the nearest curve. */
  function nearest(x, y) {
    const values = spectrum(), s0 = start(), tau = unit(), t = top.xAt(x) * tau;
    const away = (k) =>
      y > top.inner.bottom - 14 ? Math.abs(x - top.x(learningTime(values[k], s0) / tau))
        : Math.abs(y - top.y(Math.sqrt(square(values[k], s0, t))));
    let best = 0;
    for (let k = 1; k < app.get("dim"); k++) if (away(k) < away(best)) best = k;
    return best + 1;
  }

  function drawCurves(values, frobenius, d, s0, tau, log) {
    const x = [low(), horizon];
    top.range({ x, y: [0, 1.04 * Math.max(s0, Math.sqrt(values[0]))], log });
    if (!top.changed(app.get("kind"), d, s0)) return;
    const times = spaced(...x, 161, log);
    const c = top.begin();
    for (let k = d; k >= 1; k--) {
      const lambda = values[k - 1], strong = k <= 8;
      const s = times.map((t) => Math.sqrt(square(lambda, s0, t * tau)));
      top.line(times, s, { color: app.modeColor(k), width: strong ? 2 : 0.6 });
      const at = top.x(learningTime(lambda, s0) / tau);
      c.fillStyle = app.modeColor(k);
      c.fillRect(at - (strong ? 1 : 0.3), top.inner.bottom - (strong ? 10 : 6), strong ? 2 : 0.6, strong ? 10 : 6);
    }
    top.end();
    top.layer.replaceChildren(cursor(top), s("g"));
    const at = times.map((t) => moment(values, frobenius, d, s0, t * tau));
    const first = moment(values, frobenius, d, s0, 0).loss;
    const lowest = moment(values, frobenius, d, s0, Infinity).loss / first;
    loss.range({ x, y: [1 - 1.08 * (1 - lowest), 1], log });
    rank.range({ x, y: [0, Math.max(1.04 * d, 2)], log });
    loss.begin();
    loss.line(times, at.map((m) => m.loss / first), { color: app.color("ink") });
    loss.end();
    loss.layer.replaceChildren(cursor(loss));
    rank.begin();
    rank.line(times, at.map((m) => m.learned), { color: app.color("ink") });
    rank.line(times, at.map((m) => m.effectiveRank), { color: app.color("m2"), dash: [6, 4] });
    rank.end();
    rank.layer.replaceChildren(
      cursor(rank), ...app.key(rank.inner.left + 8, 16, "ink", "", "learned"),
      ...app.key(rank.inner.left + 8, 32, "m2", "6 4", "effective rank"));
  }

  /** One curve brought out, with its learning time and its two words. */
  function bringOut(values, k, s0, tau, log) {
    const times = spaced(low(), horizon, 161, log), at = learningTime(values[k - 1], s0) / tau;
    const path = times.map((t) => `${top.x(t).toFixed(1)},${top.y(Math.sqrt(square(values[k - 1], s0, t * tau))).toFixed(1)}`);
    const [up, down] = words[app.get("kind")][k - 1];
    const { left, right, top: high, bottom } = top.inner, x = Math.min(Math.max(top.x(Math.max(at, low() || 1e-9)), left), right);
    const text = `mode ${k}: ${up[0]} / ${down[0]}`, wide = app.width(text, 12);
    const inside = x + wide + 8 < right;
    return [
      s("path", { d: `M${path.join("L")}`, fill: "none", class: "chosen" }),
      s("path", { d: `M${x},${bottom}V${high - 5}`, class: "chosen thin" }),
      s("text", { x: inside ? x + 5 : Math.max(x - 5, left + wide), y: high - 8, "text-anchor": inside ? "start" : "end" }, text),
    ];
  }

  return () => {
    const kind = app.get("kind"), values = spectrum(), [frobenius] = app.data[`${kind}_frobenius`];
    const d = app.get("dim"), s0 = start(), tau = unit(), time = app.get("time"), log = app.get("log_time");
    const k = Math.min(hovered || app.get("mode"), d);
    drawCurves(values, frobenius, d, s0, tau, log);
    for (const plot of [top, rank, loss]) {
      moveCursor(plot, Math.max(time, low()));
      plot.pale(Math.max(time, low()));
    }
    top.layer.lastChild.replaceChildren(...bringOut(values, k, s0, tau, log));
    const now = moment(values, frobenius, d, s0, time * tau), lambda = values[k - 1];
    const share = now.loss / moment(values, frobenius, d, s0, 0).loss;
    const [up, down] = words[kind][k - 1];
    said.say(
      `From ${startText(app.get("log_scale"))}, at t = ${time.toFixed(2)} τ₁: ${now.learned} of ${modes(d)} learned, effective rank ${now.effectiveRank.toFixed(1)}, ` +
      `loss ${percent(share)} of its start.\nMode ${k}: λ = ${show(lambda, 4)}, τ = ${(learningTime(lambda, s0) / tau).toFixed(2)} τ₁, ` +
      `s = ${Math.sqrt(square(lambda, s0, time * tau)).toFixed(2)}.\n` +
      `One end: ${up.join(", ")}. The other: ${down.join(", ")}.`);
  };
}

const render = (context) =>
  explorer(context, context.model.get("_texts").kinds ? buildModes : buildHistory);

export { halfTime, learningTime, moment, square };
export default { render };
