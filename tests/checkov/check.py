"""checkov over templates: every applicable check passes, or stands in exceptions.txt with its reason.

    python check.py TEMPLATE…

Offline. Prints what fails and is no exception, and every exception that nothing needs any more; either ends it with 1.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# The checks that are about what we emit: balancers, groups, repositories, roles, services, logs, secrets.
CHECKS = [
    *(f"CKV_AWS_{number}" for number in (2, 91, 103, 131)),
    *(f"CKV_AWS_{number}" for number in (23, 24, 25, 260)),
    *(f"CKV_AWS_{number}" for number in (32, 51, 136, 163)),
    *(f"CKV_AWS_{number}" for number in (40, 60, 61, 62, 63, 107, 108, 109, 110, 111)),
    *(f"CKV_AWS_{number}" for number in (65, 97, 66, 158, 149)),
]


def exceptions():
    entries = {}
    for line in (Path(__file__).parent / "exceptions.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            check, resource, reason = line.split(" ", 2)
            entries[check, resource] = reason
    return entries


def run(templates):
    with tempfile.TemporaryDirectory() as home:
        env = {"PATH": os.environ["PATH"], "HOME": home, "LOG_LEVEL": "ERROR", "PYTHONWARNINGS": "ignore"}
        command = [sys.executable, "-m", "checkov.main", "--framework", "cloudformation", "--skip-download", "--quiet", "--compact"]
        command += ["-o", "json", "--check", ",".join(CHECKS)]
        for template in templates:
            command += ["-f", str(Path(template).absolute())]
        ran = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True)
    try:
        report = json.loads(ran.stdout)
    except ValueError:
        sys.exit(f"checkov gave no report: {ran.stderr[-2000:]}{ran.stdout[-500:]}")
    return report if isinstance(report, list) else [report]


def main():
    allowed, used, wrong, passed = exceptions(), set(), [], 0
    for report in run(sys.argv[1:]):
        results = report["results"]
        passed += report["summary"]["passed"]
        wrong += [f"{path}: can't be read" for path in results.get("parsing_errors", [])]
        for failed in results["failed_checks"]:
            kind, _, logical = failed["resource"].rpartition(".")
            entry = next((key for key in ((failed["check_id"], logical), (failed["check_id"], kind)) if key in allowed), None)
            if entry:
                used.add(entry)
            else:
                wrong.append(f"{Path(failed['file_abs_path']).name}: {failed['check_id']} {failed['check_name']} ({failed['resource']})")
    wrong += [f"exceptions.txt: {check} {resource} is needed no more" for check, resource in allowed.keys() - used]
    for line in wrong:
        print(line)
    print(f"{passed} checks pass in {len(sys.argv) - 1} templates, {len(used)} kinds of exception")
    sys.exit(bool(wrong) or not passed)


main()
