"""A submission's process, seen from the grader: run the notebook, look at names, call functions.

A cell that crashes the interpreter or never ends costs itself and nothing else: the process is
started again and that cell is left out. The same for a function that hangs when it is called.
"""

import contextlib
import importlib.util
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course import wire

HERE = Path(__file__).parent
READABLE = [
    "/usr", "/lib", "/lib64", "/etc", "/proc/cpuinfo", "/proc/meminfo", "/dev/urandom",
    "/dev/zero", "/sys/devices/system/cpu", "/opt/hostedtoolcache",
]  # fmt: skip


PATIENCE = 8


@dataclass(frozen=True)
class Limits:
    """What one submission may use: seconds, bytes of memory, bytes of any one file.

    `cell` and `call` are seconds of processor time, so that a busy machine costs nobody a mark;
    by the clock they may take `PATIENCE` times as long (a cell that sleeps uses no processor).
    `total` is by the clock, for the whole notebook and all its tests.
    """

    cell: float = 120.0
    call: float = 60.0
    total: float = 900.0
    memory: int = 6 * 2**30
    file_size: int = 64 * 2**20
    restarts: int = 3


class SubmissionError(Exception):
    """The submission's own fault, in words for its author."""


class ProcessEndedError(SubmissionError):
    """The submission's process stopped, or had to be stopped."""


@dataclass
class CellReport:
    """What became of one code cell: its number in the notebook, from 1, and an error or none."""

    number: int
    source: str
    error: str | None = None


class NotConfinedError(Exception):
    """No sandbox: the system cannot shut a submission in."""


def another_user() -> int | None:
    """Return the user `nobody`, where this process is root and nobody could run this Python."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return None
    places = [*Path(sys.base_prefix).parents, *Path(sys.prefix).parents, Path(sys.prefix)]
    return 65534 if all(place.stat().st_mode & 0o001 for place in places) else None


@contextlib.contextmanager
def library() -> Iterator[list[str]]:
    """Yield what the submission needs on its path to import qw2v, apart from the checkout.

    Installed among the packages, qw2v needs nothing. In a checkout it is linked into a folder of
    its own, so that the rest of the checkout, with the tests, can stay out of reach.
    """
    spec = importlib.util.find_spec("qw2v")
    if spec is None or spec.origin is None:
        raise SystemExit("grading needs the package qw2v: run this in the project's environment")
    package = Path(spec.origin).parent
    if package.is_relative_to(Path(sys.prefix).resolve()) and "site-packages" in package.parts:
        yield []
        return
    with tempfile.TemporaryDirectory(prefix="library-") as folder:
        Path(folder).chmod(0o755)
        ignore = shutil.ignore_patterns("__pycache__", "SHA256SUMS.*")
        for source in (package, package.parent / "data"):
            shutil.copytree(source, Path(folder) / source.name, ignore=ignore, copy_function=_link)
        yield [folder]


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@dataclass
class Session:
    """One submission: its cells, its process, and what is known of both."""

    cells: list[CellReport]
    limits: Limits
    library: list[str]
    confine: bool = True
    user: int | None = None  # to run as, where this process is root
    held: list[str] = field(default_factory=list)
    output: str = ""

    def __post_init__(self) -> None:
        self._process: subprocess.Popen | None = None
        self._folder: tempfile.TemporaryDirectory | None = None
        self._left_out: set[int] = set()
        self._hung: dict[str, str] = {}
        self._restarts = 0
        self._end = time.monotonic() + self.limits.total

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the process and keep what it printed."""
        self._stop()

    def run(self) -> None:
        """Run every cell, starting again without the cell that stopped the process."""
        while True:
            stopped = self._run_once()
            if stopped is None:
                return
            self._left_out.add(stopped)
            self._restarts += 1
            if self._restarts > self.limits.restarts or time.monotonic() > self._end:
                for cell in self.cells[stopped + 1 :]:
                    cell.error = "not run: earlier cells used up the time or the fresh starts"
                    self._left_out.add(self.cells.index(cell))
                self._run_once()
                return

    def _run_once(self) -> int | None:
        """Run the cells in a new process; return the index of the one that stopped it, if any."""
        self._start()
        for index, cell in enumerate(self.cells):
            if index in self._left_out:
                continue
            try:
                answer = self._ask({"cell": cell.source}, self.limits.cell)
            except ProcessEndedError as error:
                cell.error = str(error)
                return index
            cell.error = answer.get("error")
        return None

    def look(self, name: str) -> Any:
        """Return the submission's value of this name; a callable comes as `wire.Function`."""
        answer = self._ask_again({"look": name}, self.limits.call)
        if "missing" in answer:
            raise SubmissionError(f"`{name}` is not defined: did its cell run without an error?")
        return self._value(answer)

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        """Call the submission's function with these arguments; return what it returns."""
        if name in self._hung:
            raise SubmissionError(self._hung[name])
        request = {
            "call": name,
            "arguments": [wire.pack(value) for value in arguments],
            "options": {key: wire.pack(value) for key, value in options.items()},
        }
        try:
            return self._value(self._ask_again(request, self.limits.call))
        except ProcessEndedError as error:
            self._hung[name] = f"`{name}`: {error}"
            raise SubmissionError(self._hung[name]) from None

    def _ask_again(self, request: dict, seconds: float) -> dict:
        """Ask; after an end of the process, run the notebook again first."""
        if time.monotonic() > self._end:
            raise SubmissionError(f"the {self.limits.total:.0f} seconds for a notebook are over")
        if self._process is None and self._run_once() is not None:
            raise SubmissionError("the notebook did not run to its end a second time")
        return self._ask(request, seconds)

    @staticmethod
    def _value(answer: dict) -> Any:
        if "error" in answer:
            raise SubmissionError(str(answer["error"])[:700])
        try:
            return wire.unpack(answer.get("value"))
        except wire.WireError as error:
            raise SubmissionError(f"the answer could not be read: {error}") from error

    def _start(self) -> None:
        self._stop()
        self._folder = tempfile.TemporaryDirectory(prefix="submission-", ignore_cleanup_errors=True)
        base = Path(self._folder.name)
        work, code = base / "work", base / "code"
        work.mkdir()
        code.mkdir()
        if self.user is not None:
            base.chmod(0o711)
            os.chown(work, self.user, self.user)
        for name in ("worker.py", "wire.py", "sandbox.py"):
            shutil.copyfile(HERE / name, code / name)
        request_read, self._inbox = os.pipe()
        self._outbox, answer_write = os.pipe()
        kept = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT")
        environment = {key: os.environ[key] for key in kept if key in os.environ}
        environment |= {"HOME": str(work), "XDG_CACHE_HOME": str(work), "TMPDIR": str(work)}
        environment |= {"IPYTHONDIR": str(work), "MPLCONFIGDIR": str(work), "TQDM_DISABLE": "1"}
        environment |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
        other = {} if self.user is None else {"user": self.user, "group": self.user}
        other |= {} if self.user is None else {"extra_groups": []}
        pipes = (request_read, answer_write)
        with (base / "output.txt").open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-B", "-u", code / "worker.py", *map(str, pipes)],
                cwd=work, env=environment, pass_fds=pipes,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                **other,
            )  # fmt: skip
        os.close(request_read)
        os.close(answer_write)
        limits = {"memory": self.limits.memory, "seconds": round(self.limits.total) + 1}
        limits["file_size"] = self.limits.file_size
        readable = [*READABLE, sys.prefix, sys.base_prefix, str(code), *self.library]
        request = {"limits": limits, "readable": readable, "library": self.library}
        answer = self._ask(request | {"confine": self.confine}, 60)
        self.held = answer.get("ready", [])
        if self.confine and "files" not in self.held and self.user is None:
            self._stop()
            raise NotConfinedError(
                "this system cannot keep a submission from reading your files: that takes Linux "
                "with Landlock (5.13 or newer, 2021). Grade there, or at Gradescope; or, where no "
                "hidden test, solution or other secret lies on this machine, say --unconfined"
            )
        self._ask({"define": {}}, 60)

    def _ask(self, request: dict, seconds: float) -> dict:
        """Send a request and wait for its answer; stop the process if none comes."""
        allowed = self._processor() + seconds
        deadline = min(time.monotonic() + PATIENCE * seconds, self._end)
        try:
            wire.send(self._inbox, request)
            return wire.receive(lambda count: self._read(count, allowed, deadline))
        except TimeoutError:
            said = f"stopped: it ran for more than {seconds:.0f} seconds"
        except (EOFError, BrokenPipeError):
            said = f"the interpreter stopped ({self._how()})"
        except wire.WireError as error:
            said = f"stopped: {error}"
        self._stop()
        raise ProcessEndedError(said)

    def _read(self, count: int, allowed: float, deadline: float) -> bytes:
        parts = []
        while count:
            if not select.select([self._outbox], [], [], 0.2)[0]:
                if time.monotonic() > deadline or self._processor() > allowed:
                    raise TimeoutError
                continue
            part = os.read(self._outbox, min(count, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def _processor(self) -> float:
        """Return the seconds of processor time used so far; by the clock where none are told."""
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return time.monotonic()
        return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")

    def _how(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self._process.wait(5)
            return signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return "no status"

    def _stop(self) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._inbox)
        os.close(self._outbox)
        with (Path(self._folder.name) / "output.txt").open("rb") as file:
            self.output += file.read(20_000).decode(errors="replace")
        self._folder.cleanup()
        self._process = self._folder = None
