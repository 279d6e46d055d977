#!/usr/bin/env python3
"""check_layers.py finds what it says it finds: each case plants one violation in a clean tree."""

import tempfile
import unittest
from pathlib import Path

import check_layers

CLEAN = {
    "src/LAYERS": "# words\nbase pure :\nio effect : base\nqueue pure : base\n"
                  "rest adapter : base io\ncarrier adapter : base io\n",
    "src/base/CMakeLists.txt": "trunkline_folder()\n",
    "src/base/words.h": "#pragma once\n#include <string>\nnamespace t {\ninline constexpr int kLimit = 3;\n"
                        "// steady_clock, printf(\"x\") and rand() are only words here\n"
                        "const char* name(int value);\n}  // namespace t\n",
    "src/io/CMakeLists.txt": "trunkline_folder(DEPS base LIBS asio PCH net THREADS)\n",
    "src/io/clock.cc": "#include <chrono>\n#include <thread>\nauto now() { return std::chrono::steady_clock::now(); }\n",
    "src/io/clock.h": "#pragma once\n",
    "src/queue/CMakeLists.txt": "trunkline_folder(\n  DEPS base  # down\n)\n",
    "src/queue/lane.cc": '#include "queue/lane.h"\n#include "base/words.h"\n'
                         "namespace t {\nnamespace {\nconstexpr int kDepth = 4;\nconst std::string kName = \"getenv(\";\n"
                         "}  // namespace\nint Lane::size() const {\n  static constexpr int kOne = 1;\n"
                         "  return kOne + next_time(0) + clock_.time(now);\n}\n}  // namespace t\n",
    "src/queue/lane.h": "#pragma once\nclass Lane {\n public:\n  static Lane make(int depth);\n  int size() const;\n};\n",
    "src/queue/lane_test.cc": "#include <thread>\nint g_runs = 0;\n",
    "src/rest/CMakeLists.txt": "trunkline_folder(DEPS base io)\n",
    "src/rest/server.h": "#pragma once\n",
    "src/carrier/CMakeLists.txt": "trunkline_folder(DEPS base io)\n",
    "src/carrier/link.h": '#pragma once\n#include "io/clock.h"\n',
}


def violations(**planted):
    """What the checker says of the clean tree with files added or replaced; '/' in a name is written '__'."""
    with tempfile.TemporaryDirectory() as root:
        files = dict(CLEAN)
        files.update({name.replace("__", "/"): text for name, text in planted.items()})
        for name, text in files.items():
            path = Path(root) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return check_layers.Checker(root).run()


def in_file(name, text):
    return violations(**{name: text})


class Finds(unittest.TestCase):
    def one(self, found, *words):
        self.assertEqual(len(found), 1, found)
        for word in words:
            self.assertIn(word, found[0])

    def test_clean_tree_is_clean(self):
        self.assertEqual(violations(), [])

    def test_include_up(self):
        self.one(in_file("src/base/id.cc", '\n#include "queue/lane.h"\n'), "src/base/id.cc:2:", "base may not include")

    def test_include_not_listed(self):
        self.one(in_file("src/queue/x_test.cc", '#include "io/clock.h"\n'), "queue may not include")

    def test_adapter_includes_adapter(self):
        self.one(in_file("src/rest/x.cc", '#include "carrier/link.h"\n'), "adapters never include each other")

    def test_include_of_nothing(self):
        self.one(in_file("src/io/x.cc", '#include "base/nothing.h"\n'), "does not exist")
        self.one(in_file("src/io/x.cc", '#include "common/all.h"\n'), "not a folder of src/LAYERS")
        self.one(in_file("src/io/x.cc", '#include "clock.h"\n'), 'write the folder too: #include "io/clock.h"')
        self.one(in_file("src/io/x.cc", '#include "../base/words.h"\n'), "write the folder too")

    def test_folder_not_in_layers(self):
        self.one(in_file("src/util/x.h", "#pragma once\n"), "folder util is not in src/LAYERS")

    def test_layers_itself(self):
        for line, words in [
            ("gsm pure : queue2", "names queue2, which is not above it"),
            ("gsm pure : gsm", "names gsm, which is not above it"),
            ("gsm pure : io", "is pure but names io"),
            ("twilio adapter : rest", "adapter twilio names adapter rest"),
            ("gsm clean : base", "is 'clean'"),
            ("base pure :", "listed twice"),
            ("gsm", "cannot read"),
        ]:
            with self.subTest(line):
                found = violations(src__LAYERS=CLEAN["src/LAYERS"] + line + "\n")
                self.assertTrue(any(words in what and "src/LAYERS:7" in what for what in found), found)

    def test_cycle(self):
        text = "base pure : queue\nqueue pure : base\n"
        self.assertTrue(any("base names queue, which is not above it" in what for what in violations(src__LAYERS=text)))

    def test_cmake_edges(self):
        self.one(violations(**{"src/queue/CMakeLists.txt": "trunkline_folder(DEPS base io LIBS fmt)"}),
                 "links io, which src/LAYERS does not allow to queue")
        self.one(violations(**{"src/queue/CMakeLists.txt": "trunkline_folder()"}), "does not link base")
        self.one(violations(**{"src/queue/CMakeLists.txt": "trunkline_folder(DEPS base asio)"}), "behind LIBS")
        self.one(violations(**{"src/queue/CMakeLists.txt":
                               "add_executable(queue a.cc)\ntarget_link_libraries(queue PRIVATE base io fmt::fmt)"}),
                 "links io")

    def test_impure_code(self):
        for code, words in [
            ("auto t = std::chrono::system_clock::now();", "take `now`"),
            ("  auto t = std::chrono::steady_clock::now();", "take `now`"),
            ("  const auto t = time(nullptr);", "take `now`"),
            ("  clock_gettime(CLOCK_BOOTTIME, &ts);", "take `now`"),
            ("#include <thread>", "no threads"),
            ("#include <mutex>", "no threads"),
            ("  std::lock_guard lock(mutex_);", "no threads"),
            ("thread_local int depth = 0;", "no threads"),
            ("#include <fstream>", "no files"),
            ("  std::ifstream in(path);", "no files"),
            ('  FILE* f = fopen("x", "r");', "no files"),
            ("#include <iostream>", "no output"),
            ('  printf("%d", 1);', "no output"),
            ('  std::fprintf(stderr, "%d", 1);', "no output"),
            ('  fmt::print("{}", 1);', "no output"),
            ("#include <sys/socket.h>", "no sockets"),
            ("#include <boost/asio.hpp>", "no sockets"),
            ("#include <spdlog/spdlog.h>", "no log"),
            ('  spdlog::info("x");', "no log"),
            ('  const char* home = getenv("HOME");', "no environment"),
            ("  return rand() % 6;", "no chance"),
            ("  std::random_device device;", "no chance"),
            ("#include <cassert>", "use ASSERT"),
            ("  assert(x > 0);", "use ASSERT"),
        ]:
            with self.subTest(code):
                found = in_file("src/queue/x.cc", code + "\n")
                self.assertTrue(any(words in what for what in found), found)
                self.assertIn("src/queue/x.cc:1:", found[0])

    def test_mutable_globals(self):
        for code in [
            "int g_count = 0;",
            "static int g_count;",
            "inline std::map<int, std::string> g_names;",
            "std::vector<int> g_list{1, 2};",
            "std::string* g_owner = nullptr;",
            "constinit int g_count = 0;",
            "  static int calls = 0;",
            "  static std::vector<int> seen;",
            "  inline static int count_ = 0;",
        ]:
            with self.subTest(code):
                self.one(in_file("src/queue/x.cc", code + "\n"), "no mutable global")

    def test_effects_may(self):
        self.assertEqual(in_file("src/io/x.cc", "#include <thread>\nint g_count = 0;\n"), [])

    def test_exception_is_one_line(self):
        code = 'std::fprintf(stderr, "x");\n'
        self.assertEqual(in_file("src/base/assert.cc", code), [])
        self.one(in_file("src/base/assert.cc", code + 'std::fprintf(stdout, "x");\n'), "src/base/assert.cc:2:")


if __name__ == "__main__":
    unittest.main()
