// The step-size explorer: four modes under steps of any size, the flow, the corrected flow, and where
// one mode's steps go in the long run, as in qw2v.steps. Lengths are in √λ₁, times in 1/λ₁.

/** Sizes s at steps 0, 1, .., count of a mode with eigenvalue `value`, steps of size a = η λ₁. */
function walked(value, start, a, count) {
  const sizes = [start];
  for (let i = 0; i < count; i++) sizes.push(sizes[i] * (1 + (a / 2) * (value - sizes[i] ** 2)));
  return sizes;
}

/** Lemma 3.1. */
const sigmoid = (value, start, t) =>
  Math.sqrt(value / (1 + (value / start ** 2 - 1) * Math.exp(-value * t)));

/** Time at which steps bring a mode to s² = share λ, for a λ below one: steps.step_times. */
function stepTime(value, start, a, share) {
  const own = a * value, growth = Math.log1p(own / 2), kappa = growth / -Math.log1p(-own);
  const g = (y) => Math.log(y) / 2 - kappa * Math.log1p(-y) + (5 / 32) * own ** 2 * y;
  return ((g(share) - g(start ** 2 / value)) * a) / growth;
}

/** Values of |s| / √λ that the steps of one mode visit for ever; none where they diverge. */
function visited(own, keep, skip = 2000) {
  let u = 0.5;
  const found = [];
  for (let i = 0; i < skip + keep; i++) {
    u *= 1 + (own / 2) * (1 - u * u);
    if (!(Math.abs(u) < 1e6)) return [];
    if (i >= skip) found.push(Math.abs(u));
  }
  return found;
}

/** How many values take turns: 0 where the steps diverge, Infinity where no short period is found. */
function period(own) {
  const found = visited(own, 64, 20000);
  if (!found.length) return 0;
  for (const p of [1, 2, 3, 4, 5, 6, 8, 10, 12, 16]) {
    if (found.every((u, i) => i < p || Math.abs(u - found[i - p]) < 1e-5)) return p;
  }
  return Infinity;
}

/** What becomes of a mode. */
function inWords(own) {
  const p = period(own);
  if (p === 0) return "diverges";
  if (p === Infinity) return "never repeats itself";
  if (p > 1) {
    const turns = visited(own, p, 20000).sort((x, y) => x - y).map((u) => u.toFixed(3));
    return `goes round ${p} values, ${turns.slice(0, -1).join(", ")} and ${turns.at(-1)} of √λ`;
  }
  return own < 1 ? "converges without overshooting" : "overshoots and converges";
}

const END = 30; // of the time axis

function render(context) {
  return explorer(context, (app) => {
    const values = [...app.data.ratios], [start] = app.data.start;
    const course = app.plot({
      label: "Sizes of four modes over time: steps as dots, the flow dashed, the corrected flow as a line",
      xLabel: "time, learning rate × steps, in 1/λ₁", yLabel: "s / √λ₁", height: 260,
    });
    course.range({ x: [0, END], y: [0, 1.6], yTicks: [0, 0.5, 1, 1.5] });
    const fate = app.plot({
      label: "Where the steps of one mode go in the long run, against the size of the step, with the four modes marked",
      xLabel: "step size of the mode, η λ", yLabel: "s / √λ in the long run", height: 240, margin: { right: 16 },
    });
    fate.range({ x: [0, 4.2], y: [0, 1.6], xTicks: [0, 1, 2, 3, 4], yTicks: [0, 0.5, 1, 1.5] });
    const said = app.readout();
    const number = (x) => x.toFixed(2);
    app.body.append(
      h("div", { class: "controls" },
        app.slider("step", { label: "step size η λ₁", min: 0.05, max: 4.2, step: 0.01, show: number })),
      course.box, fate.box, said,
      h("p", { class: "note" }, "An aligned start of 0.01 √λ₁, on the full loss. No direction with a negative eigenvalue is in the way."),
    );

    function drawFate() {
      const c = fate.begin(), { left, right } = fate.inner;
      c.fillStyle = app.color("ink");
      for (let pixel = left; pixel <= right; pixel += 0.5) {
        const found = visited(fate.xAt(pixel), 120, 600);
        const settled = found.length && Math.abs(found[0] - found[1]) + Math.abs(found[1] - found[2]) < 1e-3;
        c.globalAlpha = settled ? 1 : 0.16;
        for (const u of settled ? found.slice(0, 1) : found) c.fillRect(pixel, fate.y(u) - 0.6, 0.7, 1.2);
      }
      c.globalAlpha = 1;
      fate.end();
    }

    function drawCourse(a) {
      const c = course.begin();
      const times = Array.from({ length: 241 }, (_, i) => (i * END) / 240);
      const counts = Array.from({ length: Math.floor(END / a) + 1 }, (_, i) => a * i);
      values.forEach((value, k) => {
        const color = app.modeColor(k + 1);
        course.line(times, times.map((t) => sigmoid(value, start, t)), { color: app.color("line"), width: 1.5, dash: [6, 4] });
        if (a * value < 1) {
          const first = start ** 2 / value, shares = times.map((_, i) => 1 / (1 + (1 / first - 1) * Math.exp(-i / 8)));
          course.line(shares.map((y) => stepTime(value, start, a, Math.min(y, 1 - 1e-12))), shares.map((y) => Math.sqrt(y * value)), { color, width: 1.5 });
        }
        c.fillStyle = color;
        walked(value, start, a, counts.length - 1).forEach((size, i) => {
          c.beginPath();
          c.arc(course.x(counts[i]), course.y(Math.min(Math.abs(size), 9)), a < 0.2 ? 1.6 : 2.6, 0, 7);
          c.fill();
        });
      });
      course.end();
      const { left, right, top, bottom } = course.inner;
      const corrected = a * values.at(-1) < 1 ? app.key(right - 118, bottom - 22, "m1", "", "corrected") : [];
      course.layer.replaceChildren(
        s("path", { d: `M${left + 10},${top + 8}v8m0,-4H${left + 10 + course.x(a) - course.x(0)}m0,-4v8`, fill: "none", style: "stroke:var(--ink)" }),
        s("text", { x: left + 16 + course.x(a) - course.x(0), y: top + 16, class: "halo" }, "one step"),
        ...app.key(right - 118, bottom - 42, "line", "6 4", "flow"), ...corrected);
    }

    return () => {
      const a = app.get("step");
      if (fate.changed()) drawFate();
      if (course.changed(a)) drawCourse(a);
      fate.layer.replaceChildren(...values.map((value, k) => {
        const x = fate.x(a * value), color = `stroke:var(--m${k + 1})`;
        return s("path", { d: `M${x},${fate.inner.top}V${fate.inner.bottom}`, style: `${color};stroke-width:2` });
      }));
      const half = a < 1
        ? ` It is half learned at t = ${stepTime(1, start, a, 0.5).toFixed(2)}, the flow at ${Math.log(1 / start ** 2 - 1).toFixed(2)}.`
        : "";
      const others = values.slice(1).map((value, k) => `mode ${k + 2} (${number(a * value)}) ${inWords(a * value)}`);
      said.say(`η λ₁ = ${number(a)}: mode 1 ${inWords(a)}.${half} Of the others, ${others.join("; ")}.`);
    };
  });
}

export { period, sigmoid, stepTime, visited, walked };
export default { render };
