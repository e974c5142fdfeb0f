/** The explorers' model: what anywidget gives to a module in a kernel, and its stand-in on a page. */

/**
 * What a module may ask of its model, in a kernel and on a page.
 * @typedef {object} Model
 * @property {(name: string) => any} get
 * @property {(name: string, value: unknown) => void} set
 * @property {(event: string, call: () => void) => void} on
 * @property {(event: string, call: () => void) => void} off
 * @property {() => void} save_changes
 */

/** @typedef {{model: Model, el: HTMLElement}} Context */

/** @typedef {Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array |
 *    Float32Array | Float64Array} Numbers */

/** @typedef {Numbers & {shape: number[]}} Table */

const KINDS = {
  Int8: Int8Array,
  Uint8: Uint8Array,
  Int16: Int16Array,
  Uint16: Uint16Array,
  Int32: Int32Array,
  Uint32: Uint32Array,
  Float32: Float32Array,
  Float64: Float64Array,
};

/** Typed arrays by name, from the deflated bytes and the layout that base.pack made.
 * @param {Pick<Model, "get">} model
 */
export async function unpack(model) {
  const stream = new Blob([model.get("_blob")]).stream();
  const inflated = stream.pipeThrough(new DecompressionStream("deflate"));
  const bytes = await new Response(inflated).arrayBuffer();
  /** @type {[string, [keyof typeof KINDS, number, number[]]][]} */
  const layout = Object.entries(model.get("_layout"));
  /** @type {Record<string, Table>} */
  const arrays = {};
  for (const [name, [kind, offset, shape]] of layout) {
    const length = shape.reduce((a, b) => a * b, 1);
    arrays[name] = Object.assign(new KINDS[kind](bytes, offset, length), { shape });
  }
  return arrays;
}

/** The bytes that base.base85 wrote as text. @param {string} text */
export function bytesOf(text) {
  const values = new Uint8Array(128);
  for (let value = 0; value < 85; value++) values[text.charCodeAt(value)] = value;
  const view = new DataView(new ArrayBuffer(((text.length - 86) * 4) / 5));
  for (let i = 86, at = 0; i < text.length; at += 4) {
    let word = 0;
    for (const end = i + 5; i < end; i++) word = word * 85 + values[text.charCodeAt(i)];
    view.setUint32(at, word);
  }
  return new DataView(view.buffer, 0, view.byteLength - Number(text[85]));
}

/** A model whose state is on the page. @implements {Model} */
class PageModel {
  /** @param {Record<string, any>} state */
  constructor(state) {
    this.state = state;
    /** @type {Map<string, (() => void)[]>} */
    this.listeners = new Map();
  }

  /** @param {string} name */
  get(name) {
    return this.state[name];
  }

  /** @param {string} name @param {unknown} value */
  set(name, value) {
    if (this.state[name] === value) return;
    this.state[name] = value;
    for (const call of [...(this.listeners.get(`change:${name}`) ?? [])]) call();
  }

  /** @param {string} event @param {() => void} call */
  on(event, call) {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), call]);
  }

  /** @param {string} event @param {() => void} call */
  off(event, call) {
    const kept = (this.listeners.get(event) ?? []).filter((other) => other !== call);
    this.listeners.set(event, kept);
  }

  save_changes() {}
}

/**
 * Bring the explorer of this name on the page to life, with the state that lies beside it.
 * @param {(context: Context) => Promise<unknown>} render
 * @param {string} name
 */
export async function mount(render, name) {
  /** @type {HTMLElement | null} */
  const root = document.querySelector(`[data-explorer='${name}']:not([data-taken])`);
  /** @type {HTMLElement | null | undefined} */
  const el = root?.querySelector(".qw2v-live");
  const text = root?.querySelector("script[type='application/json']")?.textContent;
  if (!root || !el || !text) throw new Error(`no explorer ${name} is left on this page`);
  root.dataset.taken = "";
  try {
    const state = JSON.parse(text);
    state._blob = bytesOf(state._blob);
    await render({ model: new PageModel(state), el });
    root.dataset.live = "page";
  } catch (error) {
    root.dataset.failed = ""; // the picture takes its place
    throw error;
  }
}
