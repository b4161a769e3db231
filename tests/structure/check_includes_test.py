#!/usr/bin/env python3
"""check_includes.py can fail: each rule finds a planted violation, and a tree without one passes."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECK = pathlib.Path(__file__).with_name("check_includes.py")
CLEAN = {
    "parsers/base/bytes.h": '#include <cstdint>\n#include "parsers/base/arena.h"\n',
    "parsers/top.h": '#include "parsers/base/bytes.h"\n',
    "parsers/CMakeLists.txt": "add_library(p STATIC\n  a.cc\n)\ntarget_link_libraries(p PUBLIC options PRIVATE PkgConfig::IDN2)\n",
    "signatures/set.cc": '#include <hs/hs.h>\n#include "parsers/base/bytes.h"\n',
    "signatures/CMakeLists.txt": "add_library(s STATIC a.cc)\ntarget_link_libraries(s PUBLIC p PRIVATE PkgConfig::HYPERSCAN)\n",
    "exporter/feed/zap.cc": '#include <zmq.hpp>\n#include "signatures/set.h"\n',
    "exporter/CMakeLists.txt": "add_library(e STATIC a.cc)\ntarget_link_libraries(e PUBLIC s PRIVATE cppzmq)\n",
    "sensor/main.cc": '#include <CLI/CLI.hpp>\n#include "exporter/alert/alert.h"\n#include "parsers/base/bytes.h"\n',
    "sensor/CMakeLists.txt": "add_executable(m a.cc)\ntarget_link_libraries(m PRIVATE e  # and so s and p\n)\n",
}
VIOLATIONS = {
    "folders that include each other": ("parsers/base/arena.h", '#include "parsers/top.h"\n', "parsers -> parsers/base"),
    "upward include": ("parsers/bytes.cc", '#include "signatures/set.h"\n', "parsers/bytes.cc:1"),
    "include two levels up": ("signatures/x.h", '\n#include "sensor/main.h"\n', "signatures/x.h:2"),
    "upward include in angle brackets": ("exporter/x.cc", "#include <sensor/main.h>\n", "exporter/x.cc:1"),
    "spaces in the directive": ("parsers/x.cc", '  #  include "exporter/alert/alert.h"\n', "parsers/x.cc:1"),
    "Hyperscan elsewhere": ("sensor/x.cc", "#include <hs.h>\n", "Hyperscan"),
    "Hyperscan in a header": ("signatures/x.h", "#include <hs/hs.h>\n", "Hyperscan"),
    "ZeroMQ elsewhere": ("sensor/x.cc", "#include <zmq.hpp>\n", "ZeroMQ"),
    "ZeroMQ in a header": ("exporter/feed/x.h", "#include <zmq.h>\n", "ZeroMQ"),
    "MaxMind in a header": ("exporter/x.h", "#include <maxminddb.h>\n", "libmaxminddb"),
    "SQLite elsewhere": ("signatures/x.cc", "#include <sqlite3.h>\n", "SQLite"),
    "not from the root": ("parsers/x.cc", '#include "bytes.h"\n', "from the root"),
    "relative": ("exporter/feed/x.cc", '#include "../alert.h"\n', "from the root"),
    "tests in what ships": ("parsers/x.cc", '#include "tests/unit/feed.h"\n', "knows no tests"),
    "upward link": ("signatures/sub/CMakeLists.txt", "add_library(t a.cc)\ntarget_link_libraries(t PUBLIC p\n  PRIVATE e)\n", "links e of exporter/"),
    "ZeroMQ linked elsewhere": ("sensor/sub/CMakeLists.txt", "add_library(t a.cc)\ntarget_link_libraries(t PRIVATE cppzmq)\n", "ZeroMQ"),
    "Hyperscan linked elsewhere": ("exporter/sub/CMakeLists.txt", "add_library(t a.cc)\ntarget_link_libraries(t PRIVATE PkgConfig::HYPERSCAN)\n", "Hyperscan"),
}


def run(files):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf8")
        return subprocess.run([sys.executable, CHECK, folder], capture_output=True, text=True, check=False)


class CheckIncludes(unittest.TestCase):
    def test_clean_tree_passes(self):
        result = run(CLEAN)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def test_each_violation_is_found_alone(self):
        for name, (path, text, expected) in VIOLATIONS.items():
            with self.subTest(name):
                result = run({**CLEAN, path: text})
                self.assertEqual(result.returncode, 1, result.stdout + result.stderr)
                self.assertIn(expected, result.stdout)
                self.assertIn(" 1 against", result.stdout)

    def test_another_folder_is_an_error(self):
        self.assertNotEqual(run({"parsers/a.h": ""}).returncode, 0)


if __name__ == "__main__":
    unittest.main()
