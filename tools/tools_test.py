#!/usr/bin/env python3
"""The small tools find what they say they find."""

import contextlib
import io
import tempfile
import unittest
from pathlib import Path

import check_docs
import check_tidy
import test_summary


class Tidy(unittest.TestCase):
    def what(self, name, text):
        return [what for _, what in check_tidy.check_text(name, text)]

    def test_clean(self):
        text = "// TODO(needs libpq 16): use the pipeline's own flush\n#pragma once\nint a;  // never std::format\n"
        self.assertEqual(self.what("a.h", text), [])
        self.assertEqual(self.what("a.inc", "x\n" * 5000), [])
        self.assertEqual(self.what("a.cc", "x\n" * 800), [])

    def test_violations(self):
        for name, text, words in [
            ("a.cc", "x\n" * 801, "801 lines"),
            ("a.cc", "// TODO: later\n", "without a reason"),
            ("a.py", "# FIXME(why not): do this one day\n", "without a reason"),
            ("a.h", "int a;\n", "#pragma once"),
            ("a.cc", "#include <cassert>\n", "ASSERT"),
            ("a.cc", "  assert(a);\n", "ASSERT"),
            ("a.cc", "auto s = std::format(\"\");\n", "fmt::format"),
            ("a.cc", "#ifdef NDEBUG\n", "NDEBUG"),
            ("a.cc", "int\ta;\n", "tab"),
            ("a.cc", "int a; \n", "end of the line"),
            ("a.cc", "int a;\r\n", "end of the line"),
            ("a.cc", "int a;", "newline"),
        ]:
            with self.subTest(text[:40]):
                found = self.what(name, text)
                self.assertEqual(len(found), 1, found)
                self.assertIn(words, found[0])


class Docs(unittest.TestCase):
    def check(self, text):
        with tempfile.TemporaryDirectory() as root:
            (Path(root) / "docs").mkdir()
            (Path(root) / "docs/a.md").write_text("# One `thing`, and more\n\n## Same\n\n## Same\n")
            (Path(root) / "README.md").write_text(text)
            return [what for _, what in check_docs.check_page(Path(root), Path(root) / "README.md")]

    def test_good(self):
        self.assertEqual(self.check(
            "# Top\n[a](docs/a.md) ![p](docs/a.md \"title\") [b](docs/a.md#one-thing-and-more) [c](#top)\n"
            "[s](docs/a.md#same-1) [w](https://nowhere.example/x.md) `docs/a.md` `src/<folder>/x` `[no](link.md)`\n"
            "```\n[no](link.md)\n```\n"), [])

    def test_dead(self):
        for text, words in [
            ("[a](docs/b.md)", "docs/b.md: no such file"),
            ("[a](docs/a.md#two)", "no such heading"),
            ("[a](#nowhere)", "no such heading"),
            ("see `docs/b.md` for more", "`docs/b.md` does not exist"),
            ("[a]: docs/c.md", "docs/c.md: no such file"),
        ]:
            with self.subTest(text):
                found = self.check(text + "\n")
                self.assertEqual(len(found), 1, found)
                self.assertIn(words, found[0])


class Summary(unittest.TestCase):
    CASE = '<testcase name="{0}" classname="{0}" time="1" status="{1}">{2}<system-out>{3}</system-out></testcase>'

    def run_summary(self, *cases, gtest=""):
        with tempfile.TemporaryDirectory() as directory:
            body = "".join(self.CASE.format(*case) for case in cases)
            if cases:
                (Path(directory) / "ctest.xml").write_text(f"<testsuite>{body}</testsuite>")
            (Path(directory) / "gtest").mkdir()
            if gtest:
                (Path(directory) / "gtest/queue.xml").write_text(f"<testsuites><testsuite>{gtest}</testsuite></testsuites>")
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                code = test_summary.main([f"asan={directory}"])
            return code, output.getvalue()

    def test_passed(self):
        code, text = self.run_summary(("a", "run", "", ""), ("b", "run", "", ""))
        self.assertEqual(code, 0)
        self.assertEqual(text.splitlines()[-1], "100% tests passed, 0 tests failed out of 2")

    def test_failed(self):
        code, text = self.run_summary(("a", "run", "", ""), ("b", "fail", '<failure message=""/>', ""))
        self.assertEqual(code, 1)
        self.assertIn("asan: b", text)
        self.assertEqual(text.splitlines()[-1], "50% tests passed, 1 tests failed out of 2")

    def test_did_not_run(self):
        for case in [("a", "notrun", '<skipped message="Unable to find executable"/>', ""), ("a", "disabled", "", "")]:
            code, text = self.run_summary(case)
            self.assertEqual(code, 1)
            self.assertIn("a (did not run)", text)

    def test_nothing_ran(self):
        code, text = self.run_summary()
        self.assertEqual(code, 1)
        self.assertIn("asan: no test ran", text)
        self.assertEqual(text.splitlines()[-1], "0% tests passed, 1 tests failed out of 1")

    def test_skipped(self):
        code, text = self.run_summary(
            ("a", "notrun", '<skipped message="SKIP_RETURN_CODE=77"/>', "SKIPPED: netns: needs CAP_NET_ADMIN\n"),
            ("b", "run", "", "fine\nSKIPPED: tls: no certificate\n"),
            gtest='<testcase name="full" classname="Disk"><skipped message="needs\nroot"/></testcase>')
        self.assertEqual(code, 0)
        self.assertIn("3 skipped:", text)
        self.assertIn("asan: a: netns: needs CAP_NET_ADMIN", text)
        self.assertIn("asan: b: tls: no certificate", text)
        self.assertIn("asan: queue: Disk.full: needs root", text)
        self.assertEqual(text.splitlines()[-1], "100% tests passed, 0 tests failed out of 2")


if __name__ == "__main__":
    unittest.main()
