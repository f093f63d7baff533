"""tests/bed/lint: what it lets through, what it stops, and that it needs no network."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from .support import BED

LOGS = {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 30}}


def lint(*arguments, cwd=None):
    # A proxy that nobody listens on: whoever asked the network would fail.
    env = {**os.environ, **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")}
    run = subprocess.run([str(BED / "lint"), *arguments], capture_output=True, text=True, cwd=cwd, env=env, timeout=120)
    return run.returncode, run.stdout + run.stderr


class Lint(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def template(self, name, source):
        path = self.folder / name
        path.write_text(json.dumps(source))
        return path

    def test_good_templates_pass_whatever_a_folder_configures(self):
        (self.folder / ".cfnlintrc").write_text("include_checks: [I]\nregions: [no-such-region]\n")
        self.template("good one.json", {"Resources": {"Logs": LOGS}})
        self.template("second.json", {"Resources": {"Logs": LOGS}})
        self.assertEqual(lint("good one.json", "second.json", cwd=self.folder), (0, ""))

    def test_an_error_and_a_warning_stop(self):
        wrong = self.template("wrong.json", {"Resources": {"Logs": {**LOGS, "Properties": {"RetentionDays": 3}}}})
        unused = self.template("unused.json", {"Parameters": {"A": {"Type": "String"}}, "Resources": {"Logs": LOGS}})
        status, output = lint(str(wrong), str(unused))
        self.assertNotEqual(status, 0)
        self.assertIn("E3002", output)
        self.assertIn("W2001", output)
        status, output = lint(str(unused))
        self.assertNotEqual(status, 0, output)

    def test_no_template_is_a_wrong_call(self):
        status, output = lint()
        self.assertEqual(status, 2)
        self.assertIn("tests/bed/lint [cfn-lint options] TEMPLATE", output)
        self.assertNotEqual(lint(str(self.folder / "none.json"))[0], 0)


if __name__ == "__main__":
    unittest.main()
