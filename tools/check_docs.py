#!/usr/bin/env python3
"""Do the pages point at things that exist?

usage: check_docs.py [ROOT]       prints "file:line: what"; exit code 1 if there is anything

In README.md and docs/**/*.md: each relative link leads to a file, and its #fragment to a heading there; each path in
`backticks` below a known top folder exists. Links to the web are not followed: tests are hermetic.
"""

import re
import sys
from pathlib import Path
from urllib.parse import unquote

LINK = re.compile(r"!?\[(?:[^\]\\]|\\.)*\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)|^\s*\[[^\]]+\]:\s*(\S+)")
CODE_SPAN = re.compile(r"`+([^`]+)`+")
TOPS = ("src/", "docs/", "test/", "tools/", "config/", "api/", "cmake/", ".ci/")
PATH = re.compile(r"[\w./-]+")


def lines_outside_fences(text):
    fence = None
    for number, line in enumerate(text.splitlines(), 1):
        mark = re.match(r"\s*(```+|~~~+)", line)
        if mark and fence is None:
            fence = mark.group(1)
        elif mark and mark.group(1).startswith(fence):
            fence = None
        elif fence is None:
            yield number, line


def anchors(text):
    """The fragments that GitHub makes of a page's headings, and explicit <a id="...">."""
    found = {}
    for _, line in lines_outside_fences(text):
        heading = re.match(r"#{1,6}\s+(.*?)\s*#*$", line)
        if heading:
            words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1)).lower()
            slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
            seen = found.get(slug, 0)
            found[slug] = seen + 1
            if seen:
                found[f"{slug}-{seen}"] = 1
    return set(found) | set(re.findall(r'<a (?:id|name)="([^"]+)"', text))


def check_page(root, page):
    text = page.read_text()
    found = []
    for number, line in lines_outside_fences(text):
        bare = CODE_SPAN.sub("", line)
        for match in LINK.finditer(bare):
            target = match.group(1) or match.group(2)
            if re.match(r"[a-z][a-z0-9+.-]*:", target):
                continue
            path, _, fragment = unquote(target).partition("#")
            file = (root / path.lstrip("/") if path.startswith("/") else page.parent / path) if path else page
            if not file.exists():
                found.append((number, f"link to {target}: no such file"))
            elif fragment and file.suffix == ".md" and fragment not in anchors(file.read_text()):
                found.append((number, f"link to {target}: no such heading"))
        for match in CODE_SPAN.finditer(line):
            words = match.group(1).split()
            for word in words:
                if word.startswith(TOPS) and PATH.fullmatch(word) and "..." not in word:
                    if not (root / word.rstrip(".")).exists():
                        found.append((number, f"`{word}` does not exist"))
    return found


def main(arguments):
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    pages = [root / "README.md"] * (root / "README.md").exists() + sorted((root / "docs").rglob("*.md"))
    bad = 0
    for page in pages:
        for number, what in check_page(root, page):
            print(f"{page.relative_to(root)}:{number}: {what}")
            bad += 1
    if not bad:
        print(f"{len(pages)} pages, no dead link")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
