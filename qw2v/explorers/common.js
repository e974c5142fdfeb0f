// What all explorers share: data, controls bound to traits, plots, a read-out that is spoken.
// Each explorer's own module follows below this text and ends in `export default { render }`.

// ---- data ------------------------------------------------------------------------------------

const KINDS = {
  Int8: Int8Array, Uint8: Uint8Array, Int16: Int16Array, Uint16: Uint16Array,
  Int32: Int32Array, Uint32: Uint32Array, Float32: Float32Array, Float64: Float64Array,
};

/** Typed arrays by name, from the deflated bytes and the layout that base.pack made. */
async function unpack(model) {
  const inflated = new Blob([model.get("_blob")]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(inflated).arrayBuffer();
  const arrays = {};
  for (const [name, [kind, offset, shape]] of Object.entries(model.get("_layout"))) {
    arrays[name] = new KINDS[kind](bytes, offset, shape.reduce((a, b) => a * b, 1));
    arrays[name].shape = shape;
  }
  return arrays;
}

// ---- elements --------------------------------------------------------------------------------

const SVG = "http://www.w3.org/2000/svg";

function fill(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}
const h = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);
const s = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS(SVG, tag), attributes, children);

/** A number with `digits` significant digits, and a true minus sign. */
const show = (x, digits = 3) =>
  (Number.isFinite(x) ? String(Number(x.toPrecision(digits))) : "∞").replace("-", "−");

/** Ten to an integer power, in superscript. */
const power = (n) => "10" + [...String(n)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("");

/** A small number as a product with a power of ten. */
function scientific(x, digits) {
  if (x === 0) return "0";
  const [mantissa, exponent] = x.toExponential(digits - 1).split("e");
  return `${mantissa} × ${power(Number(exponent))}`;
}

const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// ---- the explorer ------------------------------------------------------------------------------

/** An id that no other explorer on the page has: each has its own copy of this module. */
const freshId = () => `qw2v-${(globalThis.qw2vIds = (globalThis.qw2vIds ?? 0) + 1)}`;

/**
 * One explorer in `el`: `build(app)` lays it out once and returns `draw()`, which is called in the
 * next frame whenever a trait, the width or the page's colours change.
 */
async function explorer({ model, el }, build) {
  const app = new App(model, el, await unpack(model));
  app.drawing = build(app);
  app.paint();
  return () => app.dispose();
}

class App {
  constructor(model, el, data) {
    this.model = model;
    this.data = data;
    this.texts = model.get("_texts");
    // In a kernel `el` is a bare box; on a page the explorer's root stands around it.
    this.root = el.closest(".qw2v-explorer") ?? el;
    this.root.classList.add("qw2v-explorer");
    if (this.root === el) {
      el.dataset.live = "kernel";
      // A notebook takes arrow keys and letters for itself: here they belong to the controls.
      el.addEventListener("keydown", (event) => event.stopPropagation());
    }
    this.body = h("div");
    this.spoken = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
    this.plots = [];
    this.ends = [];
    this.resized = true;
    this.styles = new Map();
    el.replaceChildren(this.body, this.spoken);
    this.watch(el);
  }

  get = (name) => this.model.get(name);

  /** Set a trait here, and in the kernel at most ten times a second. */
  set(name, value) {
    this.model.set(name, value);
    if (this.saving) return;
    this.saving = setTimeout(() => {
      this.saving = 0;
      this.model.save_changes();
    }, 100);
  }

  on(name, call) {
    const event = `change:${name}`;
    this.model.on(event, call);
    this.ends.push(() => this.model.off(event, call));
  }

  dispose() {
    clearTimeout(this.saving);
    clearTimeout(this.speaking);
    cancelAnimationFrame(this.asked);
    for (const end of this.ends) end();
    this.gone = true;
  }

  /** Redraw on a new width and on a new theme. */
  watch(el) {
    const sizes = new ResizeObserver(() => {
      this.resized = true;
      this.redraw();
    });
    sizes.observe(el);
    const themes = new MutationObserver(() => {
      this.styles.clear();
      this.redraw();
    });
    const named = { attributeFilter: ["data-theme", "theme", "data-jp-theme-light", "class"] };
    for (const node of [document.documentElement, document.body]) themes.observe(node, named);
    this.ends.push(() => sizes.disconnect(), () => themes.disconnect());
  }

  /** Ask for one drawing in the next frame, however many inputs arrive before it. */
  redraw = () => {
    if (!this.asked && !this.gone) this.asked = requestAnimationFrame(() => this.paint());
  };

  paint() {
    this.asked = 0;
    if (this.resized) for (const plot of this.plots) plot.measure();
    this.resized = false;
    this.drawing();
  }

  /** A colour of the stylesheet by its name, as it is on this page in this theme. */
  color(name) {
    if (!this.styles.has(name)) {
      this.styles.set(name, getComputedStyle(this.root).getPropertyValue(`--${name}`).trim());
    }
    return this.styles.get(name);
  }

  /** The font of the page for a canvas, and the width of a text in it: both in pixels. */
  font(size) {
    if (!this.styles.has("font")) this.styles.set("font", getComputedStyle(this.root).fontFamily);
    return `${size}px ${this.styles.get("font")}`;
  }
  width(text, size) {
    const c = (this.ruler ??= h("canvas").getContext("2d"));
    c.font = this.font(size);
    return c.measureText(text).width;
  }

  /** The colour of mode k, counted from 1, as in the book's figures. */
  modeColor = (k) => (k <= 8 ? this.color(`m${k}`) : this.color("line"));

  // ---- controls: each is bound to a trait both ways ----

  /** A range input. `show(value)` is what stands beside it and is spoken; `to`, `from` bend it. */
  slider(name, { label, min, max, step, show: text = String, to = (x) => x, from = (x) => x }) {
    const id = freshId();
    const input = h("input", { type: "range", id, min, max, step });
    const output = h("output", { for: id });
    const update = () => {
      const value = this.get(name);
      if (to(Number(input.value)) !== value || !output.textContent) input.value = from(value);
      output.textContent = text(value);
      input.setAttribute("aria-valuetext", text(value));
    };
    input.addEventListener("input", () => this.set(name, to(Number(input.value))));
    const top = h("div", { class: "name" }, h("label", { for: id }, label), output);
    const field = h("div", { class: "field" }, top, input);
    return this.bound(name, field, update, { input, output });
  }

  /** A menu of [value, text] pairs. */
  select(name, { label, options }) {
    const id = freshId();
    const items = options.map(([value, text]) => h("option", { value }, text));
    const input = h("select", { id }, ...items);
    input.addEventListener("change", () => {
      const [value] = options.find(([option]) => String(option) === input.value);
      this.set(name, value);
    });
    const field = h("div", { class: "field narrow" }, h("label", { for: id, class: "name" }, label), input);
    return this.bound(name, field, () => (input.value = String(this.get(name))), { input });
  }

  checkbox(name, { label }) {
    const input = h("input", { type: "checkbox" });
    input.addEventListener("change", () => this.set(name, input.checked));
    const field = h("label", { class: "field check" }, input, label);
    return this.bound(name, field, () => (input.checked = this.get(name)), { input });
  }

  /** A word out of `words`, with completion; another word is refused, and the reason shown. */
  word(name, { label, words, index = new Set(words) }) {
    const id = freshId();
    const list = h("datalist", { id: `${id}-list` });
    const input = h("input", {
      id, list: list.id, autocomplete: "off", autocapitalize: "none", spellcheck: "false",
      "aria-describedby": `${id}-problem`,
    });
    const problem = h("span", { id: `${id}-problem`, class: "problem", role: "alert" });
    const take = (final) => {
      const word = input.value.trim().toLowerCase();
      const known = index.has(word);
      if (known) this.set(name, word);
      problem.textContent = known || !final ? "" : `“${word}” is not among the ${words.length} words`;
      input.setAttribute("aria-invalid", String(!known && final));
    };
    // Only the first words that begin as typed: thousands of options would weigh on the page.
    const offer = () => {
      const begin = input.value.trim().toLowerCase(), found = [];
      for (let i = 0; i < words.length && found.length < 20; i++) {
        if (words[i].startsWith(begin)) found.push(words[i]);
      }
      list.replaceChildren(...found.map((value) => h("option", { value })));
    };
    input.addEventListener("focus", offer);
    input.addEventListener("input", () => (offer(), take(false)));
    input.addEventListener("change", () => take(true));
    const update = () => {
      if (input.value.trim().toLowerCase() !== this.get(name)) input.value = this.get(name);
    };
    const field = h("div", { class: "field" }, h("label", { for: id, class: "name" }, label), input, problem, list);
    return this.bound(name, field, update, { input });
  }

  button(label, press) {
    const button = h("button", { type: "button" }, label);
    button.addEventListener("click", press);
    return button;
  }

  /**
   * A button that lets trait `name` run from `from` to `to` in `seconds`, and halts it. Where the
   * reader asks for little motion it steps instead, to `next(value)` at each press.
   */
  player(name, { from, to, seconds, next, label = "Play" }) {
    let running = 0, before = 0;
    const halt = () => {
      cancelAnimationFrame(running);
      running = 0;
      button.textContent = still() ? "Next step" : label;
    };
    const advance = (now) => {
      const passed = Math.min(0.1, (now - before) / 1000);
      before = now;
      const value = this.get(name) + (passed * (to() - from())) / seconds;
      this.set(name, Math.min(value, to()));
      if (value < to()) running = requestAnimationFrame(advance);
      else halt();
    };
    const button = this.button(label, () => {
      if (running) return halt();
      if (this.get(name) >= to()) this.set(name, from());
      else if (still()) this.set(name, Math.min(next(this.get(name)), to()));
      if (still()) return;
      button.textContent = "Pause";
      before = performance.now();
      running = requestAnimationFrame(advance);
    });
    const motion = matchMedia("(prefers-reduced-motion: reduce)");
    motion.addEventListener("change", halt);
    this.ends.push(halt, () => motion.removeEventListener("change", halt));
    halt();
    return button;
  }

  bound(name, field, update, parts) {
    update();
    this.on(name, () => {
      update();
      this.redraw();
    });
    return Object.assign(field, parts);
  }

  // ---- what is said ----

  /** A paragraph that always shows the latest text, and speaks it once it has come to rest. */
  readout() {
    const seen = h("p", { class: "said", "aria-hidden": "true" });
    seen.say = (text) => {
      if (seen.textContent === text) return;
      seen.textContent = text;
      clearTimeout(this.speaking);
      this.speaking = setTimeout(() => (this.spoken.textContent = text), 500);
    };
    return seen;
  }

  /** A line of a plot's key: a sample of the line and its name, from (x, y) on, in pixels. */
  key(x, y, color, dash, name) {
    const style = `stroke:var(--${color});stroke-width:2`;
    return [
      s("path", { d: `M${x},${y}h26`, style, "stroke-dasharray": dash }),
      s("text", { x: x + 32, y: y + 4, class: "halo" }, name),
    ];
  }

  plot(options) {
    const plot = new Plot(this, options);
    this.plots.push(plot);
    return plot;
  }
}

// ---- plots -------------------------------------------------------------------------------------

/** Round steps in a range: about `count` of them. */
function ticks(low, high, count) {
  const rough = (high - low) / count;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((m) => m * unit >= rough * 0.999);
  const found = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(i * step);
  return found.map((x) => Number(x.toPrecision(12)));
}

/** Heights for labels near `ys` (pixels, any order), pushed down until they stand `gap` apart. */
function apart(ys, gap) {
  const order = ys.map((_, i) => i).sort((a, b) => ys[a] - ys[b]);
  const placed = [...ys];
  for (let i = 1; i < order.length; i++) {
    placed[order[i]] = Math.max(ys[order[i]], placed[order[i - 1]] + gap);
  }
  return placed;
}

/** Ticks of a logarithmic range: powers of ten, with 2 and 5 between them where there is room. */
function logTicks(low, high, count) {
  const first = Math.floor(Math.log10(low)), last = Math.floor(Math.log10(high) + 1e-9);
  const every = Math.max(1, Math.ceil((last - first) / count));
  const between = (last - first + 1) * 3 <= count + 2 ? [1, 2, 5] : [1];
  const found = [];
  for (let n = first; n <= last; n += every) found.push(...between.map((m) => m * 10 ** n));
  return found.filter((v) => v >= low * 0.999 && v <= high * 1.001);
}

/**
 * Axes with a canvas for what is many and an SVG layer for what is few. Sizes are CSS pixels, so
 * type stays legible at every width. `label` says what is drawn, for those who do not see it.
 */
class Plot {
  constructor(app, { label, height = 220, margin = {}, xLabel = "", yLabel = "", bare = false }) {
    Object.assign(this, { app, height, xLabel, yLabel, bare });
    this.margin = { top: 10, right: 12, bottom: xLabel ? 40 : 22, left: 52, ...margin };
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.axes = s("g");
    this.layer = s("g");
    this.svg = s("svg", { role: "img", "aria-label": label }, this.axes, this.layer);
    this.box = h("div", { class: "plot", style: `height:${height}px` }, this.canvas, this.svg);
    this.context = this.canvas.getContext("2d");
    this.range({ x: [0, 1], y: [0, 1] });
  }

  /** Set the ranges; `log: true` makes the horizontal axis logarithmic. */
  range({ x = this.xs, y = this.ys, log = false, xTicks, yTicks }) {
    const key = JSON.stringify([x, y, log, xTicks, yTicks]);
    if (key === this.key) return;
    Object.assign(this, { xs: x, ys: y, log, xTicks, yTicks, key, stale: true });
  }

  measure() {
    const width = this.box.clientWidth, ratio = devicePixelRatio || 1;
    if (width === this.width && ratio === this.ratio) return;
    const { left, right, top, bottom } = this.margin;
    const free = typeof right === "function" ? right(width) : right; // labels, short on a phone
    const inner = { left, right: width - free, top, bottom: this.height - bottom };
    Object.assign(this, { width, ratio, inner, stale: true });
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
  }

  x = (v) => {
    const { left, right } = this.inner, [a, b] = this.xs;
    const share = this.log ? Math.log(v / a) / Math.log(b / a) : (v - a) / (b - a);
    return left + share * (right - left);
  };
  y = (v) => {
    const { top, bottom } = this.inner, [a, b] = this.ys;
    return bottom - ((v - a) / (b - a)) * (bottom - top);
  };
  /** The value at a pixel: what x() took. */
  xAt = (pixel) => {
    const { left, right } = this.inner, [a, b] = this.xs;
    const share = Math.min(1, Math.max(0, (pixel - left) / (right - left)));
    return this.log ? a * (b / a) ** share : a + share * (b - a);
  };
  yAt = (pixel) => {
    const { top, bottom } = this.inner, [a, b] = this.ys;
    return a + ((bottom - pixel) / (bottom - top)) * (b - a);
  };

  /** Whether the picture must be drawn again: `key` says what it depends on besides size and theme. */
  changed(...key) {
    const all = JSON.stringify([key, this.key, this.app.color("ink")]);
    if (all === this.drawn && !this.stale) return false;
    this.drawn = all;
    return true;
  }

  /** Pale what lies right of the value x, such as the future: cheap, nothing is drawn again. */
  pale(x) {
    const at = `${this.x(x).toFixed(1)}px`;
    this.canvas.style.maskImage = `linear-gradient(to right, #000 ${at}, #0004 ${at})`;
  }

  /** Clear the canvas and return its context, in CSS pixels, cut to the inside of the axes. */
  begin() {
    if (this.stale && !this.bare) this.drawAxes();
    this.stale = false;
    const c = this.context, { left, right, top, bottom } = this.inner;
    c.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
    c.clearRect(0, 0, this.width, this.height);
    c.save();
    c.beginPath();
    c.rect(left - 1, top - 4, right - left + 5, bottom - top + 5);
    c.clip();
    return c;
  }
  end() {
    this.context.restore();
  }

  drawAxes() {
    const { left, right, top, bottom } = this.inner;
    const text = (x, y, words, anchor, more = {}) =>
      s("text", { x, y, "text-anchor": anchor, ...more }, words);
    const parts = [s("path", { d: `M${left},${top}V${bottom}H${right}`, fill: "none", class: "axis" })];
    const many = Math.max(2, Math.min(8, Math.floor((right - left) / 42)));
    const xs = this.xTicks ?? (this.log ? logTicks(...this.xs, many) : ticks(...this.xs, many));
    for (const v of xs) {
      const at = this.x(v);
      parts.push(s("path", { d: `M${at},${bottom}v4`, class: "axis" }));
      parts.push(text(at, bottom + 16, this.log && (v >= 1e4 || v < 0.01) ? power(Math.round(Math.log10(v))) : show(v), "middle"));
    }
    for (const v of this.yTicks ?? ticks(...this.ys, Math.max(2, Math.floor((bottom - top) / 45)))) {
      const at = this.y(v);
      parts.push(s("path", { d: `M${left},${at}h-4`, class: "axis" }));
      parts.push(text(left - 7, at + 4, show(v), "end"));
    }
    parts.push(text((left + right) / 2, this.height - 6, this.xLabel, "middle"));
    const middle = (top + bottom) / 2;
    parts.push(text(11, middle, this.yLabel, "middle", { transform: `rotate(-90 11 ${middle})` }));
    this.axes.replaceChildren(...parts);
  }

  /** Pixels of values along the horizontal axis, kept while many lines share them. */
  across(xs) {
    const last = this.known;
    if (last?.xs === xs && last.key === this.key && last.width === this.width) return last.at;
    this.known = { xs, key: this.key, width: this.width, at: xs.map(this.x) };
    return this.known.at;
  }

  /** A line through the points (xs[i], ys[i]); where it is level, only its ends are drawn. */
  line(xs, ys, { color, width = 2, dash = [] } = {}) {
    const c = this.context;
    const across = this.across(xs), { top, bottom } = this.inner, [low, high] = this.ys;
    const scale = (bottom - top) / (high - low);
    let drawn = NaN, level = -1;
    c.beginPath();
    for (let i = 0; i < xs.length; i++) {
      const y = bottom - (ys[i] - low) * scale;
      if (Math.abs(y - drawn) < 0.1) {
        level = i;
        continue;
      }
      if (level >= 0) c.lineTo(across[level], drawn);
      c.lineTo(across[i], (drawn = y));
      level = -1;
    }
    if (level >= 0) c.lineTo(across[level], drawn);
    Object.assign(c, { strokeStyle: color, lineWidth: width, lineJoin: "round" });
    c.setLineDash(dash);
    c.stroke();
    c.setLineDash([]);
  }

  /** Where the pointer is, in values, on each move, tap and press: `call(x, y, event)`. */
  onPointer(call) {
    const tell = (event) => {
      const box = this.box.getBoundingClientRect();
      call(event.clientX - box.left, event.clientY - box.top, event);
    };
    for (const kind of ["pointermove", "pointerdown"]) this.box.addEventListener(kind, tell);
  }
}
