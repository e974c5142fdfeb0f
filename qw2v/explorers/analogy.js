// The analogy explorer: a : b :: c : ? by cosines, for embeddings s_k(t) v_k cut after d modes.
// Rows may have any length, since a cosine divides by it. All sums run in double precision.

/** s_k(t)^2 of Lemma 3.1 for the eigenvalues of the first `dim` modes, t in units of tau_1. */
function weights(eigenvalues, start, time, dim) {
  const tau = Math.log(eigenvalues[0] / start ** 2) / eigenvalues[0];
  return Float64Array.from(eigenvalues.subarray(0, dim), (lambda) => {
    const decay = Math.exp(-lambda * time * tau);
    return 1 / (decay / start ** 2 + (1 - decay) / lambda);
  });
}

/**
 * Words by their entries, one mode after another, and the squares of the entries. What follows takes
 * such a space: of all words, or of a few.
 */
const spaceOf = (entries, size) => ({ entries, size, squared: entries.map((e) => e * e) });

function decode({ modes, step }) {
  const size = modes.shape[1], entries = new Float32Array(modes.length);
  for (let at = 0; at < modes.length; at++) entries[at] = modes[at] * step[Math.floor(at / size)];
  return spaceOf(entries, size);
}

/** The same words as if there were no others. */
function only({ entries, size }, rows) {
  const some = new Float32Array((entries.length / size) * rows.length);
  for (let at = 0; at < some.length; at++) {
    const k = Math.floor(at / rows.length);
    some[at] = entries[k * size + rows[at - k * rows.length]];
  }
  return spaceOf(some, rows.length);
}

/** The sums over modes of factor * entry, for every word; four modes at a time, twice as fast as one. */
function combine(entries, size, factors) {
  const sum = new Float64Array(size), whole = factors.length - (factors.length % 4);
  for (let k = 0; k < whole; k += 4) {
    const [w, x, y, z] = factors.subarray(k, k + 4);
    const at = k * size, next = at + size, third = next + size, last = third + size;
    for (let i = 0; i < size; i++) {
      sum[i] += w * entries[at + i] + x * entries[next + i] + y * entries[third + i] + z * entries[last + i];
    }
  }
  for (let k = whole; k < factors.length; k++) {
    for (let i = 0, at = k * size; i < size; i++) sum[i] += factors[k] * entries[at + i];
  }
  return sum;
}

/** One over a length: a word without length, which eight bits may give for few modes, stays zero. */
const inverse = (square) => (square > 0 ? 1 / Math.sqrt(square) : 0);

/** Squared lengths of all words under the weights. */
const squares = ({ squared, size }, weight) => combine(squared, size, weight);

/** The query b - a + c, each of length one, over the modes: weighted, and of length one itself. */
function query({ entries, size }, [a, b, c], weight, square) {
  const unit = [a, b, c].map((row) => inverse(square[row]));
  const q = Float64Array.from(weight, (_, k) => {
    const at = k * size;
    return entries[at + b] * unit[1] - entries[at + a] * unit[0] + entries[at + c] * unit[2];
  });
  const length = Math.sqrt(q.reduce((sum, x, k) => sum + weight[k] * x * x, 0));
  return q.map((x, k) => (weight[k] * x) / length);
}

/** Cosines of all words with the query. */
function cosines(space, asked, weight, square = squares(space, weight)) {
  const sum = combine(space.entries, space.size, query(space, asked, weight, square));
  return sum.map((score, i) => score * inverse(square[i]));
}

/** Rows of the n largest scores, largest first, without those in `out`. */
function best(scores, n, out) {
  const found = [];
  for (let i = 0; i < scores.length; i++) {
    if (found.length === n && !(scores[i] > scores[found[n - 1]])) continue;
    if (out.includes(i)) continue;
    let place = found.length;
    while (place > 0 && scores[i] > scores[found[place - 1]]) place--;
    found.splice(place, 0, i);
    found.length = Math.min(found.length, n);
  }
  return found;
}

/**
 * For d = 1, 2, ... the leading row among all words and the cosines of `rows`. One pass over the
 * modes, since the sums at d are those at d - 1 and one term; where to pause is the caller's choice.
 */
function* growing({ entries, squared, size }, [a, b, c], weight, rows) {
  const sumA = new Float64Array(size), sumB = new Float64Array(size), sumC = new Float64Array(size);
  const square = new Float64Array(size);
  for (let k = 0; k < weight.length; k++) {
    const at = k * size, w = weight[k], ea = w * entries[at + a], eb = w * entries[at + b], ec = w * entries[at + c];
    for (let i = 0; i < size; i++) {
      const e = entries[at + i];
      sumA[i] += ea * e;
      sumB[i] += eb * e;
      sumC[i] += ec * e;
      square[i] += w * squared[at + i];
    }
    const [ia, ib, ic] = [a, b, c].map((row) => inverse(square[row]));
    const ones = (ia > 0) + (ib > 0) + (ic > 0);
    const length = Math.sqrt(ones - 2 * sumA[b] * ia * ib + 2 * sumB[c] * ib * ic - 2 * sumA[c] * ia * ic);
    let lead = -1, most = -Infinity;
    for (let i = 0; i < size; i++) {
      const score = sumB[i] * ib - sumA[i] * ia + sumC[i] * ic;
      const value = (score * Math.abs(score)) / square[i]; // in the order of the cosines, with no root
      if (value > most && i !== a && i !== b && i !== c) [lead, most] = [i, value];
    }
    const cosine = (i) => ((sumB[i] * ib - sumA[i] * ia + sumC[i] * ic) * inverse(square[i])) / length;
    yield { lead, scores: rows.map(cosine) };
  }
}

/** The same for one list of weights after another. */
function* passing(space, asked, lists, rows) {
  for (const weight of lists) {
    const scores = cosines(space, asked, weight);
    yield { lead: best(scores, 1, asked)[0], scores: rows.map((row) => scores[row]) };
  }
}

/** The pairs (category, a, b) say what c is to: the answer's row, or -1 where they are silent. */
function listed(pairs, [a, b, c]) {
  const of = (row, first) => pairs[3 * row + 1] === first;
  const rows = Array.from({ length: pairs.length / 3 }, (_, row) => row);
  const like = new Set(rows.filter((row) => of(row, a) && pairs[3 * row + 2] === b).map((row) => pairs[3 * row]));
  const answers = rows.filter((row) => like.has(pairs[3 * row]) && of(row, c)).map((row) => pairs[3 * row + 2]);
  return answers.find((answer) => ![a, b, c].includes(answer)) ?? -1;
}

/** Stretches of equal leaders: [row, first index, last index]. */
function stretches(leads) {
  const found = [];
  leads.forEach((row, i) => {
    if (found.length && found.at(-1)[0] === row) found.at(-1)[2] = i;
    else found.push([row, i, i]);
  });
  return found;
}

const LINES = 6, ANSWERS = 8, MOMENTS = 60, BUDGET = 4; // milliseconds a frame for what may come later
const DASHES = [[], [7, 3], [2, 3], [9, 3, 2, 3], [4, 2], [1, 4]];
const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth"];

function render(context) {
  return explorer(context, (app) => {
    const { eigenvalues, pairs, modes, words: letters } = app.data;
    const { start, times: [early, late], examples } = app.texts;
    const words = new TextDecoder().decode(letters).split("\n");
    const rowOf = new Map(words.map((word, row) => [word, row]));
    const space = decode(app.data), dims = modes.shape[0];
    const at = (time, dim) => weights(eigenvalues, start, time, dim);
    const moments = Array.from({ length: MOMENTS }, (_, i) => early * (late / early) ** (i / (MOMENTS - 1)));
    const axis = {
      dim: { x: [0, dims], values: Array.from({ length: dims - 1 }, (_, i) => i + 2), name: (d) => `d = ${d}` },
      time: { x: [early, late], values: moments, name: (t) => `t = ${show(t)} τ₁` },
    };

    // ---- layout ----
    const field = (name, label) => app.word(name, { label, words, index: rowOf });
    const menu = h("select", { id: freshId() }, h("option", { value: "", disabled: true, hidden: true }, "your own"),
      ...examples.map(([a, b, c], i) => h("option", { value: i }, `${a} : ${b} :: ${c} : ?`)));
    menu.addEventListener("change", () => {
      if (menu.value) examples[menu.value].forEach((word, i) => app.set("abc"[i], word));
    });
    const rows = Array.from({ length: ANSWERS }, () => {
      const [word, cosine, bar] = [h("th", { scope: "row" }), h("td"), h("i")];
      return { word, cosine, bar, row: h("tr", {}, word, cosine, h("td", { class: "bar", "aria-hidden": "true" }, bar)) };
    });
    const caption = h("caption");
    const table = h("table", { class: "answers" }, caption, h("tbody", {}, ...rows.map(({ row }) => row)));
    const plot = app.plot({
      label: "Cosines of the leading answers, and who leads", height: 300, margin: { top: 34, right: 92 },
      xLabel: "dimension d", yLabel: "cosine to the query",
    });
    const said = app.readout();
    app.body.append(
      h("div", { class: "controls words" }, field("a", "word a"), field("b", "is to b"), field("c", "as c is to …"),
        h("div", { class: "field narrow" }, h("label", { for: menu.id, class: "name" }, "example"), menu)),
      h("div", { class: "controls" },
        app.slider("dim", { label: "dimension d", min: 2, max: dims, step: 1 }),
        app.slider("time", {
          label: "training time t / τ₁", min: 0, max: 400, step: 1, show: (t) => show(t),
          to: (p) => Number((early * (late / early) ** (p / 400)).toPrecision(3)),
          from: (t) => Math.round((400 * Math.log(t / early)) / Math.log(late / early)),
        }),
        app.select("against", { label: "chart against", options: [["dim", "dimension"], ["time", "time"]] })),
      h("div", { class: "beside wide" }, plot.box, table),
      said,
    );

    // ---- numbers, kept until their question changes ----
    const kept = {};
    const keep = (name, key, compute) => {
      const text = key.join();
      if (kept[name]?.text !== text) kept[name] = { text, value: compute() };
      return kept[name].value;
    };

    /** What depends on the words alone: the answer to expect, and whom to draw. */
    function ask(asked) {
      const full = at(late, dims), answer = listed(pairs, asked);
      const final = best(cosines(space, asked, full), LINES, asked);
      const expected = answer < 0 ? final[0] : answer;
      return { answer, expected, drawn: [...new Set([expected, ...final])].slice(0, LINES) };
    }

    /** The curves of the drawn words, at once, and the leaders among all words, as they come. */
    function run(asked, { drawn }, against, time, dim) {
      const few = only(space, [...asked, ...drawn]), rows = drawn.map((_, slot) => slot + 3);
      // Modes that have yet to rise add nothing to a sum: leaving them out saves half of the work.
      const awake = (w, _, all) => w > 1e-14 * all[0];
      const lists = against === "time" && moments.map((moment) => at(moment, dim).filter(awake));
      const start = (words, asked, rows) => {
        if (lists) return passing(words, asked, lists, rows);
        const steps = growing(words, asked, at(time, dims), rows);
        steps.next(); // with one mode all cosines are 1 or -1
        return steps;
      };
      const curves = [...start(few, [0, 1, 2], rows)].map(({ scores }) => scores);
      return { curves, leads: [], steps: start(space, asked, []) };
    }

    /** Go on with the leaders for a few milliseconds; the rest in the frames to come. */
    function goOn({ leads, steps }) {
      const end = performance.now() + BUDGET;
      for (let step; performance.now() < end && !(step = steps.next()).done; ) leads.push(step.value.lead);
    }

    // ---- drawing ----
    const label = (x, y, text, slot, anchor) => s("text", {
      x, y, "text-anchor": anchor, class: "halo", style: `fill:var(--${slot < 0 ? "muted" : `m${slot + 1}`})`,
    }, text);

    function drawChart({ drawn }, { leads, curves }, against, value) {
      const { x, values } = axis[against], log = against === "time";
      const least = Math.min(...curves.slice(values.length / 10).flat());
      plot.xLabel = log ? "training time t / τ₁" : "dimension d";
      plot.range({ x, y: [Math.floor(10 * least) / 10, 1], log, xTicks: log ? [1, 2, 5, 10, 20] : undefined });
      plot.begin();
      const { left, right, top, bottom } = plot.inner;
      drawn.forEach((row, slot) => {
        plot.line(values, curves.map((scores) => scores[slot]), {
          color: app.color(`m${slot + 1}`), dash: DASHES[slot], width: slot ? 1.5 : 3,
        });
      });
      plot.end();
      const parts = [];
      const edge = (i) => {
        if (i <= 0) return left;
        if (i >= values.length) return right;
        return (plot.x(values[i - 1]) + plot.x(values[i])) / 2;
      };
      for (const [row, first, last] of stretches(leads)) {
        const slot = drawn.indexOf(row), from = edge(first), wide = edge(last + 1) - from;
        parts.push(s("rect", { x: from, y: top - 14, width: wide, height: 7, style: `fill:var(--${slot < 0 ? "line" : `m${slot + 1}`})` }));
        if (wide > 7 * words[row].length + 6) parts.push(label(from + wide / 2, top - 18, words[row], slot, "middle"));
      }
      parts.push(label(left - 7, top - 7, "leads", -1, "end"));
      const heights = drawn.map((_, slot) => Math.min(bottom, plot.y(curves.at(-1)[slot])));
      const places = apart(heights, 14), rise = Math.max(0, Math.max(...places) - bottom);
      drawn.forEach((row, slot) => parts.push(label(right + 6, places[slot] - rise + 4, words[row], slot, "start")));
      const cursor = plot.x(value);
      parts.push(s("path", { d: `M${cursor},${top - 6}V${bottom}`, class: "cursor" }));
      plot.layer.replaceChildren(...parts);
    }

    const here = () => `${axis.dim.name(app.get("dim"))}, ${axis.time.name(app.get("time"))}`;

    function drawTable(found, scores, { drawn, expected }) {
      rows.forEach(({ word, cosine, bar, row }, i) => {
        const slot = drawn.indexOf(found[i]);
        word.textContent = words[found[i]];
        cosine.textContent = scores[found[i]].toFixed(3).replace("-", "−");
        bar.style.cssText = `width:${Math.max(0, 100 * scores[found[i]])}%;background:var(--${slot < 0 ? "line" : `m${slot + 1}`})`;
        row.className = found[i] === expected ? "expected" : "";
      });
      caption.textContent = `At ${here()}`;
    }

    /** Since when the expected answer leads, in words; nothing while that is still being found out. */
    function lead({ expected }, { leads }, against) {
      const { values, name } = axis[against], last = values.length - 1, word = words[expected];
      if (leads.length <= last) return "";
      const over = `Against ${against === "dim" ? "the dimension" : "time"}, ${word}`;
      const spans = stretches(leads).filter(([row]) => row === expected);
      if (!spans.length) return `${over} never leads.`;
      const [[, first], [, from, to]] = [spans[0], spans.at(-1)].map((span) => span.map((i, at) => (at ? name(values[i]) : i)));
      const earlier = spans.length > 1 ? ` first leads at ${first}, and` : "";
      return `${over}${earlier} leads ${spans.at(-1)[2] === last ? `for good from ${from} on` : `for the last time from ${from} to ${to}`}.`;
    }

    return () => {
      const [a, b, c, dim, time, against] = ["a", "b", "c", "dim", "time", "against"].map(app.get);
      const asked = [a, b, c].map((word) => rowOf.get(word));
      const question = keep("ask", asked, () => ask(asked));
      const chart = keep("run", [...asked, against, against === "dim" ? time : dim], () =>
        run(asked, question, against, time, dim));
      goOn(chart);
      if (chart.leads.length < axis[against].values.length) app.redraw();
      const weight = at(time, dim);
      const square = keep("squares", [dim, time], () => squares(space, weight));
      const scores = cosines(space, asked, weight, square);
      const found = best(scores, ANSWERS, asked);
      const example = examples.findIndex((words) => words.join() === [a, b, c].join());
      menu.value = example < 0 ? "" : example;
      drawChart(question, chart, against, against === "dim" ? dim : time);
      drawTable(found, scores, question);
      const { answer, expected } = question, place = found.indexOf(expected);
      said.say([
        `${a} is to ${b} as ${c} is to ${words[found[0]]}, ${scores[found[0]].toFixed(3)},`,
        `ahead of ${words[found[1]]}, ${scores[found[1]].toFixed(3)}, at ${here()}.`,
        place === 0 ? "" : `${words[expected]}, ${answer < 0 ? "the answer at the end" : "the answer of Google’s list"}, is ${ORDINALS[place] ?? "further down"}.`,
        lead(question, chart, against),
      ].filter(Boolean).join(" "));
    };
  });
}

export { best, cosines, decode, growing, listed, only, passing, query, squares, stretches, weights };
export default { render };
