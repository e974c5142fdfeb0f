"""Sphinx extension of the book: pages that are valid HTML, and that speak without their scripts.

The libraries that write parts of a page leave four things that HTML does not allow. Each is put
right where the page's text goes into the theme's frame:

- styles of tables inside the text move to the page's head;
- a folded cell's label is a line of its summary, no paragraph in it;
- the contents of every exercise, solution and proof share an id that nothing points to: it goes;
- the cells of a table that spans rows say how they are aligned in a style, no longer in `valign`.

A reader whose browser runs no scripts is told why formulas look as they do.
"""

import re

from light_pages import FORMULA

STYLE = re.compile(r"<style[^>]*>.*?</style>\s*", re.S)
SUMMARY = re.compile(r"<summary[^>]*>.*?</summary>", re.S)
SHARED_ID = re.compile(r'(<[a-z]+[^>]*) id="(?:exercise|solution|proof)-content"')
VALIGN = re.compile(r'(<t[hd][^>]*) valign="(\w+)"')
WITHOUT_SCRIPTS = """<noscript><p class="without-scripts">This browser runs no scripts: formulas
stand as they were typed, in TeX, explorers as pictures, and questions are not marked.</p>
</noscript>
"""


def valid(body: str) -> tuple[str, str]:
    r"""Return the text of a page as HTML allows it, and the styles that belong into its head.

    >>> valid('<summary><p class="a">Set-up</p></summary>')[0]
    '<summary><span class="a">Set-up</span></summary>'
    >>> valid('<th rowspan="2" valign="top">1</th>')[0]
    '<th rowspan="2" style="vertical-align: top">1</th>'
    >>> valid('<div><style type="text/css">\n#T { color: red }</style>7</div>')
    ('<div>7</div>', '<style type="text/css">\n#T { color: red }</style>')
    >>> valid('<section class="b" id="proof-content">')[0]
    '<section class="b">'
    """
    styles = "".join(style.strip() for style in STYLE.findall(body))
    body = SUMMARY.sub(
        lambda m: m[0].replace("<p ", "<span ").replace("</p>", "</span>"), STYLE.sub("", body)
    )
    body = VALIGN.sub(r'\1 style="vertical-align: \2"', SHARED_ID.sub(r"\1", body))
    return body, styles


def put_right(app, pagename, templatename, context, doctree):
    """Hand the theme valid text."""
    if "body" not in context:
        return
    body, styles = valid(context["body"])
    context["body"] = (WITHOUT_SCRIPTS if FORMULA.search(body) else "") + body
    context["metatags"] = context.get("metatags", "") + styles


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", put_right)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
