/** What every page of the book runs: formulas are set when there is time, wide ones scroll. */

const BOXES =
  "div.math, .cell_output .output, .bd-article pre, .bd-article .pst-scrollable-table-container";

/** A box that scrolls can be reached with the keyboard. */
function reachable() {
  /** @type {NodeListOf<HTMLElement>} */
  const boxes = document.querySelectorAll(BOXES);
  for (const box of boxes) {
    if (box.scrollWidth <= box.clientWidth) box.removeAttribute("tabindex");
    else if (box.tabIndex !== 0) box.tabIndex = 0;
  }
}

/**
 * Load MathJax, where the page names it, and wait until the formulas are set. extensions/light_pages
 * writes the name into the pages that have a formula.
 */
async function setFormulas() {
  /** @type {HTMLMetaElement | null} */
  const named = document.querySelector("meta[name=mathjax]");
  if (!named) return;
  const script = document.createElement("script");
  script.src = named.content;
  await new Promise((resolve, reject) => {
    script.addEventListener("load", resolve);
    script.addEventListener("error", reject);
    document.head.append(script);
  });
  await /** @type {any} */ (window).MathJax.startup.promise;
}

/** The theme's arrows beside pages that have pages of their own hold no word: give them one. */
function nameArrows() {
  for (const arrow of document.querySelectorAll("li.has-children > details > summary")) {
    const page = arrow.closest("li")?.querySelector("a")?.textContent?.trim();
    arrow.setAttribute("aria-label", `Pages under ${page || "this one"}`);
  }
}

/** When the page is there, with its pictures. */
const loaded = new Promise((resolve) => {
  if (document.readyState === "complete") resolve(undefined);
  else window.addEventListener("load", () => resolve(undefined));
});

/** Settled once the formulas are set. */
const settled = loaded.then(setFormulas);
Object.assign(window, { qw2vFormulas: settled });
settled.finally(() => {
  document.documentElement.dataset.formulas = "";
});
if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", nameArrows);
else nameArrows();
loaded.then(() => {
  const observer = new ResizeObserver(reachable);
  for (const box of document.querySelectorAll(BOXES)) observer.observe(box);
  reachable();
  settled.then(reachable);
});
