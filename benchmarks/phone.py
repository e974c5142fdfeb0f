"""A first visit on a slow phone: what each page of the built book transfers, and when it is usable.

    make book && python benchmarks/phone.py [index.html chapters/words.html ...]

Chromium as a phone 390 px wide, its processor four times slower, on a network of 1.6 Mbit/s with
150 ms of delay, from a server on this machine that compresses as GitHub Pages does. "Usable" is
when the largest thing that is seen has been painted and every explorer answers; "formulas" when all
are set. The shift is the sum of Chromium's layout-shift scores. Bytes are as transferred, gzipped.
"""

import functools
import gzip
import http.server
import sys
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

PACKED = {".html", ".js", ".css", ".svg", ".json", ".txt", ".xml"}
SLOW = {"offline": False, "latency": 150, "downloadThroughput": 2e5, "uploadThroughput": 9e4}
SLOWER = 4

OBSERVE = """
window.seen = { shift: 0, painted: 0, moved: [] };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    seen.shift += entry.value;
    for (const { node } of entry.sources) {
      seen.moved.push(`${entry.value.toFixed(3)} ${node?.nodeName} ${node?.className ?? ""}`);
    }
  }
}).observe({ type: "layout-shift", buffered: true });
new PerformanceObserver((list) => {
  seen.painted = list.getEntries().at(-1).startTime;
}).observe({ type: "largest-contentful-paint", buffered: true });
new MutationObserver(() => {
  const all = document.querySelectorAll("[data-explorer]");
  if (all.length && [...all].every((e) => e.dataset.live)) seen.live ??= performance.now();
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-live"] });
document.addEventListener("DOMContentLoaded", () => {
  seen.parsed = performance.now();
  setTimeout(() => window.qw2vFormulas?.then(() => { seen.formulas = performance.now(); }));
});
"""


class Packing(http.server.SimpleHTTPRequestHandler):
    """Serves text gzipped, and counts nothing."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        """Answer with a file."""
        path = Path(self.translate_path(self.path))
        path = path / "index.html" if path.is_dir() else path
        if not path.is_file():
            self.send_error(404)
            return
        body = path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        if path.suffix in PACKED:
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


def visit(browser, address):
    """Open a page as a first visitor; return its seconds, shift, bytes and the requests by kind."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, device_scale_factor=2)
    page = context.new_page()
    page.add_init_script(OBSERVE)
    client = context.new_cdp_session(page)
    client.send("Network.enable")
    client.send("Network.emulateNetworkConditions", SLOW)
    client.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
    kinds, names = {}, {}

    def requested(event):
        names[event["requestId"]] = event["request"]["url"]

    def arrived(event):
        name = names.get(event["requestId"], "").split("?")[0]
        kinds[name] = kinds.get(name, 0) + event["encodedDataLength"]

    client.on("Network.requestWillBeSent", requested)
    client.on("Network.loadingFinished", arrived)
    page.goto(address, wait_until="load", timeout=120_000)
    page.wait_for_function("window.seen.parsed && (!window.qw2vFormulas || window.seen.formulas)")
    page.wait_for_function(
        "[...document.querySelectorAll('[data-explorer]')].every((e) => e.dataset.live)"
    )
    page.wait_for_timeout(1500)
    seen = page.evaluate("window.seen")
    context.close()
    return seen, kinds


def main() -> int:
    """Visit the pages; return the exit code."""
    import screenshot
    from playwright.sync_api import sync_playwright

    executable = screenshot.chromium()
    wanted = [name for name in sys.argv[1:] if not name.startswith("-")] or screenshot.pages()
    if executable is None or not (screenshot.SITE / "index.html").is_file():
        print("Nothing to visit: build the book first (`make book`), and install Chromium.")
        return 1
    handler = functools.partial(Packing, directory=str(screenshot.SITE))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(f"{'page':32}{'MB':>6}{'usable':>9}{'formulas':>10}{'shift':>7}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=screenshot.FLAGS)
        for name in wanted:
            seen, kinds = visit(browser, f"http://127.0.0.1:{server.server_port}/{name}")
            usable = max(seen["painted"], seen.get("live", 0), seen["parsed"]) / 1e3
            formulas = seen.get("formulas", 0) / 1e3
            total = sum(kinds.values()) / 1e6
            print(f"{name:32}{total:6.2f}{usable:7.1f} s{formulas:8.1f} s{seen['shift']:7.3f}")
            if "--all" in sys.argv:
                for url, size in sorted(kinds.items(), key=lambda item: -item[1])[:12]:
                    print(f"    {size / 1e3:7.0f} kB  {url.split('/', 3)[-1]}")
                for moved in seen["moved"][:12]:
                    print(f"    moved {moved}")
        browser.close()
    server.shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
