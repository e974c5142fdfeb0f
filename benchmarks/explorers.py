"""What the explorers of the built book weigh, and how long an input takes to show.

    make book && python benchmarks/explorers.py

Prints for each page with explorers the bytes of its own (the page, its pictures) and those it
shares with every page (the theme's styles and scripts, MathJax), as loaded; and for each slider the
milliseconds from an input event to a finished drawing: scripts, layout and pixels, over 60 inputs,
without the wait for the screen's next refresh. One frame at 60 Hz is 16.7 ms.
"""

import statistics
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

# Frames are run by hand; reading a pixel of each canvas waits until it is painted.
TIME_INPUTS = """async (slider) => {
  const real = window.requestAnimationFrame, calls = [];
  window.requestAnimationFrame = (call) => calls.push(call);
  const box = slider.closest(".qw2v-explorer"), times = [];
  const low = Number(slider.min), high = Number(slider.max);
  for (let i = 0; i < 60; i++) {
    slider.value = low + ((i * 37) % 60) / 59 * (high - low);
    const start = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    for (const call of calls.splice(0)) call(start);
    box.getBoundingClientRect();
    for (const canvas of box.querySelectorAll("canvas")) {
      canvas.getContext("2d").getImageData(0, 0, 1, 1);
    }
    times.push(performance.now() - start);
  }
  window.requestAnimationFrame = real;
  return times;
}"""


def weigh(page, path):
    """Open a page; print its own bytes and the shared ones by what the browser asked for."""
    own, shared = defaultdict(int), defaultdict(int)

    def note(request):
        file = Path(request.url.removeprefix("file://").split("?")[0])
        if file.is_file():
            kind = shared if "_static" in file.parts else own
            kind[file.suffix] += file.stat().st_size

    page.on("request", note)
    page.goto(path.as_uri())
    page.wait_for_selector("[data-live=page]")
    page.wait_for_load_state("networkidle")
    own_text = ", ".join(f"{suffix} {size / 1e3:.0f}" for suffix, size in own.items())
    print(
        f"{path.name}: own {sum(own.values()) / 1e6:.2f} MB ({own_text} kB), "
        f"shared {sum(shared.values()) / 1e6:.2f} MB"
    )


def main() -> int:
    """Measure every page of the built book that has explorers; return the exit code."""
    import screenshot
    from playwright.sync_api import sync_playwright

    pages = [
        screenshot.SITE / name
        for name in screenshot.pages()
        if "data-explorer=" in (screenshot.SITE / name).read_text(encoding="utf-8")
    ]
    executable = screenshot.chromium()
    if not pages or executable is None:
        print("Nothing to measure: build the book first (`make book`), and install Chromium.")
        return 1
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=screenshot.FLAGS)
        for path in pages:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            weigh(page, path)
            for box in page.locator("[data-explorer]").all():
                size = len(box.evaluate("e => e.outerHTML").encode())
                print(f"  {box.get_attribute('data-explorer').split('-')[0]}: {size / 1e3:.0f} kB")
                for slider in box.locator("input[type=range]").all():
                    label = slider.evaluate("e => e.labels[0].textContent")
                    times = slider.evaluate(TIME_INPUTS)
                    print(
                        f"    {label}: median {statistics.median(times):.1f} ms, "
                        f"longest {max(times):.1f} ms"
                    )
            page.close()
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
