/** One page to explore word vectors: search, neighbours, analogies, features. `qw2v.page` writes it. */

import { completions } from "../controls.js";
import { freshId, h } from "../dom.js";
import { fixed, grouped } from "../format.js";
import { bytesOf, unpack } from "../model.js";
import { best, decode, nearness, squares } from "../space.js";

/** @import { Table } from "../model.js" */

const NEIGHBOURS = 20;
const ENDS = 15;
const STRONGEST = 6;

/** What the page holds: base.pack's layout and bytes, the words, and what to begin with.
 * @typedef {{_layout: object, _blob: string, words: string[], start: string[]}} State
 */

/** A word that the reader types, out of many.
 * @param {string} label @param {Vectors} vectors @param {string} word @param {() => void} changed
 */
function wordInput(label, vectors, word, changed) {
  const id = freshId();
  const list = h("datalist", { id: `${id}-list` });
  const input = h("input", {
    id,
    list: list.id,
    type: "text",
    autocomplete: "off",
    autocapitalize: "none",
    spellcheck: "false",
    "aria-describedby": `${id}-problem`,
  });
  input.value = word;
  const problem = h("span", { id: `${id}-problem`, class: "problem", role: "alert" });
  input.addEventListener("input", () => {
    const offered = completions(vectors.words, input.value.trim());
    list.replaceChildren(...offered.map((value) => h("option", { value })));
    if (vectors.row(input.value) >= 0) changed();
  });
  input.addEventListener("change", () => {
    const known = vectors.row(input.value) >= 0;
    problem.textContent = known
      ? ""
      : `“${input.value.trim()}” is not among the ${grouped(vectors.words.length)} words`;
    input.setAttribute("aria-invalid", String(!known));
  });
  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    input,
    problem,
    list,
  );
  const set = (/** @type {string} */ value) => {
    input.value = value;
    problem.textContent = "";
    input.removeAttribute("aria-invalid");
  };
  return { element, set, row: () => vectors.row(input.value) };
}

/** The vectors in the basis of their features, rows of length one in eight bits. */
class Vectors {
  /** @param {Record<string, Table>} arrays @param {string[]} words */
  constructor({ entries, step, lengths }, words) {
    this.words = words;
    this.lengths = lengths;
    this.index = new Map(words.map((word, row) => [word, row]));
    this.space = decode({ modes: entries, step });
    this.dim = entries.shape[0];
    this.ones = new Float64Array(this.dim).fill(1);
    this.square = squares(this.space, this.ones);
  }

  /** The row of a word as typed, or of its lower case; -1 where there is none. @param {string} typed */
  row(typed) {
    const word = typed.trim();
    return this.index.get(word) ?? this.index.get(word.toLowerCase()) ?? -1;
  }

  /** The words nearest to a sum of signed words. @param {[number, number][]} terms @param {number} n */
  nearest(terms, n) {
    const scores = nearness(this.space, terms, this.ones, this.square);
    const found = best(
      scores,
      n,
      terms.map(([row]) => row),
    );
    return found.map((row) => ({ row, score: scores[row] }));
  }

  /** Entries of all words along feature k, as they came. @param {number} k */
  along(k) {
    const { entries, size } = this.space;
    return Float64Array.from(
      { length: size },
      (_, row) => entries[k * size + row] * this.lengths[row],
    );
  }

  /** Words at the two ends of feature k. @param {number} k */
  ends(k) {
    const up = this.along(k);
    return [
      best(up, ENDS, []),
      best(
        up.map((x) => -x),
        ENDS,
        [],
      ),
    ];
  }

  /** The features in which a word has most of its length. @param {number} row */
  strongest(row) {
    const { entries, size } = this.space;
    const own = Float64Array.from({ length: this.dim }, (_, k) => entries[k * size + row]);
    const total = this.square[row] || 1;
    return best(own.map(Math.abs), STRONGEST, []).map((k) => ({
      k,
      up: own[k] > 0,
      share: own[k] ** 2 / total,
    }));
  }
}

class Page {
  /** @param {Vectors} vectors @param {string[]} start @param {HTMLElement} main */
  constructor(vectors, [word, a, b, c], main) {
    this.vectors = vectors;
    this.search = wordInput("word", vectors, word, () => this.showWord());
    this.asked = [
      ["a", a],
      ["is to b", b],
      ["as c is to …", c],
    ].map(([label, value]) => wordInput(label, vectors, value, () => this.showAnalogy()));
    const id = freshId();
    this.slider = h("input", { id, type: "range", min: 1, max: vectors.dim, step: 1, value: 1 });
    this.slider.addEventListener("input", () => this.showFeature());
    this.number = h("output", { for: id });
    this.near = h("ol");
    this.answers = h("ol");
    this.up = h("ol");
    this.down = h("ol");
    this.strong = h("ul");
    this.said = h("p", { class: "unseen", role: "status", "aria-live": "polite" });
    const slider = h(
      "div",
      { class: "field wide" },
      h("label", { for: id }, "feature ", this.number),
      this.slider,
    );
    main.replaceChildren(
      this.section(
        "A word and its neighbours",
        [this.search.element],
        h("div", {}, h("h3", {}, "Nearest words"), this.near),
        h("div", {}, h("h3", {}, "Where it stands"), this.strong),
      ),
      this.section(
        "An analogy",
        this.asked.map(({ element }) => element),
        this.answers,
      ),
      this.section(
        "Features",
        [slider],
        h("div", {}, h("h3", {}, "One end"), this.up),
        h("div", {}, h("h3", {}, "The other end"), this.down),
      ),
      this.said,
    );
    this.showWord();
    this.showAnalogy();
    this.showFeature();
  }

  /** @param {string} title @param {HTMLElement[]} controls @param {HTMLElement[]} results */
  section(title, controls, ...results) {
    return h(
      "section",
      {},
      h("h2", {}, title),
      h("div", { class: "controls" }, ...controls),
      h("div", { class: "results" }, ...results),
    );
  }

  /** A word that can be pressed: it is then searched for. @param {number} row @param {string} [more] */
  item(row, more = "") {
    const word = this.vectors.words[row];
    const button = h("button", { type: "button" }, word);
    button.addEventListener("click", () => {
      this.search.set(word);
      this.showWord();
      this.near.closest("section")?.scrollIntoView({ block: "nearest" });
    });
    return h("li", {}, button, h("span", { class: "number" }, more));
  }

  showWord() {
    const { vectors } = this;
    const row = this.search.row();
    if (row < 0) return;
    const found = vectors.square[row] > 0 ? vectors.nearest([[row, 1]], NEIGHBOURS) : [];
    this.near.replaceChildren(...found.map((one) => this.item(one.row, fixed(one.score, 3))));
    const strong = found.length ? vectors.strongest(row) : [];
    this.strong.replaceChildren(
      ...strong.map(({ k, up, share }) => {
        const button = h(
          "button",
          { type: "button" },
          `feature ${k + 1}, ${up ? "one end" : "the other end"}`,
        );
        button.addEventListener("click", () => {
          this.slider.value = String(k + 1);
          this.showFeature();
          this.up.closest("section")?.scrollIntoView({ block: "nearest" });
        });
        return h("li", {}, button, h("span", { class: "number" }, `${(100 * share).toFixed(0)}%`));
      }),
    );
    const first = found.slice(0, 3).map((one) => vectors.words[one.row]);
    this.say(
      first.length
        ? `Nearest to ${vectors.words[row]}: ${first.join(", ")}.`
        : `${vectors.words[row]} has no direction.`,
    );
  }

  showAnalogy() {
    const { vectors } = this;
    const [a, b, c] = this.asked.map(({ row }) => row());
    if (Math.min(a, b, c) < 0) return;
    const found = vectors.nearest(
      [
        [b, 1],
        [a, -1],
        [c, 1],
      ],
      10,
    );
    this.answers.replaceChildren(...found.map((one) => this.item(one.row, fixed(one.score, 3))));
    const [name, of, as] = [a, b, c].map((row) => vectors.words[row]);
    if (found.length)
      this.say(`${name} is to ${of} as ${as} is to ${vectors.words[found[0].row]}.`);
  }

  showFeature() {
    const k = Number(this.slider.value);
    this.number.textContent = `${k} of ${this.vectors.dim}`;
    this.slider.setAttribute("aria-valuetext", `feature ${k}`);
    const [up, down] = this.vectors.ends(k - 1);
    this.up.replaceChildren(...up.map((row) => this.item(row)));
    this.down.replaceChildren(...down.map((row) => this.item(row)));
  }

  /** @param {string} text */
  say(text) {
    this.said.textContent = text;
  }
}

/** Bring the page to life. */
async function begin() {
  const text = document.getElementById("vectors")?.textContent;
  const main = document.querySelector("main");
  if (!text || !main) throw new Error("this page holds no vectors");
  /** @type {State} */
  const { words, start, _blob, ...rest } = JSON.parse(text);
  const state = /** @type {Record<string, unknown>} */ ({ ...rest, _blob: bytesOf(_blob) });
  const arrays = await unpack({ get: (name) => state[name] });
  const page = new Page(new Vectors(arrays, words), start, main);
  document.documentElement.dataset.live = "page";
  return page;
}

await begin();
