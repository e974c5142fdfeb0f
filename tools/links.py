"""Ask every external link of a built site whether it still answers.

    python tools/links.py _build/html

Prints what does not, with the pages it stands on, and then exits with 1. A server that refuses
robots (401, 403, 405, 429) is there, and is only counted.
"""

import argparse
import sys
import urllib.error
import urllib.request
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser
from pathlib import Path

THERE = (401, 403, 405, 429)  # answers of a server that does not want to be asked by a program
AGENT = {"User-Agent": "Mozilla/5.0 (link check of a static site)"}


class Links(HTMLParser):
    """Collects the addresses that a page points to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the address of a link."""
        address = dict(attrs).get("href") if tag == "a" else None
        if address and address.startswith(("http://", "https://")):
            self.found.add(address.split("#")[0])


def external_links(site: Path) -> dict[str, list[str]]:
    """Return the pages on which each external address stands."""
    pages = defaultdict(list)
    for path in sorted(site.rglob("*.html")):
        reader = Links()
        reader.feed(path.read_text(encoding="utf-8"))
        for address in sorted(reader.found):
            pages[address].append(path.relative_to(site).as_posix())
    return dict(pages)


def problem(address: str, seconds: float = 30) -> str:
    """Return what is wrong with an address, or nothing."""
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address, headers=AGENT), timeout=seconds
        ):
            return ""
    except urllib.error.HTTPError as error:
        return "" if error.code in THERE else f"answers {error.code}"
    except (OSError, ValueError) as error:
        return f"does not answer: {error}"


def main() -> int:
    """Ask, print, and say by the exit status whether all is well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path, help="the folder of the built site")
    site = parser.parse_args().site
    pages = external_links(site)
    if not pages:
        parser.error(f"{site} holds no page with an external link: build the book first")
    with ThreadPoolExecutor(8) as pool:
        found = dict(zip(pages, pool.map(problem, pages), strict=True))
    broken = {address: wrong for address, wrong in found.items() if wrong}
    for address, wrong in broken.items():
        print(f"{address} {wrong}; on {', '.join(pages[address])}")
    print(f"{len(pages)} external links, {len(broken)} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
