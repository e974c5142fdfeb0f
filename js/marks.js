/** What several plots have in their SVG layer and on their maps: labels, keys, cursors, named words. */

import { s } from "./dom.js";

/** @import { Plot } from "./plot.js" */
/** @import { Attributes } from "./dom.js" */

/** A text with a rim in the colour of the page. `color` is the name of a colour.
 * @param {number} x @param {number} y @param {string} text
 * @param {{color?: string, anchor?: string, size?: number, bold?: boolean}} [more]
 */
export const label = (x, y, text, { color = "ink", anchor = "start", size, bold } = {}) =>
  s(
    "text",
    {
      x,
      y,
      class: "halo",
      "text-anchor": anchor,
      "font-size": size,
      "font-weight": bold && "bold",
      style: `fill:var(--${color})`,
    },
    text,
  );

/** A plain text, upright or along the vertical axis.
 * @param {number} x @param {number} y @param {string} text @param {string} anchor
 */
export const caption = (x, y, text, anchor, turned = false) =>
  s("text", { x, y, "text-anchor": anchor, transform: turned && `rotate(-90 ${x} ${y})` }, text);

/** A line of a plot's key: a sample of the line and its name, from (x, y) on, in pixels.
 * @param {number} x @param {number} y @param {string} color @param {string} dash @param {string} name
 */
export const key = (x, y, color, dash, name, width = 2) => [
  s("path", {
    d: `M${x},${y}h26`,
    style: `stroke:var(--${color});stroke-width:${width}`,
    "stroke-dasharray": dash,
  }),
  label(x + 32, y + 4, name),
];

/** A line over the height of a plot at a value. @param {Plot} plot @param {number} value @param {Attributes} [more] */
export const upright = (plot, value, more = {}) =>
  s("path", {
    d: `M${plot.x(value)},${plot.inner.top}V${plot.inner.bottom}`,
    class: "cursor",
    ...more,
  });

/** A dashed line at a moment, which `moveCursor` moves. @param {Plot} plot */
export const cursor = (plot) =>
  s("path", { class: "cursor", d: `M0,${plot.inner.top}V${plot.inner.bottom}` });

/** @param {Plot} plot @param {number} value */
export const moveCursor = (plot, value) =>
  plot.layer.querySelector(".cursor")?.setAttribute("transform", `translate(${plot.x(value)},0)`);

/** A disc with a rim in the colour of the page. @param {number} cx @param {number} cy @param {number} r @param {string} color */
export const disc = (cx, cy, r, color) =>
  s("circle", { cx, cy, r, style: `fill:var(--${color});stroke:var(--paper);stroke-width:2` });

/** Heights for labels near `ys` (pixels, any order), pushed down until they stand `gap` apart.
 * @param {number[]} ys @param {number} gap
 */
export function apart(ys, gap) {
  const order = ys.map((_, i) => i).sort((a, b) => ys[a] - ys[b]);
  const placed = [...ys];
  for (let i = 1; i < order.length; i++) {
    placed[order[i]] = Math.max(ys[order[i]], placed[order[i - 1]] + gap);
  }
  return placed;
}

/** The two axes of a map through its origin. @param {Plot} map @param {CanvasRenderingContext2D} c */
export function cross(map, c) {
  const { left, right, top, bottom } = map.inner;
  Object.assign(c, { strokeStyle: map.app.color("line"), lineWidth: 0.5 });
  c.beginPath();
  c.moveTo(left, map.y(0));
  c.lineTo(right, map.y(0));
  c.moveTo(map.x(0), top);
  c.lineTo(map.x(0), bottom);
  c.stroke();
}

/** What the ends of a map's two axes stand for, and their names.
 * @param {Plot} map
 * @param {{east: string, west: string, north: string, south: string, across: string, up: string}} names
 */
export function compass(map, { east, west, north, south, across, up }) {
  const { left, right, top, bottom } = map.inner;
  const low = bottom + 18;
  return [
    caption(left, low, `← ${west}`, "start"),
    caption(right, low, `${east} →`, "end"),
    caption((left + right) / 2, low, across, "middle"),
    caption(12, bottom, `← ${south}`, "start", true),
    caption(12, top, `${north} →`, "end", true),
    caption(12, (top + bottom) / 2, up, "middle", true),
  ];
}

/** @typedef {{left: number, right: number, y: number, half: number}} Taken */

/** Names points of a map where there is room: none covers a point or another name. */
export class Namer {
  /** @param {Plot} map @param {[number, number][]} points in pixels @param {number} half of a mark */
  constructor(map, points, half) {
    this.map = map;
    this.points = points;
    /** @type {Taken[]} */
    this.taken = points.map(([x, y]) => ({ left: x - half, right: x + half, y, half }));
  }

  /** Whether a text may begin at (x, y), the mark of point `own` aside.
   * @param {number} x @param {number} y @param {number} wide @param {number} own
   */
  free(x, y, wide, own) {
    const { left, right, top, bottom } = this.map.inner;
    if (x <= left || x + wide >= right || y <= top + 6 || y >= bottom - 6) return false;
    return this.taken.every(
      (b, i) =>
        (i === own && y === b.y) ||
        x > b.right ||
        x + wide < b.left ||
        Math.abs(y - b.y) > b.half + 6,
    );
  }

  /** Write the name of point i beside it, over it or under it, if there is room.
   * @param {CanvasRenderingContext2D} c @param {number} i @param {string} text @param {number} wide
   */
  write(c, i, text, wide) {
    const [x, y] = this.points[i];
    const over = x - wide / 2;
    const places = [
      [x + 6, y],
      [x - 6 - wide, y],
      [over, y - 11],
      [over, y + 11],
    ];
    const found = places.find(([left, middle]) => this.free(left, middle, wide, i));
    if (!found) return;
    const [left, middle] = found;
    this.taken.push({ left, right: left + wide, y: middle, half: 6 });
    c.strokeText(text, left, middle + 4);
    c.fillText(text, left, middle + 4);
  }
}
