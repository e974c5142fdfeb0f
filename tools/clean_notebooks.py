"""Strip outputs, execution counts and editors' metadata from the notebooks, or check for them.

python tools/clean_notebooks.py           strip
python tools/clean_notebooks.py --check   say what would be stripped, change nothing
"""

import argparse
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def notebooks(root: Path = ROOT) -> list[Path]:
    """Return the book's notebooks."""
    return sorted([*root.glob("*.ipynb"), *root.glob("chapters/*.ipynb")])


def cleaned(text: str) -> str:
    """Return a notebook's text as it is stored: no outputs, no counts, one kernel's name."""
    notebook = nbformat.reads(text, as_version=4)
    _, notebook = nbformat.validator.normalize(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        for key in ("ExecuteTime", "collapsed", "execution", "scrolled", "vscode", "colab"):
            cell.metadata.pop(key, None)
    extra = {k: v for k, v in notebook.metadata.items() if k == "mystnb"}
    notebook.metadata = nbformat.from_dict({**KERNEL, **extra})
    return nbformat.writes(notebook) + "\n"


def main() -> int:
    """Strip or check; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing, only say")
    check = parser.parse_args().check
    unclean = []
    for path in notebooks():
        text = path.read_text(encoding="utf-8")
        clean = cleaned(text)
        if clean != text:
            unclean.append(path)
            print(f"{path.relative_to(ROOT)}: {'not clean' if check else 'cleaned'}")
            if not check:
                path.write_text(clean, encoding="utf-8")
    if check and unclean:
        print("Mend it with: make clean-notebooks")
    return int(check and bool(unclean))


if __name__ == "__main__":
    sys.exit(main())
