"""The built book's links for a course: each opens a notebook of its page, none a solution."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest
import setup_cell
import yaml
from bs4 import BeautifulSoup
from course.source import problem_sets

pytestmark = pytest.mark.site
ROOT = Path(__file__).resolve().parents[2]
LAUNCH = ("colab.research.google.com", "mybinder.org")


def test_every_launch_link_names_a_notebook_of_its_page(site):
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    repository = setup_cell.repository_url().removeprefix("https://github.com/")
    branch, seen = config["repository"]["branch"], set()
    for page in site.rglob("*.html"):
        soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        for link in {str(a["href"]) for a in soup.select("a[href]")}:
            if urlsplit(link).netloc not in LAUNCH:
                continue
            colab = f"https://colab.research.google.com/github/{repository}/blob/{branch}/"
            binder = f"https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/"
            begun = next((start for start in (colab, binder) if link.startswith(start)), None)
            assert begun, f"{page.name}: {link}"
            notebook = link.removeprefix(begun)
            assert (ROOT / notebook).is_file(), f"{page.name}: {link}"
            own = notebook.removesuffix(".ipynb") + ".html"
            listed = page.name == "problem-sets.html" and notebook.startswith(
                "assignments/student/"
            )
            assert listed or site / own == page, f"{page.name}: {link}"
            seen.add(notebook)
    assert {f"assignments/student/{one.name}.ipynb" for one in problem_sets()} <= seen
    assert {f"chapters/{path.name}" for path in (ROOT / "chapters").glob("*.ipynb")} <= seen


def test_nothing_on_the_site_leads_to_solutions(site):
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        for place in ("assignments/exercises", "instructor.zip", "course/instructor"):
            assert place not in text, page
    names = {path.name for path in site.rglob("*") if path.is_file()}
    assert "exercises.md" not in names and "instructor.zip" not in names
