"""Killed or interrupted at every stage: no half file under a final name, and the work goes on.

Each command runs as a process of its own, which stops at a stage, says so and waits for the signal.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import qw2v
from qw2v.__main__ import main
from qw2v.statistics import CorpusStatistics
from qw2v.training import Checkpoints
from qw2v.vectors import WordVectors

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of another kind")

# Waits at the n-th call of a function; then the program runs. Who runs the tests in the background
# may have Ctrl-C turned off, and children inherit that: it is turned on.
STOPPING = """
import importlib, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)

def stop_at(module, path, turn):
    holder = importlib.import_module(module)
    *way, name = path.split(".")
    for step in way:
        holder = getattr(holder, step)
    real, calls = getattr(holder, name), []

    def stopping(*arguments, **options):
        calls.append(1)
        if len(calls) == turn:
            print("here", flush=True)
            time.sleep(300)
        return real(*arguments, **options)

    setattr(holder, name, stopping)

stop_at(sys.argv[1], sys.argv[2], int(sys.argv[3]))
"""
COMMAND = "from qw2v.__main__ import main; sys.exit(main(sys.argv[4:]))"


def stopped(stage, how, folder, *arguments, program=COMMAND):
    """Run the program, send it the signal at this stage; return its status and what it said."""
    command = [sys.executable, "-c", f"{STOPPING}\n{program}", *map(str, stage), *arguments]
    kept = {**os.environ, "QW2V_CACHE": str(folder / "cache")}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=folder, env=kept, stdout=pipe, stderr=pipe) as run:
        try:
            assert run.stdout.readline() == b"here\n", run.communicate()[1].decode()
            run.send_signal(how)
            return run.wait(60), run.communicate()[1].decode()
        finally:
            run.kill()


def listed(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def parts(folder):
    return {name for name in listed(folder) if name.endswith(".part")}


def let_time_pass(folder):
    """Make the temporary files as old as those of yesterday."""
    for name in parts(folder):
        os.utime(folder / name, (time.time() - 86_400,) * 2)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A text, its statistics of more than 1,000 words (their eigenpairs are kept), and vectors."""
    folder = tmp_path_factory.mktemp("made")
    rng = np.random.default_rng(0)
    words = np.array(
        [a + b + c for a in "bcdfghklmn" for b in "aeiou" for c in "bcdfghklmnprstvwxyz"]
    )
    words = np.concatenate([words, np.char.add(words, "a")])[:1200]
    lines = [" ".join(words[rng.integers(0, 1200, 30)]) for _ in range(1_500)]
    (folder / "text.txt").write_text("\n".join(lines))
    options = dict(vocab_size=1100, window=3, progress=False)
    stats = CorpusStatistics.from_texts(lines, **options)
    stats.save(folder / "s.npz")
    WordVectors(["a", "b", "c"], np.eye(3)).save(folder / "v.npz")
    return folder


COUNT = "count text.txt --vocab-size 1100 --window 3 --quiet -o out.npz"
EMBED = "embed s.npz --dim 2 --quiet -o out.txt"
PAGE = "page v.npz -o out.html"
FSYNC = ("os", "fsync")  # all bytes are written, under another name
STAGES = {
    "finding the text": (COUNT, ("qw2v.text.finding", "existing_files", 1)),
    "counting words": (COUNT, ("qw2v.text.splitting", "Text.most_frequent", 1)),
    "counting pairs": (COUNT, ("qw2v.text.counting", "count_pairs", 1)),
    "saving counts": (COUNT, (*FSYNC, 1)),
    "giving counts their name": (COUNT, ("os", "replace", 1)),
    "reading counts": (EMBED, ("qw2v._archive", "read", 1)),
    "eigenpairs": (EMBED, ("qw2v.spectrum.machines", "machine", 1)),
    "keeping eigenpairs": (EMBED, (*FSYNC, 1)),
    "writing vectors": (EMBED, ("qw2v._word2vec", "write", 1)),
    "giving vectors their name": (EMBED, ("os", "replace", 2)),
    "making a page": (PAGE, ("qw2v.page", "html_page", 1)),
    "writing a page": (PAGE, (*FSYNC, 1)),
}
QUICK = {"counting pairs", "saving counts", "keeping eigenpairs"}  # the rest are their siblings


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupt", "kill"])
@pytest.mark.parametrize(
    "stage",
    [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in STAGES],
)
def test_a_command_that_is_stopped_leaves_the_old_file_and_can_be_repeated(
    made, tmp_path, monkeypatch, stage, how
):
    line, at = STAGES[stage]
    command, *_, name = line.split()
    for path in made.iterdir():
        (tmp_path / path.name).symlink_to(path)
    (tmp_path / name).write_text("old")
    status, said = stopped(at, how, tmp_path, *line.split())
    assert (tmp_path / name).read_text() == "old"
    there = listed(tmp_path) - parts(tmp_path)
    assert there - {path for path in there if path.startswith("cache/")} == {
        "text.txt", "s.npz", "v.npz", name,
    }  # fmt: skip
    if how == signal.SIGINT:
        assert (status, said) == (130, f"qw2v {command}: interrupted\n")
        assert parts(tmp_path) == set()
    else:
        assert status == -signal.SIGKILL and len(parts(tmp_path)) <= 1

    let_time_pass(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("QW2V_CACHE", str(tmp_path / "cache"))
    assert main(line.split()) == 0
    assert parts(tmp_path) == set()
    check(tmp_path / name, made)


def check(path, made):
    """The repeated command has written what it writes undisturbed."""
    if path.suffix == ".npz":
        expected = CorpusStatistics.load(made / "s.npz").fingerprint
        assert CorpusStatistics.load(path).fingerprint == expected
    elif path.suffix == ".txt":
        assert WordVectors.load_word2vec_format(path).matrix.shape == (1100, 2)
    else:
        assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")


TRAIN = """
import qw2v
from qw2v.training import Checkpoints, Record
stats = qw2v.CorpusStatistics.load("t.npz")
options = dict(dim=2, steps=60, lr=0.05, record=Record(snapshots=[0, 20, 40, 60]), progress=False)
qw2v.train(stats, checkpoints=Checkpoints("kept"), **options).save("run")
"""
TRAINING = {
    "a step": ("qw2v.training.loop", "_all_pairs", 30),
    "the first checkpoint": (*FSYNC, 1),
    "a later checkpoint": (*FSYNC, 3),
    "saving the run": ("qw2v.training.run", "Run.save", 1),
    "giving the run its name": ("os", "replace", 5),
}


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["interrupt", "kill"])
@pytest.mark.parametrize(
    "stage",
    [
        pytest.param(name, marks=[] if name == "a later checkpoint" else pytest.mark.slow)
        for name in TRAINING
    ],
)
def test_a_training_run_that_is_stopped_goes_on_bit_for_bit(tmp_path, stage, how):
    from qw2v.training import Record

    stats = CorpusStatistics.from_texts(["a b c a b d", "c d a e f"], vocab_size=6, window=2)
    stats.save(tmp_path / "t.npz")
    status, _ = stopped(TRAINING[stage], how, tmp_path, program=TRAIN)
    assert status == -how  # a program of one's own ends as Python ends it
    assert not (tmp_path / "run.safetensors").exists()
    if how == signal.SIGINT:
        assert parts(tmp_path) == set()
    let_time_pass(tmp_path)

    options = dict(dim=2, steps=60, lr=0.05, record=Record(snapshots=[0, 20, 40, 60]))
    whole = qw2v.train(stats, **options, progress=False)
    resumed = Checkpoints(tmp_path / "kept", resume=True)
    rest = qw2v.train(stats, checkpoints=resumed, **options, progress=False)
    rest.save(tmp_path / "run")
    assert np.array_equal(rest.vectors.matrix, whole.vectors.matrix)
    assert np.array_equal(rest.trace.loss, whole.trace.loss)
    assert parts(tmp_path) == set() and (tmp_path / "run.safetensors").is_file()


# ---- two at once ---------------------------------------------------------------------------------

SAVE = """
import sys, numpy as np
from qw2v.vectors import WordVectors
vectors = WordVectors(["a", "b"], np.full((2, 50_000), float(sys.argv[1])))
for _ in range(15):
    vectors.save("v.npz")
"""


def test_two_processes_on_one_file_and_a_reader_that_sees_whole_files_alone(tmp_path):
    WordVectors(["a", "b"], np.full((2, 50_000), 1.0)).save(tmp_path / "v.npz")
    writers = [
        subprocess.Popen([sys.executable, "-c", SAVE, number], cwd=tmp_path) for number in "12"
    ]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        matrix = WordVectors.load(tmp_path / "v.npz").matrix
        assert (matrix == matrix[0, 0]).all()
        seen.add(matrix[0, 0])
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen <= {1.0, 2.0} and os.listdir(tmp_path) == ["v.npz"]


def test_what_a_living_writer_holds_is_not_taken_for_abandoned(tmp_path):
    from qw2v import _files

    with _files.replacing(tmp_path / "one") as file:
        file.write(b"slow")
        file.flush()
        (held,) = parts(tmp_path)
        os.utime(tmp_path / held, (0, 0))
        (tmp_path / ".qw2v-dead.part").write_bytes(b"half")
        (tmp_path / ".qw2v-fresh.part").write_bytes(b"half")
        os.utime(tmp_path / ".qw2v-dead.part", (0, 0))
        with _files.replacing(tmp_path / "two") as other:
            other.write(b"quick")
        assert parts(tmp_path) == {held, ".qw2v-fresh.part"}
    assert (tmp_path / "one").read_bytes() == b"slow"


# ---- no room, no permission, no home -------------------------------------------------------------

LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
from qw2v.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("line", [COUNT, EMBED, PAGE], ids=["count", "embed", "page"])
def test_no_room_for_the_output_is_one_line_and_leaves_the_old_file(made, tmp_path, line):
    """A file may have 4,096 bytes: the write fails as on a disk that is full."""
    for path in made.iterdir():
        (tmp_path / path.name).symlink_to(path)
    name = line.split()[-1]
    (tmp_path / name).write_text("old")
    kept = {**os.environ, "QW2V_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *line.split()],
        cwd=tmp_path, env=kept, capture_output=True, text=True,
    )  # fmt: skip
    *warned, last = done.stderr.splitlines()
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert last.startswith(f"qw2v {line.split()[0]}: File too large") and name in last
    assert all("eigenpairs were not kept" in line for line in warned)
    assert (tmp_path / name).read_text() == "old" and parts(tmp_path) == set()


def test_without_a_home_all_works(made, tmp_path):
    """No HOME, no cache folder that could be made: a warning, and the vectors all the same."""
    kept = {k: v for k, v in os.environ.items() if k not in ("HOME", "XDG_CACHE_HOME")}
    kept["QW2V_CACHE"] = "/proc/no/such/folder"
    done = subprocess.run(
        [sys.executable, "-m", "qw2v", *EMBED.split()[:-1], str(tmp_path / "out.txt")],
        cwd=made, env=kept, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "were not kept for the next time" in done.stderr
    assert WordVectors.load_word2vec_format(tmp_path / "out.txt").matrix.shape == (1100, 2)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="no users of this kind here")
def test_a_read_only_folder_is_told_before_the_work(made, tmp_path):
    """As a user who may write nowhere, root among them: a folder of the system's own."""
    folder = Path("/proc/self") if os.geteuid() == 0 else tmp_path
    tmp_path.chmod(0o500)
    done = subprocess.run(
        [sys.executable, "-m", "qw2v", *COUNT.split()[:-1], str(folder / "out.npz")],
        cwd=made, capture_output=True, text=True,
    )  # fmt: skip
    tmp_path.chmod(0o700)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
