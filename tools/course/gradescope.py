"""Gradescope: the archive it takes, and the run it makes.

Its machine unpacks the archive into /autograder/source, runs setup.sh once and run_autograder for
each submission, and reads /autograder/results/results.json.
"""

import json
import zipfile
from pathlib import Path

from course.source import ProblemSet, specification

HERE = Path(__file__).parent
RUNTIME = ("__init__", "wire", "sandbox", "worker", "session", "grading", "at_gradescope")

SETUP = """#!/usr/bin/env bash
# Once for each problem set: Python 3.11 or newer, qw2v, nothing else.
set -euo pipefail
python=$(for p in python3.13 python3.12 python3.11 python3; do
  command -v "$p" >/dev/null && "$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \\
    && echo "$p" && break; done || true)
apt-get update -qq
if [ -z "$python" ]; then apt-get install -y -qq python3.11; python=python3.11; fi
apt-get install -y -qq "$(basename "$python")-venv" || apt-get install -y -qq python3-venv
"$python" -m venv /opt/qw2v
wheel=$(ls /autograder/source/*.whl)
/opt/qw2v/bin/python -m pip install --quiet "$wheel[notebooks,training]"
chmod -R go-rwx /autograder/source
"""
RUN = """#!/usr/bin/env bash
# For each submission; the tests stay out of its reach.
set -euo pipefail
chmod -R go-rwx /autograder/source /autograder/submission
cd /autograder/source
exec "${PYTHON:-/opt/qw2v/bin/python}" -m course.at_gradescope "${AUTOGRADER:-/autograder}"
"""


def archive(problem_set: ProblemSet, wheel: Path | None, path: Path) -> Path:
    """Write the archive of one problem set; without a wheel, setup.sh has nothing to install."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in (("setup.sh", SETUP), ("run_autograder", RUN)):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o755 << 16
            bundle.writestr(entry, text)
        for module in RUNTIME:
            bundle.write(HERE / f"{module}.py", f"course/{module}.py")
        bundle.writestr("problem_set.json", json.dumps(specification(problem_set), indent=1))
        if wheel is not None:
            bundle.write(wheel, wheel.name, zipfile.ZIP_STORED)
    return path
