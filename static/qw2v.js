// Wide formulas scroll in their own box; a box that scrolls can be reached with the keyboard.
(() => {
  const selector = "div.math, .cell_output .output, .bd-article .pst-scrollable-table-container";
  const update = () => {
    for (const box of document.querySelectorAll(selector)) {
      const scrolls = box.scrollWidth > box.clientWidth;
      if (!scrolls) {
        box.removeAttribute("tabindex");
      } else if (box.tabIndex !== 0) {
        box.tabIndex = 0;
      }
    }
  };
  window.addEventListener("load", () => {
    const observer = new ResizeObserver(update);
    for (const box of document.querySelectorAll(selector)) observer.observe(box);
    // MathJax typesets after the page has loaded and changes widths inside the boxes.
    window.MathJax?.startup?.promise?.then(update);
    update();
  });
})();

// The theme's arrows beside pages that have pages of their own hold no word: give them one.
(() => {
  const name = () => {
    for (const arrow of document.querySelectorAll("li.has-children > details > summary")) {
      const page = arrow.closest("li").querySelector("a")?.textContent.trim();
      arrow.setAttribute("aria-label", `Pages under ${page || "this one"}`);
    }
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", name);
  else name();
})();
