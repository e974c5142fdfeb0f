/**
 * Axes with a canvas for what is many and an SVG layer for what is few. Sizes are CSS pixels, so
 * that type stays legible at every width.
 */

import { axisBottom, axisLeft } from "d3-axis";
import { scaleLinear, scaleLog } from "d3-scale";
import { select } from "d3-selection";
import { h, s } from "./dom.js";
import { power, show } from "./format.js";

/** @import { App } from "./app.js" */

/**
 * @typedef {object} PlotOptions
 * @property {string} label what is drawn, for those who do not see it
 * @property {number} [height]
 * @property {{top?: number, right?: number | ((width: number) => number), bottom?: number, left?: number}} [margin]
 * @property {string} [xLabel]
 * @property {string} [yLabel]
 * @property {boolean} [bare] without axes
 */

/**
 * @typedef {object} Range
 * @property {number[]} [x]
 * @property {number[]} [y]
 * @property {boolean} [log] whether the horizontal axis is logarithmic
 * @property {number[]} [xTicks]
 * @property {number[]} [yTicks]
 */

/** @typedef {{color?: string, width?: number, dash?: number[]}} Stroke */

/** Numbers from a to b, evenly spaced, or evenly in their logarithms.
 * @param {number} a @param {number} b @param {number} n
 */
export function spaced(a, b, n, log = false) {
  /** @param {number} share */
  const at = (share) => (log ? a * (b / a) ** share : a + share * (b - a));
  return Array.from({ length: n }, (_, i) => at(i / (n - 1)));
}

/** @param {number} value */
const logText = (value) =>
  value >= 1e4 || value < 0.01 ? power(Math.round(Math.log10(value))) : show(value);

export class Plot {
  /** @param {App} app @param {PlotOptions} options */
  constructor(app, { label, height = 220, margin = {}, xLabel = "", yLabel = "", bare = false }) {
    this.app = app;
    this.height = height;
    this.xLabel = xLabel;
    this.yLabel = yLabel;
    this.bare = bare;
    this.margin = { top: 10, right: 12, bottom: xLabel ? 40 : 22, left: 52, ...margin };
    this.canvas = h("canvas", { "aria-hidden": "true" });
    this.axes = s("g", { class: "axes" }, s("g"), s("g"), s("text"), s("text"));
    this.layer = s("g");
    this.svg = s("svg", { role: "img", "aria-label": label }, this.axes, this.layer);
    this.box = h("div", { class: "plot", style: `height:${height}px` }, this.canvas, this.svg);
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.inner = { left: 0, right: 1, top: 0, bottom: 1 };
    this.width = 0;
    this.ratio = 0;
    this.key = "";
    this.drawn = "";
    this.axisKeys = { across: "", up: "" };
    this.stale = true;
    /** @type {Range} */
    this.wanted = {};
    /** @type {{xs?: ArrayLike<number>, of: string, at: number[]}} */
    this.known = { of: "", at: [] };
    this.range({ x: [0, 1], y: [0, 1] });
  }

  /** Set the ranges of the axes; what is not named of x and y stays. @param {Range} range */
  range({ x = this.wanted.x, y = this.wanted.y, log = false, xTicks, yTicks }) {
    const key = JSON.stringify([x, y, log, xTicks, yTicks]);
    if (key === this.key) return;
    this.wanted = { x, y, log, xTicks, yTicks };
    this.key = key;
    this.scale();
  }

  measure() {
    const width = this.box.clientWidth;
    const ratio = devicePixelRatio || 1;
    if (width === this.width && ratio === this.ratio) return;
    const { left, right, top, bottom } = this.margin;
    const free = typeof right === "function" ? right(width) : right; // labels, short on a phone
    this.inner = { left, right: width - free, top, bottom: this.height - bottom };
    this.width = width;
    this.ratio = ratio;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.scale();
  }

  /** Lay the scales anew. */
  scale() {
    const { x = [0, 1], y = [0, 1], log } = this.wanted;
    const { left, right, top, bottom } = this.inner;
    this.across = (log ? scaleLog() : scaleLinear()).domain(x).range([left, right]);
    this.up = scaleLinear().domain(y).range([bottom, top]);
    // A scale's call costs ten times a product, and there are a hundred thousand of them.
    this.slope = (top - bottom) / (y[1] - y[0]);
    this.zero = bottom - this.slope * y[0];
    this.stale = true;
  }

  /** Pixels of values. @param {number} value */
  x = (value) => /** @type {number} */ (this.across?.(value));
  /** @param {number} value */
  y = (value) => /** @type {number} */ (this.zero) + /** @type {number} */ (this.slope) * value;

  /** The value at a pixel inside the axes. @param {number} pixel */
  xAt(pixel) {
    const { left, right } = this.inner;
    return /** @type {number} */ (this.across?.invert(Math.min(right, Math.max(left, pixel))));
  }

  /** Whether the picture must be drawn again: `key` says what it depends on besides size and theme.
   * @param {unknown[]} key
   */
  changed(...key) {
    const all = JSON.stringify([key, this.key, this.app.color("ink")]);
    if (all === this.drawn && !this.stale) return false;
    this.drawn = all;
    return true;
  }

  /** Pale what lies right of the value x, such as the future: cheap, nothing is drawn again.
   * @param {number} x
   */
  pale(x) {
    const at = `${this.x(x).toFixed(1)}px`;
    this.canvas.style.maskImage = `linear-gradient(to right, #000 ${at}, #0004 ${at})`;
  }

  /** Clear the canvas and return its context, in CSS pixels, cut to the inside of the axes. */
  begin() {
    if (this.stale && !this.bare) this.drawAxes();
    this.stale = false;
    const c = this.context;
    const { left, right, top, bottom } = this.inner;
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

  /** Draw the axis that is not as it was: the page is laid out anew for every number in it. */
  drawAxes() {
    const { x, y, log, xTicks, yTicks } = this.wanted;
    const place = [this.inner, this.height];
    const across = JSON.stringify([x, log, xTicks, this.xLabel, place]);
    const up = JSON.stringify([y, yTicks, this.yLabel, place]);
    if (across !== this.axisKeys.across) this.drawAcross();
    if (up !== this.axisKeys.up) this.drawUp();
    this.axisKeys = { across, up };
  }

  drawAcross() {
    const { across } = this;
    if (!across) return;
    const { left, right, bottom } = this.inner;
    const { log, xTicks } = this.wanted;
    const many = Math.max(2, Math.min(8, Math.floor((right - left) / 42)));
    const axis = axisBottom(across).ticks(many).tickSizeInner(4).tickSizeOuter(0).tickPadding(4);
    /** @type {(value: number) => string} */
    let named = log ? logText : show;
    // On a logarithmic axis the scale knows which of its ticks have room for a number.
    if (log && !xTicks) named = across.tickFormat(many, /** @type {any} */ (logText));
    axis.tickFormat((v) => named(Number(v)));
    if (xTicks) axis.tickValues(xTicks);
    const [group, , title] = this.axes.children;
    select(/** @type {SVGGElement} */ (group))
      .attr("transform", `translate(0,${bottom})`)
      .call(axis);
    const at = select(title)
      .attr("x", (left + right) / 2)
      .attr("y", this.height - 6);
    at.attr("text-anchor", "middle").text(this.xLabel);
  }

  drawUp() {
    const { up } = this;
    if (!up) return;
    const { left, top, bottom } = this.inner;
    const { yTicks } = this.wanted;
    const axis = axisLeft(up).ticks(Math.max(2, Math.floor((bottom - top) / 45)));
    axis.tickFormat((v) => show(Number(v)));
    axis.tickSizeInner(4).tickSizeOuter(0).tickPadding(3);
    if (yTicks) axis.tickValues(yTicks);
    const [, group, , title] = this.axes.children;
    select(/** @type {SVGGElement} */ (group))
      .attr("transform", `translate(${left},0)`)
      .call(axis);
    const turned = `translate(11,${(top + bottom) / 2}) rotate(-90)`;
    select(title).attr("transform", turned).attr("text-anchor", "middle").text(this.yLabel);
  }

  /** Pixels of values along the horizontal axis, kept while many lines share them.
   * @param {ArrayLike<number>} xs
   */
  places(xs) {
    const of = `${this.key} ${this.width}`;
    if (this.known.xs !== xs || this.known.of !== of) {
      this.known = { xs, of, at: Array.from(xs, this.x) };
    }
    return this.known.at;
  }

  /**
   * A line through the points (xs[i], ys[i]); where it is level, only its ends are drawn. By hand:
   * through d3-shape the 200 sigmoids of 161 points each took three times as long.
   * @param {ArrayLike<number>} xs @param {ArrayLike<number>} ys @param {Stroke} [stroke]
   */
  line(xs, ys, { color = "", width = 2, dash = [] } = {}) {
    const across = this.places(xs);
    const c = this.context;
    const [slope, zero] = [this.slope ?? 1, this.zero ?? 0];
    let [drawn, level] = [Number.NaN, -1];
    c.beginPath();
    for (let i = 0; i < xs.length; i++) {
      const y = zero + slope * ys[i];
      if (Math.abs(y - drawn) < 0.1) {
        level = i;
        continue;
      }
      if (level >= 0) c.lineTo(across[level], drawn);
      c.lineTo(across[i], y);
      drawn = y;
      level = -1;
    }
    if (level >= 0) c.lineTo(across[level], drawn);
    Object.assign(c, { strokeStyle: color, lineWidth: width, lineJoin: "round" });
    c.setLineDash(dash);
    c.stroke();
    c.setLineDash([]);
  }

  /** Where the pointer is, in pixels, on each move, tap and press.
   * @param {(x: number, y: number, event: PointerEvent) => void} call
   */
  onPointer(call) {
    /** @param {PointerEvent} event */
    const tell = (event) => {
      const box = this.box.getBoundingClientRect();
      call(event.clientX - box.left, event.clientY - box.top, event);
    };
    this.box.addEventListener("pointermove", tell);
    this.box.addEventListener("pointerdown", tell);
  }
}
