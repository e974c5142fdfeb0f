"""Draw the README's picture, static/landing.svg, from the shipped statistics.

python tools/picture.py
"""

from pathlib import Path

import qw2v
from qw2v import dynamics, figures

FILE = Path(__file__).resolve().parent.parent / "static" / "landing.svg"


def main() -> None:
    """Draw it on white, since the README is read outside the book's style too."""
    stats = qw2v.load_statistics()
    path = dynamics.aligned(qw2v.target(stats), 1e-6, dim=200)
    picture = figures.closed_form.history(path, stats.words, horizon=3)
    svg = figures.to_svg(picture)
    start = svg.index(">", svg.index("<svg")) + 1
    FILE.write_text(f'{svg[:start]}<rect width="100%" height="100%" fill="white"/>{svg[start:]}')
    print(f"Drawn: {FILE.name}")


if __name__ == "__main__":
    main()
