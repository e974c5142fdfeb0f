import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from qw2v import datasets
from qw2v.__main__ import main
from qw2v.statistics import CorpusStatistics
from qw2v.vectors import WordVectors

TEXT = """\
The king and the queen sat in the castle, the king on the left.
A man and a woman walk in the town; the man sings to the woman.
The queen sings in the castle and the woman sings in the town.
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a little text, and a cache of its own."""
    monkeypatch.setenv("QW2V_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text(TEXT, encoding="utf-8")
    return tmp_path


def run(line):
    return main(line.split())


def test_text_to_statistics_to_vectors_to_a_report(folder, capsys):
    assert run("count text.txt -o stats.npz --vocab-size 8 --window 2 --quiet") == 0
    stats = CorpusStatistics.load("stats.npz")
    assert (stats.vocab_size, stats.window, stats.window_weights) == (8, 2, "linear")
    assert stats.n_documents == 3 and stats.words[0] == "the"
    assert capsys.readouterr().out.startswith("stats.npz: CorpusStatistics(")

    for output in ("v.txt", "v.bin", "v.npz"):
        assert run(f"embed stats.npz --dim 2 -o {output}") == 0
        assert capsys.readouterr().out.startswith(f"{output}: WordVectors(8 words x 2")
        assert run(f"eval {output}") == 0
        assert "8 words, d = 2" in capsys.readouterr().out
    text, binary = (WordVectors.load_word2vec_format(f"v.{end}") for end in ("txt", "bin"))
    full = WordVectors.load("v.npz")
    np.testing.assert_array_equal(text.matrix, binary.matrix)
    np.testing.assert_array_equal(text.matrix, full.matrix.astype(np.float32))
    assert text.words == binary.words == full.words == stats.words


def test_count_hands_its_options_on(folder):
    line = "count text.txt text.txt -o stats.npz --vocab-size 5 --window 3 --weights harmonic "
    assert run(line + "--document file --mask --source tale --workers 1 --quiet") == 0
    stats = CorpusStatistics.load("stats.npz")
    assert (stats.window_weights, stats.out_of_vocabulary) == ("harmonic", "mask")
    assert (stats.n_documents, stats.source) == (2, "tale")


def test_embed_factorises_the_target_asked_for(folder):
    run("count text.txt -o stats.npz --vocab-size 8 --window 2 --quiet")
    run("embed stats.npz --dim 1 --kind ppmi -o ppmi.npz")
    run("embed stats.npz --dim 1 -o mstar.npz")
    ppmi, mstar = (WordVectors.load(f"{kind}.npz").matrix for kind in ("ppmi", "mstar"))
    assert not np.allclose(ppmi, mstar)


def test_eval_prints_json(folder, capsys):
    WordVectors(["king", "queen"], np.eye(2)).save("v.npz")
    assert run("eval v.npz --protocol google --json") == 0
    report = json.loads(capsys.readouterr().out)
    assert report["protocol"] == "google" and report["vocab_size"] == 2


def test_eval_alone_scores_the_shipped_statistics_beside_the_paper(folder, capsys, monkeypatch):
    small = datasets.load_statistics().restrict(300)
    monkeypatch.setattr(datasets, "load_statistics", lambda: small)
    assert run("eval --dim 5") == 0
    printed = capsys.readouterr().out
    assert "300 words, d = 5" in printed
    assert "The paper, mstar at d = 200" in printed and "66.3%" in printed
    assert run("eval --dim 5 --protocol google") == 0
    assert "The paper" not in capsys.readouterr().out


def test_data_lists_and_checks(capsys, monkeypatch, tmp_path):
    assert run("data") == 0
    assert "men.tsv" in capsys.readouterr().out
    assert run("data --check") == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(datasets.checksums()) and all(line.endswith("ok") for line in lines)

    monkeypatch.setattr(datasets, "_DATA", tmp_path)
    (tmp_path / "men.tsv").write_text("sun\tlight\t49\n")
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  men.tsv\n")
    assert run("data --check") == 2
    printed = capsys.readouterr()
    assert "WRONG" in printed.out and "git checkout -- data/men.tsv" in printed.err


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("count nowhere.txt -o stats.npz", "nowhere.txt"),
        ("count text.txt -o no/such/stats.npz", "there is no folder to write stats.npz"),
        ("count text.txt -o stats.npz --vocab-size 9999", "9999|9,999"),
        ("count text.txt -o stats.npz --vocab-size 8 --window 0", "window"),
        ("embed text.txt -o v.txt", "text.txt"),
        ("embed nowhere.npz -o v.txt", "nowhere.npz"),
        ("eval text.txt", "word2vec format starts with two positive numbers"),
        ("eval nowhere.bin", "nowhere.bin"),
        ("fetch text9", "choose from"),
    ],
)
def test_bad_input_is_one_line_on_stderr_and_status_2(folder, capsys, line, message):
    assert run(line + (" --quiet" if line.startswith("count") else "")) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (printed,) = captured.err.splitlines()
    assert printed.startswith(f"qw2v {line.split()[0]}: ")
    assert re.search(message, printed)


@pytest.mark.parametrize("command", ["count", "embed", "eval", "fetch", "data"])
def test_every_command_explains_itself_with_an_example(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        main([command, "--help"])
    assert stopped.value.code == 0
    assert f"example:\n  qw2v {command}" in capsys.readouterr().out


@pytest.mark.parametrize("line", ["", "sing", "count", "embed stats.npz -o v --kind best"])
def test_a_wrong_command_line_is_status_2(line, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(line)
    assert stopped.value.code == 2
    assert "usage: qw2v" in capsys.readouterr().err


def test_the_module_runs_as_a_program(folder):
    program = [sys.executable, "-m", "qw2v", "eval", "nowhere.txt"]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("qw2v eval: ") and "Traceback" not in done.stderr


@pytest.mark.parametrize("line", ["count text.txt -o text.txt", "embed stats.npz -o ./stats.npz"])
def test_f8_faults_8_an_input_is_no_output(folder, capsys, line):
    run("count text.txt -o stats.npz --vocab-size 4 --quiet")
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    capsys.readouterr()
    assert run(line) == 2
    assert "is also an input" in capsys.readouterr().err
    assert before == {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


@pytest.mark.parametrize("output, message", [("folder", "is a folder"), ("", "must name a file")])
def test_faults_14_an_output_is_tried_before_the_work(folder, capsys, monkeypatch, output, message):
    (folder / "folder").mkdir()
    monkeypatch.setattr(CorpusStatistics, "from_files", None)
    assert main(["count", "text.txt", "-o", output]) == 2
    assert message in capsys.readouterr().err


def test_f2_an_output_may_be_a_pipe(folder):
    program = [sys.executable, "-m", "qw2v"]
    quiet = ["--vocab-size", "8", "--window", "3", "--quiet", "-o", "/dev/stdout"]
    counted = subprocess.run(
        [*program, "count", "text.txt", *quiet], capture_output=True, check=True
    )
    (folder / "piped.npz").write_bytes(counted.stdout)
    assert CorpusStatistics.load(folder / "piped.npz").vocab_size == 8
    assert counted.stderr.startswith(b"/dev/stdout: CorpusStatistics(8 words")


def test_f22e_a_console_without_the_letters(folder):
    """The letters of a source or of a file's name are printed by their numbers."""
    done = subprocess.run(
        [sys.executable, "-m", "qw2v", "count", "text.txt", "-o", "stats.npz", "--quiet"]
        + ["--vocab-size", "4", "--window", "3", "--source", "\u4e2d\u6587"],
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        capture_output=True,
    )
    assert done.returncode == 0 and rb"'\u4e2d\u6587'" in done.stdout


def test_faults_14_an_interrupt_while_loading_is_one_line(folder):
    """Nothing heavy is loaded before the command line can be interrupted in good order."""
    code = """
import sys
class Interrupting:
    def find_spec(self, name, *rest):
        if name == "numpy":
            raise KeyboardInterrupt
sys.meta_path.insert(0, Interrupting())
from qw2v.__main__ import main
sys.exit(main(["eval"]))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (130, "qw2v: interrupted\n")


def test_a_reader_that_closes_early_is_no_error(folder):
    program = f"{sys.executable} -m qw2v data | head -n 1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", program], capture_output=True, text=True)
    assert done.stderr == "" and done.stdout.splitlines()[-1] in ("0", "1")


# Reading vectors and lists as they are found


def test_f19_gz_is_packed_and_unpacked(folder, capsys):
    run("count text.txt -o stats.npz --vocab-size 8 --window 2 --quiet")
    for output in ("v.vec.gz", "v.bin.gz", "v.vec"):
        assert run(f"embed stats.npz --dim 2 -o {output} --quiet") == 0
    assert (folder / "v.vec.gz").read_bytes()[:2] == b"\x1f\x8b"
    loaded = [WordVectors.load_word2vec_format(p) for p in ("v.vec.gz", "v.bin.gz", "v.vec")]
    assert all(np.array_equal(v.matrix, loaded[2].matrix) for v in loaded)
    (folder / "renamed").write_bytes((folder / "v.vec.gz").read_bytes())
    assert run("eval renamed") == 0


def test_f8_an_output_that_is_an_input_or_a_folder_is_refused_before_the_work(folder, capsys):
    run("count text.txt -o stats.npz --vocab-size 8 --window 2 --quiet")
    before = (folder / "stats.npz").read_bytes()
    assert run("embed stats.npz --dim 2 -o stats.npz") == 2
    assert (folder / "stats.npz").read_bytes() == before
    (folder / "there").mkdir()
    assert run("embed stats.npz --dim 2 -o there") == 2
    capsys.readouterr()
    assert run("embed stats.npz --dim 2 -o v.vec.bz2") == 2
    assert "-o v.vec.bz2: .bz2 is not written" in capsys.readouterr().err
    assert {path.name for path in folder.iterdir()} == {"text.txt", "stats.npz", "there"}


def test_f20_vectors_in_the_wild(folder, capsys):
    (folder / "glove.txt").write_text("king 1 0\nqueen 0 1\nking 5 5\nbad row here x\n. 1 1\n")
    assert run("eval glove.txt") == 2
    assert run("eval glove.txt --limit 2") == 0
    capsys.readouterr()
    assert run("eval glove.txt --duplicates first --malformed skip") == 0
    printed = capsys.readouterr()
    assert "3 words, d = 2" in printed.out
    assert "warning: glove.txt: passed over 1 rows malformed" in printed.err
    assert "warning: glove.txt: passed over 1 rows of words that stand above" in printed.err


def test_f21_own_lists(folder, capsys):
    words, rows = ["up", "rise", "down", "fall"], [[1, 1], [1, 2], [-1, 1], [-1, 2]]
    WordVectors(words, np.array(rows)).save("v.npz")
    (folder / "mine.txt").write_text(": moves\nup rise down fall\n")
    (folder / "rated.csv").write_text(
        "word1,word2,POS,score\nup,rise,V,9\nup,down,V,1\nup,fall,V,\n"
    )
    line = "eval v.npz --analogies mine.txt --ratings rated.csv --json"
    assert run(line) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["accuracy"] == 1 and report["analogies"][0]["category"] == "moves"
    (ratings,) = report["similarities"]
    assert (ratings["name"], ratings["pairs"], ratings["unrated"]) == ("rated", 2, 1)
    assert ratings["spearman"] == pytest.approx(1)
    assert run("eval v.npz --ratings men") == 0
    assert "men" in (said := capsys.readouterr().out) and "Analogies" not in said
    assert run("eval v.npz --analogies google --keep-question-words") == 0
    assert "not left out" in capsys.readouterr().out


def test_the_tuned_recipe_is_another(folder, capsys):
    run("count text.txt -o stats.npz --vocab-size 8 --window 2 --quiet")
    capsys.readouterr()
    assert run("embed stats.npz --dim 2 --recipe tuned -o tuned.npz --json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "output": "tuned.npz",
        "vocab_size": 8,
        "dim": 2,
    }
    run("embed stats.npz --dim 2 --power 0 -o flat.npz --quiet")
    tuned, flat = (WordVectors.load(name).matrix for name in ("tuned.npz", "flat.npz"))
    np.testing.assert_allclose((flat**2).sum(axis=0), 1)
    assert not np.allclose(np.abs(tuned), np.abs(flat))
