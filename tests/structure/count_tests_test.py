#!/usr/bin/env python3
"""What deploy/count_tests makes of CTest's reports."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

COUNT = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "count_tests"
CASES = {
    "passed": '<testcase name="Good" status="run"><system-out>PASSED: all</system-out></testcase>',
    "failed": '<testcase name="Bad" status="fail"><failure message=""/><system-out>SKIPPED: not said by CTest</system-out></testcase>',
    "script": '<testcase name="Live" status="notrun"><skipped message="SKIP_RETURN_CODE=77"/><system-out>SKIPPED: needs root\n</system-out></testcase>',
    "gtest": '<testcase name="A.B" status="notrun"><skipped message="SKIP_REGULAR_EXPRESSION_MATCHED"/><system-out>'
    "[ RUN      ] A.B\n/a.cc:2: Skipped\nneeds root\n[  SKIPPED ] A.B (0 ms)\n</system-out></testcase>",
    "pointless": '<testcase name="A.C" status="notrun"><skipped message=""/><system-out>/a.cc:2: Skipped\ndoes not apply: TSan\n</system-out></testcase>',
    "silent": '<testcase name="S" status="notrun"><skipped message=""/></testcase>',
}


class CountTests(unittest.TestCase):
    def count(self, names, skips="allow"):
        with tempfile.NamedTemporaryFile("w", suffix=".xml") as file:
            file.write(f'<testsuite tests="{len(names)}" failures="{names.count("failed")}">{"".join(CASES[name] for name in names)}</testsuite>')
            file.flush()
            result = subprocess.run([sys.executable, COUNT, file.name, skips], capture_output=True, text=True, check=True)
        return result.stdout.splitlines()

    def test_counts(self):
        self.assertEqual(self.count(["passed", "passed", "failed"]), ["2 1 0"])

    def test_one_line_for_each_reason(self):
        self.assertEqual(
            self.count(["passed", "script", "gtest", "pointless", "silent"]),
            ["1 0 4", "skipped: A.C: does not apply: TSan", "skipped: Live and 1 more: needs root", "skipped: S: no reason given"])

    def test_skips_that_fail(self):
        self.assertEqual(self.count(["passed", "failed", "script", "gtest", "pointless", "silent"], "fail")[0], "1 4 1")


if __name__ == "__main__":
    unittest.main()
