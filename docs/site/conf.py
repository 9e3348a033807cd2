"""The documentation site: `make docs` builds it into web/help from the Markdown of this repository."""

import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# A section of the first page, and the pages that it links to.
SECTION = re.compile(r"^## (.+)\n([\s\S]*?)(?=^## |\Z)", re.MULTILINE)
ACCESSIBLE = {
    '<p class="caption" role="heading">': '<p class="caption" role="heading" aria-level="2">',
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="Pages">',
    "<pre>": '<pre tabindex="0">',  # wide ones scroll
}
LINK = re.compile(r"\]\(([^)#:]+)\.md\)")

project = html_title = "Pawsort"
release = (ROOT / "client" / "VERSION").read_text("utf-8").strip()

extensions = ["myst_parser"]
root_doc = "docs/README"
include_patterns = ["docs/**", "CHANGELOG.md", "CONTRIBUTING.md"]
exclude_patterns = [path.name for path in ROOT.iterdir() if path.is_dir() and path.name != "docs"] + [
    "docs/seed-results"
]
myst_heading_anchors = 4
suppress_warnings = ["toc.not_included", "myst.header"]

templates_path = [str(HERE / "templates")]
html_theme = "furo"
html_static_path = [str(HERE / "static")]
html_css_files = ["site.css"]
html_theme_options = {"top_of_page_buttons": []}
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "back.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
html_copy_source = False
html_show_copyright = False
html_use_index = False
html_domain_indices = False


def add_menu(app: Any, docname: str, source: list[str]) -> None:
    """The sections of the first page are the menu of the site."""
    if docname == root_doc:
        source[0] += "".join(_menu(title, LINK.findall(text)) for title, text in SECTION.findall(source[0]))


def _menu(title: str, pages: list[str]) -> str:
    lines = ["", "```{toctree}", ":hidden:", f":caption: {title}", "", *pages, "```", ""]
    return "\n".join(lines)


def make_accessible(app: Any, exception: Exception | None) -> None:
    """Give the pages what axe misses in Furo."""
    for page in Path(app.outdir).rglob("*.html") if exception is None else ():
        text = page.read_text("utf-8")
        for before, after in ACCESSIBLE.items():
            text = text.replace(before, after)
        page.write_text(text, "utf-8")


def setup(app: Any) -> None:
    """Connect to Sphinx."""
    app.connect("source-read", add_menu)
    app.connect("build-finished", make_accessible)
