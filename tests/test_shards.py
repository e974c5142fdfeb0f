"""Counting by other processes and machines: the same bits, whoever dies on the way."""

import os
import pickle
import random
import signal
from collections import Counter
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from qw2v.__main__ import main
from qw2v.statistics import CorpusStatistics
from qw2v.text import shards
from qw2v.text.corpus import Corpus

KILLED = ["killed_pairs_of", "killed_words_of"]  # a worker in each round
SETTINGS = {"vocab_size": 60, "window": 4, "progress": False}


@pytest.fixture(scope="module")
def texts(tmp_path_factory):
    """Eight files of different size, and what is counted over all of them here."""
    folder = tmp_path_factory.mktemp("shards")
    draw = random.Random(0)
    words = [a + b for a in "abcdefghij" for b in "klmnopqrst\u00e9"]
    for number in range(8):
        lines = (" ".join(draw.choices(words, k=9)) for _ in range(40 * (number + 1)))
        (folder / f"{number}.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder, CorpusStatistics.from_files(folder, **SETTINGS).fingerprint


def killed_once(marker, function, *arguments):
    """Die in the middle of a task unless there is a marker, as a worker that is killed does."""
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return function(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)


class Killing(Executor):
    """Hands tasks on; once half of the shards are read, or counted, a task kills its worker."""

    def __init__(self, pool, marker):
        self._pool, self._marker, self._handed = pool, marker, Counter()

    def submit(self, function, /, *arguments):
        name = function.__name__
        self._handed[name] += 1
        if name.endswith("_of") and self._handed[name] == 4:
            return self._pool.submit(killed_once, f"{self._marker}{name}", function, *arguments)
        return self._pool.submit(function, *arguments)

    def shutdown(self, wait=True, *, cancel_futures=False):
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("on_disk", [False, True], ids=["bytes", "paths"])
def test_processes_count_the_same_bits(texts, workers, on_disk, tmp_path):
    folder, expected = texts
    scratch = tmp_path if on_disk else None
    with ProcessPoolExecutor(workers) as pool:
        stats = CorpusStatistics.from_files(folder, executor=pool, scratch=scratch, **SETTINGS)
    assert stats.fingerprint == expected
    assert list(tmp_path.iterdir()) == []


def test_a_killed_worker_is_made_anew_and_its_shard_counted_once(texts, tmp_path):
    folder, expected = texts
    make = lambda: Killing(ProcessPoolExecutor(2), str(tmp_path / "killed"))  # noqa: E731
    stats = CorpusStatistics.from_files(folder, executor=make, **SETTINGS)
    assert stats.fingerprint == expected
    assert sorted(path.name for path in tmp_path.iterdir()) == KILLED


def test_an_executor_that_broke_for_good_says_what_to_pass(texts, tmp_path):
    with (
        Killing(ProcessPoolExecutor(2), str(tmp_path / "killed")) as pool,
        pytest.raises(RuntimeError, match=r"pass a function that makes one, such as partial"),
    ):
        Corpus.from_files(texts[0], executor=pool, progress=False)


class Unreliable(Executor):
    """Runs tasks at once, but loses some results and reports others late and out of order."""

    def __init__(self, losses, each=shards.TRIES - 1):
        self.losses, self.each = losses, each
        self.done, self.draw = [], random.Random(1)
        self.lost = Counter()  # by task, at most `each`: fewer than make it give up

    def submit(self, function, /, *arguments):
        future = Future()
        self.done.append(function.__name__)
        task = function.__name__, pickle.dumps(arguments)
        if self.losses and self.lost[task] < self.each and self.draw.random() < 0.4:
            self.losses -= 1
            self.lost[task] += 1
            function(*arguments)  # the work was done, and its result lost
            future.set_exception(ConnectionError("lost"))
        else:
            future.set_result(function(*arguments))
        return future


def test_lost_shards_are_counted_again_but_never_twice(texts):
    folder, expected = texts
    unreliable = Unreliable(losses=9)
    stats = CorpusStatistics.from_files(folder, executor=unreliable, **SETTINGS)
    assert unreliable.losses == 0
    assert stats.fingerprint == expected
    assert unreliable.done.count("_pairs_of") > 8


def test_results_are_added_as_a_tree(texts, monkeypatch):
    monkeypatch.setattr(shards, "IN_FLIGHT", 3)
    executor = Unreliable(losses=0)
    corpus = Corpus.from_files(texts[0], executor=executor, progress=False)
    assert executor.done.count("_sum_of_words") == 7
    assert corpus.count(vocab_size=60, window=4, progress=False).fingerprint == texts[1]
    assert "8 shards" in repr(corpus)


def test_errors_of_the_text_are_not_tried_again(texts, tmp_path):
    (tmp_path / "bad.txt").write_bytes(b"caf\xe9")
    executor = Unreliable(losses=0)
    with pytest.raises(ValueError, match="bad.txt is not UTF-8 text: byte 3 is 0xe9"):
        Corpus.from_files([texts[0], tmp_path], executor=executor, progress=False)
    assert executor.done.count("_words_of") <= 9


def test_what_is_always_lost_ends_with_its_own_error(texts):
    with ThreadPoolExecutor(1) as pool:
        broken = Unreliable(losses=10**9, each=1_000)
        broken.draw.random = lambda: 0
        with pytest.raises(ConnectionError, match="lost"):
            Corpus.from_files(texts[0], executor=broken, progress=False)
        with pytest.raises(ValueError, match="cannot be shared out among workers"):
            Corpus.from_files("-", executor=pool, progress=False)
        corpus = Corpus.from_files(texts[0], executor=pool, progress=False)
        with pytest.raises(ValueError, match="read it without an executor"):
            corpus.ids(["ak"])


def test_the_lines_of_one_large_file_are_shared_out(texts, tmp_path, monkeypatch):
    from qw2v.text import finding

    folder, _ = texts
    whole = tmp_path / "whole.txt"
    whole.write_bytes(b"\n".join(path.read_bytes() for path in sorted(folder.iterdir())))
    monkeypatch.setattr(finding, "PART", 5000)
    with ThreadPoolExecutor(2) as pool:
        corpus = Corpus.from_files(whole, executor=pool, progress=False)
    assert len(corpus._text._shards) > 5
    assert corpus.word_counts() == Corpus.from_files(folder, progress=False).word_counts()


@pytest.mark.slow
def test_one_two_or_three_workers_of_a_dask_cluster_and_one_killed(texts, tmp_path):
    """The whole of it: three worker processes, of which one is killed half-way."""
    distributed = pytest.importorskip("distributed")
    import dask

    folder, expected = texts
    with (
        dask.config.set({"distributed.worker.daemon": False}),
        distributed.LocalCluster(
            n_workers=3,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
            local_directory=str(tmp_path),
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        executor = client.get_executor()
        stats = CorpusStatistics.from_files(folder, executor=executor, **SETTINGS)
        assert stats.fingerprint == expected
        killing = Killing(executor, str(tmp_path / "killed"))
        stats = CorpusStatistics.from_files(folder, executor=killing, **SETTINGS)
        assert stats.fingerprint == expected
        assert sorted(path.name for path in tmp_path.glob("killed*")) == KILLED
        line = f"count {folder} -o {tmp_path}/s.npz --vocab-size 60 --window 4 --quiet"
        assert main([*line.split(), "--cluster", cluster.scheduler_address]) == 0
        assert CorpusStatistics.load(tmp_path / "s.npz").fingerprint == expected


def test_the_command_line_counts_in_processes(texts, tmp_path, capsys):
    out = str(tmp_path / "s.npz")
    line = ["count", str(texts[0]), "-o", out, "--vocab-size", "60", "--window", "4", "--quiet"]
    assert main([*line, "--processes", "2"]) == 0
    assert CorpusStatistics.load(out).fingerprint == texts[1]
    assert main([*line, "--processes", "2", "--cluster", "tcp://nowhere:1"]) == 2
    assert "either --processes or --cluster" in capsys.readouterr().err
