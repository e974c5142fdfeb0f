"""Write the set-up cell, the same in every chapter, into the chapters; or check that it is there.

The cell's text has one source, TEMPLATE; what it asks for stands in pyproject.toml.

    python tools/setup_cell.py           write it where it differs
    python tools/setup_cell.py --check   say where it differs, change nothing
"""

import argparse
import re
import sys
import textwrap
import tomllib
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
CELL_ID = "setup"
METADATA = {"mystnb": {"code_prompt_show": "Set-up"}, "tags": ["hide-input"]}

# Where all is there, nothing is installed; what is installed already, torch above all, stays.
TEMPLATE = '''\
# Set-up, the same in every chapter; harmless to run twice.
from importlib.util import find_spec

needed = """{needed}""".split()
if any(find_spec(name) is None for name in needed):
    # On Colab, or where the notebook stands on its own.
    %pip install --quiet "qw2v[{extras}]>={version}"

from qw2v.figures import use_style

use_style()'''
EXTRAS = ("notebooks", "training")


def repository_url(root: Path = ROOT) -> str:
    """Return the repository's address, as _config.yml gives it."""
    return yaml.safe_load((root / "_config.yml").read_text(encoding="utf-8"))["repository"]["url"]


def source(root: Path = ROOT) -> str:
    """Return the text of the set-up cell."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [requirement for extra in ("figures", *EXTRAS) for requirement in extras[extra]]
    names = {re.match(r"[A-Za-z0-9_-]+", requirement)[0] for requirement in wanted}
    return TEMPLATE.format(
        needed=textwrap.fill(" ".join(["qw2v", *sorted(names - {"qw2v", "ipykernel"})]), 60),
        extras=",".join(EXTRAS),
        version=project["version"],
    )


def chapters(root: Path = ROOT) -> list[Path]:
    """Return the notebooks that carry the cell."""
    return [root / "index.ipynb", *sorted(root.glob("chapters/*.ipynb"))]


def differs(path: Path, text: str) -> bool:
    """Return whether the notebook's first code cell is anything but the set-up cell."""
    first = next((c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"), {})
    have = first.get("id"), first.get("source"), first.get("metadata")
    return have != (CELL_ID, text, METADATA)


def write(path: Path, text: str) -> None:
    """Put the set-up cell before the notebook's first code cell, in the old one's place if any."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.id != CELL_ID]
    where = next((i for i, cell in enumerate(cells) if cell.cell_type == "code"), len(cells))
    cell = nbformat.v4.new_code_cell(text, id=CELL_ID, metadata=METADATA)
    notebook.cells = [*cells[:where], cell, *cells[where:]]
    nbformat.write(notebook, path)


def main() -> int:
    """Write or check; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, only say")
    check = parser.parse_args().check
    text = source()
    stale = [path for path in chapters() if differs(path, text)]
    for path in stale:
        if not check:
            write(path, text)
        print(f"{path.relative_to(ROOT)}: set-up cell {'differs' if check else 'written'}")
    if check and stale:
        print("Mend it with: make setup-cells")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
