/** One explorer: its model, its data, its colours, and one drawing a frame. */

import { calm, h } from "./dom.js";
import { mount, unpack } from "./model.js";
import { Plot } from "./plot.js";

/** @import { Context, Model, Table } from "./model.js" */
/** @import { PlotOptions } from "./plot.js" */

/** @typedef {new (app: App) => {draw: () => void}} View */

/**
 * What a module of an explorer exports: `render` for a kernel, `mount` for a page. The view lays
 * itself out once; `draw` is called in the next frame whenever a trait, the width or the page's
 * colours change.
 * @param {View} View
 */
export function explorer(View) {
  /** @param {Context} context */
  const render = async ({ model, el }) => {
    const app = new App(model, el, await unpack(model));
    const view = new View(app);
    app.drawing = () => view.draw();
    app.paint();
    return () => app.dispose();
  };
  /** @param {string} name */
  const onPage = (name) => mount(render, name);
  return { render, mount: onPage };
}

export class App {
  /** @param {Model} model @param {HTMLElement} el @param {Record<string, Table>} data */
  constructor(model, el, data) {
    this.model = model;
    this.data = data;
    this.texts = model.get("_texts");
    // In a kernel `el` is a bare box; on a page the explorer's root stands around it.
    /** @type {HTMLElement} */
    this.root = el.closest(".qw2v-explorer") ?? el;
    this.root.classList.add("qw2v-explorer");
    if (this.root === el) {
      el.dataset.live = "kernel";
      // A notebook takes arrow keys and letters for itself: here they belong to the controls.
      el.addEventListener("keydown", (event) => event.stopPropagation());
    }
    this.body = h("div");
    this.spoken = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
    /** @type {Plot[]} */
    this.plots = [];
    /** @type {(() => void)[]} */
    this.ends = [];
    this.drawing = () => {};
    this.resized = true;
    this.gone = false;
    this.asked = 0;
    this.saving = 0;
    this.speaking = 0;
    /** @type {Map<string, string>} */
    this.styles = new Map();
    this.ruler = /** @type {CanvasRenderingContext2D} */ (h("canvas").getContext("2d"));
    el.replaceChildren(this.body, this.spoken);
    this.watch(el);
  }

  /** @param {string} name */
  get = (name) => this.model.get(name);

  /** Set a trait here, and in the kernel at most ten times a second.
   * @param {string} name @param {unknown} value
   */
  set(name, value) {
    this.model.set(name, value);
    if (this.saving) return;
    this.saving = window.setTimeout(() => {
      this.saving = 0;
      this.model.save_changes();
    }, 100);
  }

  /** @param {string} name @param {() => void} call */
  on(name, call) {
    const event = `change:${name}`;
    this.model.on(event, call);
    this.ends.push(() => this.model.off(event, call));
  }

  /** Call when the reader comes to ask for little motion, or no longer does. @param {() => void} call */
  onCalm(call) {
    const motion = calm();
    motion.addEventListener("change", call);
    this.ends.push(() => motion.removeEventListener("change", call));
  }

  dispose() {
    clearTimeout(this.saving);
    clearTimeout(this.speaking);
    cancelAnimationFrame(this.asked);
    for (const end of this.ends) end();
    this.gone = true;
  }

  /** Redraw on a new width and on a new theme. @param {HTMLElement} el */
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
    this.ends.push(
      () => sizes.disconnect(),
      () => themes.disconnect(),
    );
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

  /** A colour of the stylesheet by its name, as it is on this page in this theme. @param {string} name */
  color(name) {
    return this.style(name, () => getComputedStyle(this.root).getPropertyValue(`--${name}`).trim());
  }

  /** The colour of mode k, counted from 1, as in the book's figures. @param {number} k */
  modeColor = (k) => this.color(k <= 8 ? `m${k}` : "line");

  /** The font of the page for a canvas. @param {number} size in pixels */
  font(size) {
    return `${size}px ${this.style("font", () => getComputedStyle(this.root).fontFamily)}`;
  }

  /** The width of a text, in pixels. @param {string} text @param {number} size */
  width(text, size) {
    this.ruler.font = this.font(size);
    return this.ruler.measureText(text).width;
  }

  /** @param {string} name @param {() => string} compute */
  style(name, compute) {
    const known = this.styles.get(name);
    if (known !== undefined) return known;
    const found = compute();
    this.styles.set(name, found);
    return found;
  }

  /** A paragraph that always shows the latest text, and speaks it once it has come to rest. */
  readout() {
    const element = h("p", { class: "said", "aria-hidden": "true" });
    /** @param {string} text */
    const say = (text) => {
      if (element.textContent === text) return;
      element.textContent = text;
      clearTimeout(this.speaking);
      this.speaking = window.setTimeout(() => {
        this.spoken.textContent = text;
      }, 500);
    };
    return { element, say };
  }

  /** @param {PlotOptions} options */
  plot(options) {
    const plot = new Plot(this, options);
    this.plots.push(plot);
    return plot;
  }
}
