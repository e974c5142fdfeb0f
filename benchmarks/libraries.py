"""What the package does by hand, beside the library that could do it: why each was kept.

    python benchmarks/libraries.py

Statistics files: size and loading time against numcodecs (delta, then Blosc's zstd with shuffle).
Downloads: bytes sent until a file is whole over a connection that drops, against pooch. A library
that is not installed is passed over: `pip install numcodecs pooch`.
"""

import hashlib
import http.server
import io
import tempfile
import threading
import time
import zipfile
from pathlib import Path

import numpy as np

import qw2v
from qw2v import _download
from qw2v.statistics import CorpusStatistics

DROPS_AFTER = 600_000


def codec() -> None:
    """Print the size of the shipped counts and the time to load them, both ways."""
    try:
        from numcodecs import Blosc, Delta
    except ImportError:
        print("numcodecs is not installed")
        return
    stats = qw2v.load_statistics()
    upper = stats.pair_counts
    rows = np.repeat(np.arange(stats.vocab_size), np.diff(upper.indptr))
    kept = upper.indices >= rows
    columns, values = upper.indices[kept].astype("<i4"), upper.data[kept].astype("<i4")
    blosc = Blosc("zstd", clevel=9, shuffle=Blosc.SHUFFLE)
    delta = Delta("<i4")
    packed = [blosc.encode(delta.encode(columns)), blosc.encode(values)]

    def unpack() -> object:
        back = delta.decode(np.frombuffer(blosc.decode(packed[0]), "<i4"))
        counts = np.frombuffer(blosc.decode(packed[1]), "<i4").astype(np.int64)
        starts = np.concatenate(
            [[0], np.cumsum(np.bincount(rows[kept], minlength=len(stats.words)))]
        )
        from scipy import sparse

        half = sparse.csr_array((counts, back, starts), shape=upper.shape)
        diagonal = sparse.diags_array(half.diagonal())
        return (half + half.T - diagonal).tocsr()

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "stats.npz")
        stats.save(path)
        ours, theirs = timed(lambda: CorpusStatistics.load(path)), timed(unpack)
        sizes = path.stat().st_size, sum(map(len, packed))
    print(f"statistics   ours {sizes[0] / 1e6:.2f} MB, {ours:.2f} s to load and check")
    print(f"        numcodecs {sizes[1] / 1e6:.2f} MB, {theirs:.2f} s to load, unchecked")


def timed(function) -> float:
    """Return the best of three times in seconds."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        function()
        times.append(time.perf_counter() - began)
    return min(times)


class Dropping(http.server.BaseHTTPRequestHandler):
    """Serves `content`, with ranges, and drops every connection early."""

    content, sent = b"", 0

    def do_GET(self):
        """Answer up to DROPS_AFTER bytes."""
        wanted = self.headers.get("Range", "bytes=0-")
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        body = self.content[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:DROPS_AFTER])
        type(self).sent += len(body[:DROPS_AFTER])

    def log_message(self, *_):
        """Print nothing."""


def downloads() -> None:
    """Print what both need for a file that no single connection brings whole."""
    text = np.random.default_rng(0).bytes(2_000_000)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("tiny", text)
    Dropping.content = packed.getvalue()
    digest = hashlib.sha256(Dropping.content).hexdigest()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Dropping)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}/tiny.zip"
    _download._WAIT = 0
    with tempfile.TemporaryDirectory() as folder:
        corpus = _download.Corpus(
            url, len(Dropping.content), digest, "tiny", len(text), hashlib.md5(text).hexdigest(), ""
        )
        _download.download(corpus, Path(folder), progress=False)
        print(
            f"downloads    ours whole after {Dropping.sent / len(Dropping.content):.2f} of its size"
        )
        try:
            import pooch
        except ImportError:
            print("pooch is not installed")
            return
        Dropping.sent = 0
        pooch.get_logger().setLevel("CRITICAL")
        fetcher = pooch.create(folder, f"http://127.0.0.1:{server.server_port}/", retry_if_failed=4)
        fetcher.registry = {"tiny.zip": f"sha256:{digest}"}
        try:
            fetcher.fetch("tiny.zip")
            outcome = "whole"
        except Exception as error:
            outcome = f"gave up ({type(error).__name__})"
        share = Dropping.sent / len(Dropping.content)
        print(f"            pooch {outcome} after {share:.2f} of its size, with five attempts")
    server.shutdown()


if __name__ == "__main__":
    downloads()
    codec()
