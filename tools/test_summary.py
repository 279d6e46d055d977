#!/usr/bin/env python3
"""The last lines of ./dev test: what failed, what was skipped and why, and one total over several ctest runs.

usage: test_summary.py NAME=BUILD_DIRECTORY...

Reads BUILD_DIRECTORY/ctest.xml (ctest --output-junit) and BUILD_DIRECTORY/gtest/*.xml (GoogleTest, one file a test
executable). A test counts as skipped if ctest says so (exit code 77); a case inside an executable if GoogleTest says so;
a script may skip a part of itself with a line "SKIPPED: what: why". A run in which nothing ran counts as a failed test.
Exit code 1 if a test failed.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

SKIP_LINE = re.compile(r"^SKIPPED: (.+)$", re.MULTILINE)


class Run:
    """What one ctest run came to."""

    def __init__(self, name, directory):
        self.name = name
        self.tests = 0
        self.cases = 0
        self.failed = []
        self.skipped = []  # "test: why"
        self.seconds = 0.0
        self._read_ctest(directory / "ctest.xml")
        for path in sorted((directory / "gtest").glob("*.xml")):
            self._read_gtest(path)

    def _read_ctest(self, path):
        if not path.exists():
            return
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            name = case.get("name")
            output = case.findtext("system-out") or ""
            self.tests += 1
            self.seconds += float(case.get("time") or 0)
            reasons = [f"{name}: {reason}" for reason in SKIP_LINE.findall(output)]
            skip = case.find("skipped")
            if case.find("failure") is not None or case.get("status") == "fail":
                self.failed.append(name)
            elif skip is not None and (skip.get("message") or "").startswith("SKIP_"):
                self.skipped += reasons or [f"{name}: it gave no reason"]
                continue
            elif skip is not None or case.get("status") != "run":
                # Disabled, or its executable does not exist: a test that did not run has not passed.
                self.failed.append(f"{name} (did not run)")
            self.skipped += reasons

    def _read_gtest(self, path):
        for case in ElementTree.parse(path).getroot().iter("testcase"):
            self.cases += 1
            skip = case.find("skipped")
            if skip is not None:
                why = " ".join((skip.get("message") or "it gave no reason").split())
                self.skipped.append(f"{path.stem}: {case.get('classname')}.{case.get('name')}: {why}")


def summary(runs):
    """The text to print, and whether all is well."""
    lines = []
    for run in runs:
        lines.append(
            f"  {run.name:<10} {run.tests:4} tests, {run.cases:5} GoogleTest cases inside,"
            f" {len(run.failed)} failed, {len(run.skipped)} skipped"
        )
    skipped = [f"  {run.name}: {what}" for run in runs for what in run.skipped]
    failed = [f"  {run.name}: {what}" for run in runs for what in run.failed]
    failed += [f"  {run.name}: no test ran" for run in runs if run.tests == 0]
    if skipped:
        lines += ["", f"{len(skipped)} skipped:"] + skipped
    if failed:
        lines += ["", "The following tests FAILED:"] + failed
    total = sum(max(run.tests, 1) for run in runs)
    percent = 100 * (total - len(failed)) // total  # rounded down: 100 means all
    lines += ["", f"{percent}% tests passed, {len(failed)} tests failed out of {total}"]
    return "\n".join(lines), not failed


def main(arguments):
    if not arguments or any("=" not in argument for argument in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    runs = [Run(name, Path(directory)) for name, _, directory in (a.partition("=") for a in arguments)]
    text, well = summary(runs)
    print(text)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
