"""Read the book's prose: typed results, symbols of equations, names of computed numbers.

    python tools/prose.py [PAGE ...]     print what tests/test_prose.py would find there

A digit in a sentence is a result unless it is obviously something else: a number of the paper's
sections, a year, a small count, or a setting, which then stands in a cell of the same page too.
"""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi "
    "omicron pi rho varrho sigma varsigma tau upsilon phi varphi chi psi omega "
    "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega ell"
).split()
FONTS = "mathbf|boldsymbol|mathcal|mathsf|mathbb|bar|tilde|widetilde|hat"
# Numbers that any page may state: the shipped vocabulary, the names of tests.
DEFINED = {10_000.0, 353.0}
NAMED = re.compile(
    r"\b(?:Settings?|Results?|Theorems?|Lemmas?|Propositions?|Corollary|Corollaries|Figures?|"
    r"Sections?|Tables?|Appendix|Chapters?|Steps?|Exercises?|Python|seed|version|CC BY(?:-SA)?) "
    r"(?:[A-Z]\.)?\d[\d.]*[a-z]?(?: and \d[\d.]*[a-z]?)?"
)
IN_WORDS = re.compile(
    r"\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|"
    r"forty|fifty|sixty|seventy|eighty|ninety|hundred)[ -](?:percent|per cent|percentage points|"
    r"points|digits)\b"
)
UNITS = (
    r"(?:%|°|percent\b|per cent\b|percentage points|points\b|times\b|seconds\b|minutes\b|hours\b)"
)
TYPED = re.compile(rf"(?<![\w.])(\d[\d,]*(?:\.\d+)?)(?:[\s-]?({UNITS}))?(?![\w])")


def pages() -> list[str]:
    """Return the pages of the book in order, as `_toc.yml` names them."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(page["file"] for part in toc["parts"] for page in part["chapters"])]


def read(page: str) -> tuple[list[tuple[str, str]], list[str]]:
    """Return a page's prose, as (place, text), and the sources of its code cells."""
    path = ROOT / f"{page}.md"
    if path.exists():
        return [(path.name, path.read_text(encoding="utf-8"))], []
    texts, codes = [], []
    for cell in nbformat.read(ROOT / f"{page}.ipynb", as_version=4).cells:
        if cell.cell_type == "markdown":
            texts.append((cell.id, cell.source))
            continue
        codes.append(cell.source)
        figure = cell.metadata.get("mystnb", {}).get("figure", {})
        if "caption" in figure:
            texts.append((f"{cell.id}, caption", figure["caption"]))
    return texts, codes


def sentences(text: str) -> str:
    """Return a cell's text without mathematics, code, roles, directives' options and links."""
    for pattern in (
        r"^ *[`:]{3,}\{math\}.*?^ *[`:]{3,} *$",  # displayed equations
        r"^ *`{3,}(?:python|sh|bibtex|text|toml)?\n.*?^ *`{3,} *$",  # code
        r"\$\$.*?\$\$",
    ):
        text = re.sub(pattern, " ", text, flags=re.DOTALL | re.MULTILINE)
    for pattern in (
        r"^ *:[a-z-]+:.*$",  # options
        r"^ *\d+\. ",  # numbers of a list
        r"\{[\w:.-]+\}`[^`]*`",  # roles
        r"`[^`\n]*`",
        r"\$[^$]*\$",
        r"\]\([^)]*\)",
        r"<[^>]*>",
    ):
        text = re.sub(pattern, " ", text, flags=re.MULTILINE)
    return text


def settings(codes: list[str]) -> set[float]:
    """Return every number that stands in the page's cells."""
    found = set(DEFINED)
    for code in codes:
        plain = re.sub(r"^( *)%.*$", r"\1pass", code, flags=re.MULTILINE)
        for node in ast.walk(ast.parse(plain)):
            if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
                found.add(float(node.value))
    return found


def typed_results(page: str) -> Iterator[str]:
    """Yield every number in a page's prose that looks like a result and is typed."""
    texts, codes = read(page)
    known = settings(codes)
    for place, text in texts:
        plain = NAMED.sub(" ", sentences(text))
        for found in IN_WORDS.finditer(plain):
            yield f"{place}: {around(plain, found)}"
        for found in TYPED.finditer(plain):
            digits, unit = found[1].rstrip(","), found[2]
            value = float(digits.replace(",", ""))
            if unit in ("%", "percent", "per cent"):
                allowed = any(abs(value / 100 - one) < 1e-12 for one in known)
            elif value in known:
                allowed = True
            else:
                year = len(digits) == 4 and 1850 <= value <= 2030
                allowed = not unit and (year or (value <= 20 and value == int(value)))
            if not allowed:
                yield f"{place}: {around(plain, found)}"


def around(text: str, found: re.Match[str]) -> str:
    """Return the words about a find."""
    return " ".join(text[max(0, found.start() - 45) : found.end() + 30].split())


def equations(text: str) -> list[str]:
    """Return the displayed equations of a text."""
    blocks = re.findall(
        r"^ *[`:]{3,}\{math\}[^\n]*\n(.*?)^ *[`:]{3,} *$", text, re.DOTALL | re.MULTILINE
    )
    return blocks + re.findall(r"\$\$(.*?)\$\$", text, re.DOTALL)


def symbols(tex: str) -> set[str]:
    r"""Return the symbols of a formula: a letter, its font, star or sign, a subscript, no index.

    >>> sorted(symbols(r"M^\star_{ij} = \tfrac12 \Psi^+_{ij} P_{ij} + \lambda_k d_{\mathrm{eff}}"))
    ['M^\\star', 'P', '\\Psi^+', '\\lambda', 'd_eff']
    """
    tex = re.sub(r":[a-z]+:.*", " ", tex)
    tex = re.sub(r"\\(?:text|operatorname|begin|end|mathit)\*?\{[^{}]*\}", " ", tex)
    tex = re.sub(r"_\{?\\mathrm\{([^{}]*)\}\}?", r"_{\1}", tex)
    tex = re.sub(r"\\mathrm\{[^{}]*\}(?:_\{[^{}]*\}|_\w)?", " ", tex)  # of several letters
    tex = re.sub(rf"\\({FONTS})\s*(\\[A-Za-z]+|[A-Za-z])", r"\\\1{\2}", tex)
    tex = re.sub(
        rf"\\(?!(?:{'|'.join([*GREEK, FONTS, 'star', 'min', 'max'])})(?![A-Za-z]))[A-Za-z]+",
        " ",
        tex,
    )
    letter = rf"\\(?:{'|'.join(GREEK)})(?![A-Za-z])|[A-Za-z]"
    symbol = re.compile(
        rf"(?:\\({FONTS})\{{\s*)?({letter})\}}?"
        r"((?:\^\{?\\star\}?|\^(?:\{[+\-]\}|[+\-](?![A-Za-z0-9\\]))|')*)"
        r"(?:_(\{[^{}]*\}|\\?\w))?"
        r"((?:\^\{?\\star\}?|'|\^(?:\{[+\-]\}|[+\-](?![A-Za-z0-9\\])))*)"
    )
    found = set()
    for font, base, before, below, after in symbol.findall(tex):
        name = f"\\{font}{{{base}}}" if font else base
        name += (before + after).replace("{", "").replace("}", "")
        below = below.strip("{}").strip()
        if below and not re.fullmatch(r"(?:[ijklmnabt\d]|\s|,|[+\-<>]|\\perp)*", below):
            name += f"_{below}".replace("\\", "")
        found.add(name)
    return found


def on_notation_page() -> set[str]:
    """Return the symbols that the notation page lists, in the first column of its tables."""
    text = (ROOT / "notation.md").read_text(encoding="utf-8")
    found: set[str] = set()
    for row in re.findall(r"^\|([^|]*)\|", text, re.MULTILINE):
        for formula in re.findall(r"\$([^$]*)\$", row):
            found |= symbols(formula)
    return found


def defined_on(page: str) -> set[str]:
    """Return the symbols that a page's sentences introduce: alone, or to the left of a relation."""
    found: set[str] = set()
    for _, text in read(page)[0]:
        for formula in re.findall(r"(?<!\$)\$([^$]+)\$(?!\$)", text):
            for part in re.split(r",\s*\\?q?quad|,(?![^{(]*[})])", formula):
                left = re.split(r"=|\\in\b|\\sim|\\propto|\\to\b", part)[0]
                names = symbols(re.sub(r"\([^()]*\)", " ", left))
                if len(names) == 1:
                    found |= names
        for formula in equations(text):
            for line in re.split(r"\\\\|\\q?quad|,\n", formula):
                left = re.split(r"&?=|:=", re.sub(r":label:.*", "", line))
                names = symbols(re.sub(r"\([^()]*\)", " ", left[0])) if len(left) > 1 else set()
                if len(names) == 1:
                    found |= names
    return found


def unknown_symbols(page: str) -> dict[str, str]:
    """Return the symbols of a page's displayed equations that are defined nowhere, and where."""
    known = on_notation_page() | defined_on(page)
    return {
        name: place
        for place, text in read(page)[0]
        for formula in equations(text)
        for name in sorted(symbols(formula) - known)
    }


def glued(page: str) -> tuple[set[str], list[str]]:
    """Return the names of numbers that a page's text takes, and those its cells give."""
    texts, codes = read(page)
    taken = {
        name.split(":")[0]
        for _, text in texts
        for name in re.findall(r"\{glue:(?:text|md)\}`([^`]*)`", text)
        if "::" not in name
    }
    given = [name for code in codes for name in re.findall(r"\bnumber\(\s*f?\"([^\"]+)\"", code)]
    return taken, given


def main() -> int:
    """Print what is found on the pages named, or on all."""
    for page in sys.argv[1:] or pages():
        for line in typed_results(page):
            print(f"{page}: typed: {line}")
        for name, place in unknown_symbols(page).items():
            print(f"{page}: symbol {name} in {place} is not on the notation page nor defined")
    return 0


if __name__ == "__main__":
    sys.exit(main())
