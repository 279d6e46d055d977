#!/usr/bin/env python3
"""House rules a formatter does not know.

usage: check_tidy.py [ROOT]       prints "file:line: what; what to do"; exit code 1 if there is anything

- a source file has at most 800 lines (data tables, *.inc, apart): split it along its ideas;
- a promise of later work says why and when: TODO(reason): what   (no FIXME, XXX, HACK);
- a header begins with #pragma once;
- assert() and <format> are not ours: ASSERT is on in every build, {fmt} is what libstdc++ 12 lacks;
- no tabs, no blanks at line ends, no CRLF, a newline at the end of the file.
"""

import re
import sys
from pathlib import Path

MAX_LINES = 800
ROOTS = ("src", "test", "tools", "cmake", "dev", ".ci", "CMakeLists.txt")
SUFFIXES = {".h", ".cc", ".py", ".sh", ".cmake", ".txt", ".inc", ""}

THESE = {"check_tidy.py", "tools_test.py"}  # they quote what they forbid

PROMISE = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
GOOD_PROMISE = re.compile(r"\bTODO\([^)]{3,}\): \S.{9,}")
BANNED = [
    (re.compile(r"^\s*#\s*include\s*<(cassert|assert\.h)>|(?<![\w.>:])assert\s*\("), 'use ASSERT from "base/assert.h"'),
    (re.compile(r"^\s*#\s*include\s*<format>|\bstd::format\b"), "use fmt::format: libstdc++ 12 has no <format>"),
    (re.compile(r"\bNDEBUG\b"), "no build is different: ASSERT is always on, and NDEBUG is set nowhere"),
]


def check_text(name, text):
    """Violations in one file, as (line, what)."""
    found = []
    suffix = Path(name).suffix
    lines = text.split("\n")
    if text and not text.endswith("\n"):
        found.append((len(lines), "no newline at the end of the file"))
    count = text.count("\n")
    if suffix != ".inc" and count > MAX_LINES:
        found.append((MAX_LINES, f"{count} lines, more than {MAX_LINES}; split the file along its ideas"))
    if suffix == ".h" and not re.search(r"^#pragma once$", text, re.MULTILINE):
        found.append((1, "no #pragma once"))
    for number, line in enumerate(lines, 1):
        if "\t" in line and suffix in (".h", ".cc", ".py"):
            found.append((number, "a tab; write blanks, or \\t inside a literal"))
        if line != line.rstrip():
            found.append((number, "blanks or a carriage return at the end of the line"))
        if PROMISE.search(line) and not GOOD_PROMISE.search(line):
            found.append((number, "work promised without a reason; write TODO(reason): what is to be done"))
        if suffix in (".h", ".cc"):
            code = re.sub(r"//.*|\"(?:\\.|[^\"\\])*\"", "", line)
            for pattern, advice in BANNED:
                if pattern.search(line if "include" in line else code):
                    found.append((number, advice))
    return found


def files(root):
    for start in ROOTS:
        top = root / start
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if (path.is_file() and path.suffix in SUFFIXES and path.name not in THESE
                    and not {"testdata", "node_modules", "__pycache__"} & set(path.parts)):
                yield path


def main(arguments):
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    bad = 0
    for path in files(root):
        for line, what in check_text(path.name, path.read_text(errors="replace")):
            print(f"{path.relative_to(root)}:{line}: {what}")
            bad += 1
    if not bad:
        print("tidy")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
