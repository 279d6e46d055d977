#!/usr/bin/env python3
"""Holds the source tree against src/LAYERS.

usage: check_layers.py [ROOT]     prints one line a violation, "file:line: what; what to do instead"; exit code 1 if any

Checked: LAYERS itself (names only upwards, so there are no cycles; a pure folder names only pure ones; an adapter no
adapter), every #include "folder/file.h", the edges of each CMakeLists.txt (equal to LAYERS), and that a pure folder's
code (tests, benchmarks and fuzzers apart) touches no clock, socket, file, thread, log, environment, chance or global.
The last is done on text: it catches what people write, not what one could contrive.
"""

import re
import sys
from pathlib import Path

KINDS = ("pure", "effect", "adapter")

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
SYSTEM_INCLUDE = re.compile(r"^\s*#\s*include\s*<([^>]+)>")
NOT_SHIPPED = re.compile(r"_(test|bench|fuzz)\.(cc|h)$")

# (headers a pure folder may not include, what to do instead)
BANNED_HEADERS = [
    (r"thread|mutex|shared_mutex|condition_variable|future|stop_token|semaphore|latch|barrier|pthread\.h",
     "no threads here: the caller owns the one thread (service/)"),
    (r"fstream|filesystem|fcntl\.h|sys/(stat|mman|file)\.h|dirent\.h",
     "no files here: take the bytes as std::span or std::string_view; the caller reads the file"),
    (r"iostream|istream|ostream|print|syslog\.h", "no output here: return a value; the caller prints or logs it"),
    (r"sys/(socket|epoll|select|un)\.h|netinet/.*|arpa/.*|netdb\.h|poll\.h|unistd\.h|boost/(asio|beast).*",
     "no sockets here: bytes in, bytes out; io/ and the adapters own the sockets"),
    (r"spdlog/.*", "no log here: return the reason as a value; the caller logs it (telemetry/)"),
    (r"rocksdb/.*|libpq.*", "no store here: emit a record; store/ writes it"),
    (r"sys/time\.h", "no clock here: take `now` as an argument (base/time.h)"),
    (r"cassert|assert\.h", 'use ASSERT from "base/assert.h": it is on in every build'),
]

# (code a pure folder may not contain, what to do instead)
BANNED_CODE = [
    (r"\b(system_clock|steady_clock|high_resolution_clock|utc_clock)\b|\b(clock_gettime|gettimeofday|localtime(_r)?)\s*\("
     r"|\bstd::time\s*\(|(?<![\w.>:])time\s*\(\s*(nullptr|NULL|0|&\w+)\s*\)",
     "no clock here: take `now` as an argument (base/time.h)"),
    (r"\bstd::(jthread|thread|mutex|shared_mutex|recursive_mutex|condition_variable\w*|async|lock_guard|unique_lock"
     r"|scoped_lock|this_thread)\b|\bthread_local\b",
     "no threads here: the caller owns the one thread (service/)"),
    (r"\bstd::(o|i)?fstream\b|\bstd::filesystem\b|(?<![\w.>:])(::|std::)?(fopen|freopen|opendir|mmap)\s*\(",
     "no files here: take the bytes as std::span or std::string_view; the caller reads the file"),
    (r"(?<![\w.>:])(std::)?(printf|vprintf|fprintf|puts|fputs|putchar|perror)\s*\(|\bstd::(cout|cerr|clog|print|println)\b"
     r"|\bfmt::print(ln)?\s*\(",
     "no output here: return a value; the caller prints or logs it"),
    (r"\bspdlog::|\bSPDLOG_\w+", "no log here: return the reason as a value; the caller logs it (telemetry/)"),
    (r"(?<![\w.>])(std::)?(secure_)?(getenv|setenv|putenv)\s*\(",
     "no environment here: config's loader takes a look-up function; the caller reads the variables"),
    (r"(?<![\w.>:])(std::)?s?rand\s*\(|\bstd::random_device\b|\b(getrandom|getentropy|randombytes_\w+)\s*\(",
     "no chance here: take a seed or the random bytes as an argument"),
    (r"(?<![\w.>:])assert\s*\(", 'use ASSERT from "base/assert.h": it is on in every build'),
]

# Known exceptions: (file, what its line contains) -> why.
EXCEPTIONS = {
    ("base/assert.cc", "std::fprintf(stderr"): "a failed ASSERT has nobody to return a value to",
}

GLOBAL_ADVICE = "no mutable global here: make it a member, pass it in, or make it constexpr"
# At namespace scope (clang-format leaves it at column 0): a definition with no parenthesis before its end.
NAMESPACE_GLOBAL = re.compile(
    r"^(?!(using|typedef|namespace|class|struct|union|enum|template|friend|extern|return|static_assert|public|private"
    r"|protected|case|default|goto|concept|requires|else|do|try)\b)"
    r"(?!.*\b(const|constexpr)\b)[A-Za-z_][\w:<>,\s*&]*[\w>*&]\s+[*&]?\w+(\[[^\]]*\])*\s*(=[^=].*|\{.*|;\s*)$")
# Inside a function or class.
LOCAL_STATIC = re.compile(r"^\s+(inline\s+)?static\s+(?!.*\b(const|constexpr)\b)[^()]*(=|\{|;)")


class Folder:
    def __init__(self, kind, may_include):
        self.kind = kind
        self.may_include = may_include


def read_layers(text, report):
    """src/LAYERS as {folder: Folder}, in its order; what is wrong with it goes to report(line, what)."""
    folders = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        match = re.fullmatch(r"(\S+)\s+(\w+)\s*:\s*(.*)", line)
        if not match:
            report(number, f"cannot read '{line}'; write 'folder kind: folders above it'")
            continue
        name, kind, names = match.group(1), match.group(2), match.group(3).split()
        if kind not in KINDS:
            report(number, f"{name} is '{kind}'; a folder is one of {', '.join(KINDS)}")
        if name in folders:
            report(number, f"{name} is listed twice")
        for other in names:
            if other not in folders:
                report(number, f"{name} names {other}, which is not above it; includes go down only")
            elif kind == "pure" and folders[other].kind != "pure":
                report(number, f"{name} is pure but names {other}, which is not; move what it needs into a pure folder")
            elif kind == "adapter" and folders[other].kind == "adapter":
                report(number, f"adapter {name} names adapter {other}; what they share belongs below them")
        folders[name] = Folder(kind, set(names))
    return folders


def strip_comments_and_strings(text):
    """The text with comments and the insides of literals blanked, line for line."""
    pattern = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"|(?<![0-9a-fA-F])\'(?:\\.|[^\'\\\n])+\'',
        re.DOTALL)

    def blank(match):
        found = match.group(0)
        kept = '""' if found.endswith('"') else ""
        return kept + "\n" * found.count("\n")

    return pattern.sub(blank, text)


class Checker:
    def __init__(self, root):
        self.src = Path(root) / "src"
        self.violations = []
        self.folders = {}

    def report(self, path, line, what):
        self.violations.append(f"{path.relative_to(self.src.parent)}:{line}: {what}")

    def run(self):
        layers = self.src / "LAYERS"
        if not layers.exists():
            self.violations.append(f"{layers}:1: does not exist")
            return self.violations
        self.folders = read_layers(layers.read_text(), lambda line, what: self.report(layers, line, what))
        for path in sorted(self.src.rglob("*")):
            if path.suffix in (".h", ".cc", ".inc") and "testdata" not in path.parts:
                self._check_file(path)
        for name in self.folders:
            self._check_cmake(name)
        return self.violations

    def _check_file(self, path):
        folder = path.parent.relative_to(self.src).as_posix()
        if folder not in self.folders:
            self.report(path, 1, f"folder {folder} is not in src/LAYERS; add it, with its kind and what it may include")
            return
        raw = path.read_text(errors="replace")
        for number, line in enumerate(raw.splitlines(), 1):
            include = INCLUDE.match(line)
            if include:
                self._check_include(path, number, folder, include.group(1))
        if self.folders[folder].kind == "pure" and not NOT_SHIPPED.search(path.name):
            self._check_pure(path, raw)

    def _check_include(self, path, number, folder, target):
        owner = Path(target).parent.as_posix()
        if owner == "." or target.startswith("."):
            self.report(path, number, f'"{target}"; write the folder too: #include "{folder}/{Path(target).name}"')
        elif owner not in self.folders:
            self.report(path, number, f'"{target}": {owner} is not a folder of src/LAYERS')
        elif not (self.src / target).exists():
            self.report(path, number, f'"{target}" does not exist')
        elif owner != folder and owner not in self.folders[folder].may_include:
            both_adapters = self.folders[folder].kind == self.folders[owner].kind == "adapter"
            advice = ("adapters never include each other; move what they share below them" if both_adapters else
                      "includes go down along src/LAYERS; move the code, or pass what you need in")
            self.report(path, number, f'{folder} may not include "{target}"; {advice}')

    def _check_pure(self, path, raw):
        stripped = strip_comments_and_strings(raw).splitlines()
        name = path.relative_to(self.src).as_posix()
        allowed = [text for file, text in EXCEPTIONS if file == name]
        for number, (line, code) in enumerate(zip(raw.splitlines(), stripped), 1):
            if any(text in line for text in allowed):
                continue
            header = SYSTEM_INCLUDE.match(line)
            if header:
                for pattern, advice in BANNED_HEADERS:
                    if re.fullmatch(pattern, header.group(1)):
                        self.report(path, number, f"<{header.group(1)}> in a pure folder; {advice}")
                continue
            for pattern, advice in BANNED_CODE:
                match = re.search(pattern, code)
                if match:
                    self.report(path, number, f"`{match.group(0).strip()}` in a pure folder; {advice}")
            if path.suffix != ".inc" and (NAMESPACE_GLOBAL.match(code) or LOCAL_STATIC.match(code)):
                self.report(path, number, f"`{code.strip()}`; {GLOBAL_ADVICE}")

    def _check_cmake(self, folder):
        path = self.src / folder / "CMakeLists.txt"
        if not path.exists():
            self.report(path, 1, f"does not exist, but {folder} is in src/LAYERS")
            return
        text = re.sub(r"#[^\n]*", "", path.read_text())
        names = {name.replace("/", "_"): name for name in self.folders}
        call = re.search(r"trunkline_folder\s*\(([^)]*)\)", text)
        if call:
            words = call.group(1).split()
            deps = words[words.index("DEPS") + 1:] if "DEPS" in words else []
            for end, word in enumerate(deps):
                if word in ("LIBS", "PCH", "THREADS"):
                    deps = deps[:end]
                    break
        else:
            deps = [word for link in re.findall(r"target_link_libraries\s*\(([^)]*)\)", text)
                    for word in link.split()[1:] if word in names]
        may = self.folders[folder].may_include
        has = set()
        for dep in deps:
            if dep not in names:
                self.report(path, 1, f"DEPS has {dep}, which is not a folder of src/LAYERS; libraries go behind LIBS")
            else:
                has.add(names[dep])
        for extra in sorted(has - may):
            self.report(path, 1, f"links {extra}, which src/LAYERS does not allow to {folder}")
        for lacking in sorted(may - has):
            self.report(path, 1, f"does not link {lacking}, which src/LAYERS gives to {folder}; make the two equal")


def main(arguments):
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    violations = Checker(root).run()
    print("\n".join(violations) if violations else "layers: as src/LAYERS says")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
