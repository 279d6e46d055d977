#!/usr/bin/env python3
"""What ships is hardened, and the pure half holds no state: both read back from what the compiler made."""

import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

BINARY = Path(os.environ["TRUNKLINE_BINARY"])
ROOT = Path(os.environ["TRUNKLINE_ROOT"])
READELF = "llvm-readelf-19"
OBJDUMP = "llvm-objdump-19"

# Sections of what can be written at run time. .data.rel.ro is not among them: it is read-only once relocated.
WRITABLE = re.compile(r"^\.(data(?!\.rel\.ro)|bss|tdata|tbss)")
NOT_OURS = re.compile(r"__dso_handle|DW\.ref\.__gxx_personality_v0")  # made by the compiler


def output(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def pure_folders():
    for line in (ROOT / "src/LAYERS").read_text().splitlines():
        match = re.match(r"(?!#)(\S+)\s+pure\s*:", line)
        if match:
            yield match.group(1)


class Binary(unittest.TestCase):
    def test_position_independent(self):
        self.assertRegex(output(READELF, "-h", BINARY), r"Type:\s+DYN")

    def test_relocations_read_only_and_bound_at_start(self):
        self.assertIn("GNU_RELRO", output(READELF, "-lW", BINARY))
        self.assertRegex(output(READELF, "-dW", BINARY), r"BIND_NOW|FLAGS.*NOW")

    def test_stack_not_executable(self):
        line = next(line for line in output(READELF, "-lW", BINARY).splitlines() if "GNU_STACK" in line)
        self.assertRegex(line, r"\sRW\s")

    def test_library_checks(self):
        symbols = output(READELF, "--dyn-symbols", "-W", BINARY)
        self.assertIn("__stack_chk_fail", symbols)
        self.assertRegex(symbols, r"__\w+_chk@")  # _FORTIFY_SOURCE

    def test_no_path_of_the_checkout(self):
        """__FILE__ in an ASSERT names src/..., not where somebody's checkout lay."""
        strings = output(READELF, "-p", ".rodata", BINARY)
        self.assertIn("src/", strings)
        self.assertNotIn(str(ROOT / "src"), strings)


class PureHalf(unittest.TestCase):
    def test_no_writable_data(self):
        """No folder that src/LAYERS calls pure has a variable that outlives a call, but for constants that a function
        builds when first asked (they have a guard; that they are const, tools/check_layers.py sees in the source)."""
        checked = 0
        for folder in pure_folders():
            library = BINARY.parent / "src" / folder / f"lib{folder.replace('/', '_')}.a"
            self.assertTrue(library.exists(), library)
            variables = {}
            for line in output(OBJDUMP, "-t", "--demangle", library).splitlines():
                match = re.match(r"[0-9a-f]{16} .{7} (\S+)\s+[0-9a-f]{16} (?:\.hidden )?(.*)", line)
                if match and WRITABLE.match(match.group(1)) and match.group(1) != match.group(2):
                    variables[match.group(2)] = match.group(1)
            checked += 1
            for name, section in variables.items():
                guard = f"guard variable for {name}"
                if guard not in variables and not name.startswith("guard variable") and not NOT_OURS.search(name):
                    self.fail(f"{folder}: {name} is a mutable global (in {section}); pass it in, or make it constexpr")
        self.assertGreater(checked, 5)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
