"""Sphinx extension of the book: what a page loads is what it shows.

The theme brings all of Font Awesome, as a script of 540 kB gzipped and as fonts of 275 kB, for some
thirty icons; MathJax, 260 kB, holds up what a reader sees first; and so do a dozen scripts. After
the pages have been written, this

- cuts the fonts down to the icons that the pages, the styles and the scripts name, and takes the
  script out of the pages;
- leaves MathJax to static/qw2v.js, which loads it after the rest, and only where a formula is;
- keeps free the room that each formula in a line will take, so that no line is set twice;
- lets scripts wait until the page has been read.
"""

import html
import re
from pathlib import Path

import pydata_sphinx_theme
from fontTools import subset

FONTS = sorted(
    Path(pydata_sphinx_theme.__file__).parent.glob("**/static/vendor/fontawesome/webfonts/*.ttf")
)
SCRIPT = re.compile(
    r'<script[^>]* src="[^"]*_static/scripts/fontawesome\.js[^"]*"[^>]*></script>\s*'
)
PRELOAD = re.compile(r'<link[^>]*rel="preload"[^>]*fontawesome[^>]*>\s*')
MATHJAX = re.compile(r'<script[^>]* src="([^"]*_static/mathjax/[^"]*)"[^>]*></script>')
SETTINGS = re.compile(r"<script>window\.MathJax = .*?</script>\s*")
PLAIN = re.compile(
    r'<script (?![^>]*(?:defer|async|type=|documentation_options))([^>]*src="[^"]*")'
)
FORMULA = re.compile(r'class="math[ "]')
INLINE = re.compile(r'<span class="math notranslate nohighlight">(\\\((.*?)\\\))</span>', re.S)
# What takes no room of its own; an index or exponent; what stands between spaces; other commands.
NO_ROOM = re.compile(
    r"\\(?:(?:math\w+|boldsymbol|text|operatorname|tilde|bar|hat|dot|[bB]ig[lr]?|left|right|t?frac"
    r"|sqrt|\w+style|quad)(?![a-zA-Z])|[,;!: ])"
)
SMALL = re.compile(r"[_^](?:\{([^{}]*)\}|(\\[a-zA-Z]+|.))")
RELATION = re.compile(
    r"\\(?:approx|le|ge|ll|gg|to|in|sim|propto|leftarrow|times|cdot|pm|ne|mapsto)(?![a-zA-Z])"
    r"|[=<>+-]"
)
WORD = re.compile(r"\\(?:log|exp|tanh|min|max|det)(?![a-zA-Z])")
COMMAND = re.compile(r"\\[a-zA-Z]+")
NAME = re.compile(r"\bfa-([a-z0-9-]+)")
RULE = re.compile(r"([^{}]*)\{([^{}]*)\}")
ESCAPE = re.compile(r"\\([0-9a-f]{4})\b|([\ue000-\uf8ff])")


def icons(styles: str, texts: str) -> set[int]:
    """Return the code points of the icons that pages and scripts name, and of all in other styles.

    >>> styles = r'.fa-bars:before{content:"\\f0c9"}.fa-x:before{content:"\\f00d"}a{--b:"\\f107"}'
    >>> sorted(map(hex, icons(styles, '<i class="fas fa-bars"></i>')))
    ['0xf0c9', '0xf107']
    """
    named = set(NAME.findall(texts))
    found = set()
    for selector, declarations in RULE.findall(styles):
        of = set(NAME.findall(selector))
        if not of or of & named:
            found |= {int(code, 16) if code else ord(c) for code, c in ESCAPE.findall(declarations)}
    return found


def cut_font(source: Path, target: Path, wanted: set[int]) -> None:
    """Write the glyphs that are wanted of a font, as .woff2 and, for old browsers, as .ttf."""
    for flavor, ending in (("woff2", ".woff2"), (None, ".ttf")):
        options = subset.Options(flavor=flavor, notdef_outline=True)
        font = subset.load_font(str(source), options)
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=wanted & set(font.getBestCmap()))
        cutter.subset(font)
        subset.save_font(font, str(target.with_suffix(ending)), options)


def room(tex: str) -> float:
    r"""Return about how many em a formula in a line is wide.

    The weights are those of least squares over the 1,039 formulas of eight pages, as MathJax sets
    them; they are half an em off on average.

    >>> room(r"P_{ij}"), room(r"x = \mathbf w_i \cdot \mathbf w_j")
    (1.7, 6.5)
    """

    def letters(part: str) -> int:
        return len(re.sub(r"[\s{}\\]", "", COMMAND.sub("x", part)))

    plain = NO_ROOM.sub("", WORD.sub("aaa", tex))
    scripts = sum(letters(braced or single) for braced, single in SMALL.findall(plain))
    line = SMALL.sub("", plain)
    relations = len(RELATION.findall(line))
    return round(0.66 * letters(RELATION.sub("", line)) + 0.5 * scripts + 1.78 * relations, 1)


def lighten(page: str) -> str:
    """Return a page without what it does not need.

    >>> lighten('<script src="../_static/doctools.js"></script>')
    '<script defer src="../_static/doctools.js"></script>'
    """
    page = SCRIPT.sub("", PRELOAD.sub("", page))
    page = INLINE.sub(
        lambda m: m[0].replace(">", f' style="--room:{room(html.unescape(m[2]))}em">', 1), page
    )
    if FORMULA.search(page):
        page = MATHJAX.sub(lambda m: f'<meta name="mathjax" content="{html.escape(m[1])}">', page)
    else:
        page = SETTINGS.sub("", MATHJAX.sub("", page))
    return PLAIN.sub(r"<script defer \1", page)


def rewrite_pages(app, exception):
    """Cut the fonts, and write every page anew that can be lighter."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    static = folder / "_static"
    texts = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.html")}
    scripts = [path for path in static.rglob("*.js") if "mathjax" not in path.parts]
    scripts = [
        path.read_text(encoding="utf-8") for path in scripts if "fontawesome" not in path.name
    ]
    styles = "".join(path.read_text(encoding="utf-8") for path in sorted(static.rglob("*.css")))
    wanted = icons(styles, "".join([*texts.values(), *scripts]))
    for source in FONTS:
        cut_font(source, static / "vendor" / "fontawesome" / "webfonts" / source.name, wanted)
    (static / "scripts" / "fontawesome.js").unlink(missing_ok=True)
    for path, text in texts.items():
        light = lighten(text)
        if light != text:
            path.write_text(light, encoding="utf-8")


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", rewrite_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
