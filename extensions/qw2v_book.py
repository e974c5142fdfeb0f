"""Sphinx extension of the book: what the chapters' outputs depend on besides their own cells.

myst-nb keeps executed notebooks in a cache that is keyed on code cells alone, so a change in
`qw2v/` or `data/` would leave stale pages. Here the cache folder is named by a hash of those
files. The folder's name is a setting of the build, and Sphinx reads every page again when such
a setting changes: a bare `jupyter-book build .` is right too. The site's own styles and scripts are
watched likewise, but they only make Sphinx write the pages again.
"""

import hashlib
import os
import re
import shutil
from pathlib import Path

from docutils import nodes

COMPUTED_FROM = ("qw2v", "data", "constraints.txt")
WRITTEN_WITH = ("static", "extensions")
PREFIX = ".jupyter_cache-"
EMPTY_HEADER = re.compile(r'<th( class="[^"]*")?\s*>(?:&nbsp;|\s)*</th>')


def content_hash(root: Path, names: tuple[str, ...]) -> str:
    """Hash the names and contents of these files and of everything in these folders."""
    files = []
    for name in names:
        path = root / name
        files += [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    digest = hashlib.sha256()
    for path in sorted(files):
        if "__pycache__" in path.parts or path.name.startswith("."):
            continue
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()[:16]


def use_cache_of_this_content(app, config):
    """Point myst-nb at the cache folder of this content; remove those of older content."""
    build = Path(app.outdir).parent
    current = build / f"{PREFIX}{content_hash(Path(app.srcdir), COMPUTED_FROM)}"
    for folder in build.glob(f"{PREFIX}*"):
        if folder != current:
            shutil.rmtree(folder)
    config.nb_execution_cache_path = str(current)
    config.qw2v_written_with = content_hash(Path(app.srcdir), WRITTEN_WITH)


def try_failed_pages_again(app, env, added, changed, removed):
    """Name the pages whose last execution failed: Sphinx alone would pass over them in silence."""
    pages = getattr(env, "nb_metadata", {}).items()
    return [name for name, data in pages if not data.get("exec_data", {}).get("succeeded", True)]


def name_no_empty_header(app, doctree, docname):
    """Make the empty corner of a table that pandas wrote a plain cell: it heads nothing."""
    for node in doctree.findall(nodes.raw):
        node.children = [nodes.Text(EMPTY_HEADER.sub(r"<td\1></td>", node.astext()))]


def leave_out_widget_state(app, env):
    """Drop the kernel's copy of every widget: no page without a kernel reads it."""
    for page in getattr(env, "nb_metadata", {}).values():
        page.get("js_files", {}).pop("ipywidgets_state", None)


def as_plain_text(app, what, name, obj, options, lines):
    """Show a docstring as it reads in the code: M* is no emphasis, |x| no substitution.

    Single backticks are code, as everywhere in the book; what is indented before the first section
    is set as it stands, and so are doctests.
    """
    shown, example, literal, sections = [], False, False, False
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        sections = sections or (after.startswith("---") and bool(line.strip()))
        example = bool(line.strip()) and (example or line.lstrip().startswith(">>>"))
        if line.strip() and not line.startswith(" "):
            literal = False
        elif line.startswith("    ") and not (literal or sections or example) and not shown[-1]:
            shown += ["::", ""]
            literal = True
        if example or literal:
            shown.append(line)
            continue
        # Odd parts lie between backticks.
        parts = re.split(r"`+", line.replace("\\", "\\\\"))
        parts[::2] = [re.sub(r"([*|]|(?<=\w)_(?!\w))", r"\\\1", part) for part in parts[::2]]
        shown.append("``".join(parts))
    lines[:] = shown


def setup(app):
    """Register with Sphinx."""
    os.environ["TQDM_DISABLE"] = "1"  # a finished bar is no part of a page
    os.environ["QW2V_BOOK"] = "1"  # numbers stand in the text, see qw2v.prose
    app.add_config_value("qw2v_written_with", "", "html", str)
    app.connect("config-inited", use_cache_of_this_content)
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", as_plain_text, priority=400)
    app.connect("env-get-outdated", try_failed_pages_again)
    app.connect("env-updated", leave_out_widget_state)
    app.connect("doctree-resolved", name_no_empty_header)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
