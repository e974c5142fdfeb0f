import dataclasses
import json
import os
import pickle
import subprocess
import sys
import tracemalloc
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from reference import pair_counts_of, vocabulary_of, words_of
from scipy import sparse

from qw2v import _archive, _streams
from qw2v import _environment as environment
from qw2v.statistics import CorpusStatistics
from qw2v.text import buffers, counting
from qw2v.text.corpus import Corpus
from qw2v.text.words import top_words

SETTINGS = [
    (window, weights, others)
    for window in (1, 3, 50)
    for weights in ("linear", "uniform", "harmonic")
    for others in ("remove", "mask")
]


@pytest.fixture(scope="session")
def real_text():
    """A thousand lines of English that every Python has with it."""
    import pydoc_data.topics

    return "\n".join(pydoc_data.topics.topics.values()).splitlines()[:1500]


def words_in(path):
    return Corpus.from_files(path).word_counts()


def assert_equals_reference(stats, texts, vocab_size, window, weights, others):
    documents = [words_of(text) for text in texts]
    vocabulary = vocabulary_of(documents, vocab_size)
    words = [word for word, _ in vocabulary]
    assert stats.words == words
    assert stats.word_counts.tolist() == [count for _, count in vocabulary]
    assert stats.n_documents == sum(map(bool, documents))
    assert stats.n_tokens == sum(map(len, documents))
    table = pair_counts_of(documents, words, window, weights, others)
    assert stats.pair_counts.toarray().tolist() == table
    assert stats.pair_counts.has_sorted_indices
    assert np.all(stats.pair_counts.data > 0)
    assert stats.word_counts.dtype == stats.pair_counts.dtype == np.int64


few_words = st.lists(st.text(st.sampled_from("abcd  "), max_size=40), max_size=6)


@settings(max_examples=60)
@given(texts=few_words, setting=st.sampled_from(SETTINGS), data=st.data())
def test_counts_equal_the_reference_bit_for_bit(texts, setting, data):
    n_words = len({word for text in texts for word in words_of(text)})
    if n_words == 0:
        with pytest.raises(ValueError, match="has no words"):
            CorpusStatistics.from_texts(texts, vocab_size=1)
        return
    vocab_size = data.draw(st.integers(1, n_words))
    window, weights, others = setting
    # Smaller limits send small texts along the paths of large ones.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(environment, "SMALL", data.draw(st.sampled_from([0, 100, 1 << 30])))
        patch.setattr(buffers, "UINT32_MAX", data.draw(st.sampled_from([0, 20, 2**32 - 1])))
        patch.setattr(counting, "GROUP_CELLS", data.draw(st.sampled_from([1, 2**20])))
        patch.setattr(counting, "MOST_CENTRES", data.draw(st.sampled_from([1, 5, 2**30])))
        stats = CorpusStatistics.from_texts(
            texts,
            vocab_size=vocab_size,
            window=window,
            window_weights=weights,
            out_of_vocabulary=others,
            workers=data.draw(st.integers(1, 3)),
        )
    assert_equals_reference(stats, texts, vocab_size, window, weights, others)


@pytest.mark.parametrize("setting", SETTINGS, ids=str)
def test_real_text_equals_the_reference(real_text, setting, tmp_path):
    window, weights, others = setting
    texts = real_text if window < 50 else real_text[:400]
    path = tmp_path / "text.txt"
    path.write_text("\n".join(texts), encoding="utf-8")
    stats = CorpusStatistics.from_files(
        path, vocab_size=60, window=window, window_weights=weights, out_of_vocabulary=others
    )
    assert_equals_reference(stats, texts, 60, window, weights, others)


def test_more_words_than_sixteen_bits_number():
    words = [f"w{i}" for i in range(70_000)]
    texts = [" ".join(words[i : i + 100]) for i in range(0, len(words), 100)]
    stats = CorpusStatistics.from_texts(texts, vocabulary=words, window=1, tokenize=str.split)
    rows = np.arange(len(words) - 1)[np.arange(1, len(words)) % 100 != 0]
    expected = sparse.coo_array(
        (np.ones(len(rows), int), (rows, rows + 1)), shape=2 * (len(words),)
    )
    assert (stats.pair_counts != (expected + expected.T).tocsr()).nnz == 0


def test_cells_beyond_32_bits_are_exact():
    # The weight at distance 1 is 2^31 - 1: a few pairs pass uint32.
    window = 2**31 - 1
    stats = CorpusStatistics.from_texts(["a b a b a"], vocab_size=2, window=window)
    assert stats.pair_counts.toarray().tolist() == pair_counts_of(
        [list("ababa")], ["a", "b"], window, "linear", "remove"
    )
    assert stats.pair_counts.max() > 2**32


def test_harmonic_weights_are_one_over_the_distance():
    for window in (5, 16, 17, 40, 1000):
        weights = np.array(counting.pair_weights(window, "harmonic"), float)
        distance = np.arange(1, window + 1)
        off = np.abs(weights * distance / weights[0] - 1)
        assert off.max() <= (0 if window <= 16 else distance[-1] / (2 * 720_720))


def test_masking_is_exact_under_restriction(real_text):
    count = partial(CorpusStatistics.from_texts, real_text, window=4, out_of_vocabulary="mask")
    small = count(vocab_size=200).restrict(50)
    assert small.fingerprint == count(vocab_size=50).fingerprint


@pytest.mark.parametrize("others", ["remove", "mask"])
def test_shards_merge_to_the_same_bits(real_text, others, tmp_path):
    shards = []
    for i in range(3):
        shards.append(tmp_path / f"{i}.txt")
        shards[-1].write_text("\n".join(real_text[500 * i : 500 * i + 500]), encoding="utf-8")
    kept = {"window": 5, "out_of_vocabulary": others, "workers": 1}
    whole = CorpusStatistics.from_files(shards, vocab_size=300, source="all", **kept)
    with ProcessPoolExecutor(2) as pool:
        counts = sum(pool.map(words_in, shards), start=Counter())
        words = top_words(counts, 300)
        count = partial(CorpusStatistics.from_files, vocabulary=words, **kept)
        merged = CorpusStatistics.merge(pool.map(count, shards))
    assert merged.words == whole.words
    assert merged.fingerprint == whole.fingerprint
    assert np.array_equal(merged.pair_counts.data, whole.pair_counts.data)


def test_sources_are_joined_and_settings_must_agree():
    kept = {"vocabulary": ["a", "b"], "window": 2}
    a, b = (CorpusStatistics.from_texts(["a b"], source=s, **kept) for s in "xy")
    assert (a + b).source == "x; y"
    assert (a + a).source == "x"
    for change, message in [
        ({"window": 3}, "differ in window: 2 and 3"),
        ({"window_weights": "uniform"}, "differ in window_weights: 'linear' and 'uniform'"),
        ({"out_of_vocabulary": "mask"}, "differ in out_of_vocabulary"),
        ({"vocabulary": ["b", "a"]}, "differ in words: row 0 is 'a' and 'b'"),
        ({"vocabulary": ["a"]}, "differ in words: 2 and 1 words"),
    ]:
        with pytest.raises(ValueError, match=message):
            a + CorpusStatistics.from_texts(["a b"], **{**kept, **change})
    with pytest.raises(ValueError, match="nothing to merge"):
        CorpusStatistics.merge([])
    with pytest.raises(TypeError):
        a + 1
    large = dataclasses.replace(a, pair_counts=a.pair_counts * 2**60)
    with pytest.raises(OverflowError, match=r"2\^63"):
        large + large


def test_probabilities_sum_to_one_and_are_symmetric(real_text):
    stats = CorpusStatistics.from_texts(real_text, vocab_size=100, window=3)
    assert stats.unigram.sum() == pytest.approx(1, abs=1e-14)
    assert stats.skipgram.sum() == pytest.approx(1, abs=1e-14)
    assert (stats.skipgram != stats.skipgram.T).nnz == 0
    assert stats.index["the"] == stats.words.index("the")
    assert repr(stats).startswith("CorpusStatistics(100 words, ")
    assert pickle.loads(pickle.dumps(stats)).fingerprint == stats.fingerprint


def test_the_fingerprint_sees_everything_but_the_source(real_text):
    stats = CorpusStatistics.from_texts(real_text[:50], vocab_size=20, window=2)
    pairs = 2 * stats.pair_counts
    changes = [
        {"words": stats.words[::-1]},
        {"word_counts": stats.word_counts + 1},
        {"pair_counts": pairs},
        {"window": 3},
        {"window_weights": "uniform"},
        {"out_of_vocabulary": "mask"},
        {"n_documents": 1},
        {"n_tokens": 1},
    ]
    changed = {dataclasses.replace(stats, **change).fingerprint for change in changes}
    assert len(changed | {stats.fingerprint}) == len(changes) + 1
    assert dataclasses.replace(stats, source="elsewhere").fingerprint == stats.fingerprint


# --- Settings and limits --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"vocab_size": 3}, ValueError, "vocab_size is 3, but the corpus has only 2 different"),
        ({"vocab_size": 0}, ValueError, "at least 1; received 0"),
        ({"vocab_size": None}, ValueError, "received neither"),
        ({"vocabulary": ["a"]}, ValueError, "received both"),
        ({"vocab_size": None, "vocabulary": []}, ValueError, "must be a list of words"),
        ({"vocab_size": None, "vocabulary": "ab"}, ValueError, "must be a list of words"),
        ({"vocab_size": None, "vocabulary": ["a", "a"]}, ValueError, "'a' more than once"),
        ({"vocab_size": None, "vocabulary": ["Don't"]}, ValueError, "never yields"),
        ({"window": 0}, ValueError, "window must be .* between 1 and .*; received 0"),
        ({"window": 2.5}, ValueError, "received 2.5"),
        ({"window_weights": "square"}, ValueError, "'harmonic'; received 'square'"),
        ({"out_of_vocabulary": "keep"}, ValueError, "'remove', 'mask'; received 'keep'"),
        ({"memory": 0}, ValueError, "memory must be a whole number of at least 1"),
        ({"memory": 10}, MemoryError, "needs about .* GB, .* lower vocab_size or window, or raise"),
        (
            {"window": 1_001, "window_weights": "harmonic"},
            OverflowError,
            "window of 1,000; received window 1,001: lower it",
        ),
    ],
)
def test_bad_settings_are_explained(options, error, message):
    with pytest.raises(error, match=message):
        CorpusStatistics.from_texts(["a b"], **{"vocab_size": 2, **options})


def test_an_empty_corpus_is_explained():
    with pytest.raises(ValueError, match="has no words: it is empty"):
        CorpusStatistics.from_texts([], vocab_size=2)


def test_bad_arrays_are_explained():
    stats = CorpusStatistics.from_texts(["a b"], vocab_size=2)
    with pytest.raises(ValueError, match=r"shape \(1,\) and pair_counts .* received \(2,\)"):
        dataclasses.replace(stats, words=["a"])
    with pytest.raises(TypeError, match="integers, received int64 and float64"):
        dataclasses.replace(stats, pair_counts=stats.pair_counts * 0.5)
    for size in (0, 3):
        with pytest.raises(ValueError, match=f"between 1 and 2, .* received {size}"):
            stats.restrict(size)


def test_little_memory_is_kept_to_by_counting_in_pieces(real_text, monkeypatch):
    monkeypatch.setattr(counting, "SMALLEST_PIECE", 1000)
    monkeypatch.setattr(environment, "SMALL", 0)
    sizes = []
    count_piece = counting._count_piece
    monkeypatch.setattr(
        counting,
        "_count_piece",
        lambda ids, *rest: sizes.append(ids.nbytes) or count_piece(ids, *rest),
    )
    count = partial(CorpusStatistics.from_texts, real_text, vocab_size=20, window=2)
    assert count(memory=33_000).fingerprint == count().fingerprint
    assert len(sizes) >= 3
    assert max(sizes) < 33_000


def test_the_estimate_of_cells_bounds_real_text(real_text):
    stats = CorpusStatistics.from_texts(real_text, vocab_size=1000, window=4)
    estimate = counting.estimated_cells(stats.word_counts, 4)
    assert stats.pair_counts.nnz <= estimate <= 3 * stats.pair_counts.nnz


def test_a_table_outgrows_its_estimate(real_text, monkeypatch):
    count = partial(CorpusStatistics.from_texts, real_text, vocab_size=300, window=4)
    expected = count().fingerprint
    monkeypatch.setattr(counting, "estimated_cells", lambda *_: 1)
    monkeypatch.setattr(environment, "SMALL", 0)
    assert count().fingerprint == expected


# --- Files ----------------------------------------------------------------------------------------


@st.composite
def symmetric_tables(draw):
    size = draw(st.integers(1, 12))
    value = st.sampled_from([0, 0, 1, 2, 254, 255, 256, 2**31, 2**61]) | st.integers(0, 2**56)
    upper = np.zeros((size, size), np.int64)
    for i, j in draw(st.lists(st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)))):
        upper[min(i, j), max(i, j)] = draw(value)
    assume(sum(upper.ravel().tolist()) < 2**62)
    return upper + upper.T


def statistics_of(table, words=None):
    words = words or [f"w{i}" for i in range(len(table))]
    counts = np.arange(len(table))[::-1]
    return CorpusStatistics(words, counts, table, 2, "linear", "remove", 3, 40, "here")


@given(symmetric_tables())
@example(np.zeros((3, 3), np.int64))
def test_files_bring_back_every_bit(tmp_path_factory, table):
    path = tmp_path_factory.mktemp("stats") / "stats.npz"
    stats = statistics_of(table)
    stats.save(path)
    loaded = CorpusStatistics.load(path)
    assert np.array_equal(loaded.pair_counts.toarray(), table)
    assert loaded.pair_counts.has_sorted_indices
    assert (loaded.words, loaded.source) == (stats.words, "here")
    assert np.array_equal(loaded.word_counts, stats.word_counts)
    assert loaded.fingerprint == stats.fingerprint


def test_wide_gaps_and_any_words_are_kept(tmp_path):
    size = 1000
    table = sparse.coo_array(
        ([3, 3, 5, 5], ([0, 999, 0, 300], [999, 0, 300, 0])), shape=(size, size)
    )
    words = [f"caf\u00e9_{i}\u4e2d" for i in range(size)]
    statistics_of_table = CorpusStatistics(
        words, np.ones(size, int), table, 1, "linear", "mask", 1, 1, "\u4e2d"
    )
    statistics_of_table.save(tmp_path / "stats")
    loaded = CorpusStatistics.load(tmp_path / "stats")
    assert (loaded.pair_counts != statistics_of_table.pair_counts).nnz == 0
    assert loaded.words == words


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "stats.npz"
    CorpusStatistics.from_texts(["a b c a", "c d"], vocab_size=4, window=2).save(path)
    return path


@settings(max_examples=200)
@given(data=st.data())
def test_every_flipped_or_missing_byte_is_noticed(saved, data):
    good = saved.read_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    if data.draw(st.booleans()):
        bad = good[:at]
    else:
        bad = good[:at] + bytes([good[at] ^ data.draw(st.integers(1, 255))]) + good[at + 1 :]
    path = saved.with_name("bad.npz")
    path.write_bytes(bad)
    try:
        loaded = CorpusStatistics.load(path)
    except ValueError as error:
        assert "bad.npz" in str(error)
    else:
        # Some bytes of a zip archive, such as dates, say nothing.
        kept = CorpusStatistics.load(saved)
        assert (loaded.fingerprint, loaded.source) == (kept.fingerprint, kept.source)
        assert np.array_equal(loaded.pair_counts.toarray(), kept.pair_counts.toarray())


def rewritten(path, **changes):
    with np.load(path) as archive:
        members = dict(archive)
    members = {**members, **changes}
    changed = path.with_name("changed.npz")
    np.savez(changed, **{name: value for name, value in members.items() if value is not None})
    return changed


def header_of(path, **changes):
    with np.load(path) as archive:
        header = json.loads(archive["header"].tobytes())
    return np.frombuffer(json.dumps({**header, **changes}).encode(), np.uint8)


def forged(path, **changes):
    """Return a changed file whose checksum is right all the same."""
    with np.load(path) as archive:
        members = {**dict(archive), **changes}
    return rewritten(path, **{**members, "sha256": _streams.checksum(members)})


def test_other_files_are_refused(saved, tmp_path):
    def load(path):
        return CorpusStatistics.load(path)

    with pytest.raises(FileNotFoundError, match="nothing.npz"):
        load(tmp_path / "nothing.npz")
    for name, content in [("empty.npz", b""), ("text.npz", b"the cat sat")]:
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} is not a file of statistics, or is damaged"):
            load(tmp_path / name)
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    with pytest.raises(ValueError, match="other.npz is not a file of statistics"):
        load(tmp_path / "other.npz")
    with pytest.raises(ValueError, match="of version 99 .* reads version 2: update qw2v"):
        load(rewritten(saved, header=header_of(saved, version=99)))
    with pytest.raises(ValueError, match="holds 'a cake', not 'qw2v statistics'"):
        load(rewritten(saved, header=header_of(saved, format="a cake")))
    with pytest.raises(ValueError, match="is damaged, its SHA-256"):
        load(rewritten(saved, sha256=np.zeros(32, np.uint8)))
    with pytest.raises(ValueError, match="is damaged, its SHA-256"):
        load(rewritten(saved, header=header_of(saved, window=9)))
    with pytest.raises(ValueError, match="does not fit together: window must be"):
        load(forged(saved, header=header_of(saved, window=None)))


def test_pickles_in_a_file_are_never_opened(saved):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(saved.with_name("trapped")),)

    trap = np.array([Trap()], dtype=object)
    for name in ("header", "values"):
        with pytest.raises(ValueError, match="is not a file of statistics, or is damaged"):
            CorpusStatistics.load(rewritten(saved, **{name: trap}))
    assert not saved.with_name("trapped").exists()


def streams_of(path):
    _, streams = _archive._read_members(path)
    sizes = {name: _streams.frame_size(name, stream) for name, stream in streams.items()}
    return {name: _streams.decompress(name, streams, size) for name, size in sizes.items()}


def as_words(*words):
    return np.frombuffer(json.dumps(words).encode(), np.uint8)


def as_integers(*numbers):
    return np.array(numbers, "<i8").view(np.uint8)


def as_bytes(*numbers):
    return np.array(numbers, np.uint8)


@pytest.mark.parametrize(
    "changes",
    [
        # faults 1: lengths and gaps that make a falling indptr, which scipy would write past.
        {"row_lengths": as_integers(9, -8, 8, 0)},
        {"row_lengths": as_integers(5, 0, 0, 4)},
        {"row_lengths": as_integers(2**62, 2**62, 2**62, 2**62)},
        {"gaps": as_bytes(2, 0, 1, 1, 1, 1)},
        {"gaps": as_bytes(1, 1, 1, 1, 1, 4)},
        # faults 5: content that no text has.
        {"word_counts": as_integers(3, 2, -1, 1)},
        {"values": as_bytes(0, 1, 1, 1, 1, 1)},
        {"values": as_bytes(255, 1, 1, 1, 1, 1), "value_excess": as_integers(-300)},
        {"values": as_bytes(255, 1, 1, 1, 1, 1), "value_excess": as_integers(2**63 - 1)},
        {"words": as_words("a", "b", "b", "c")},
        {"words": as_words("a", "b", "", "c")},
        {"words": as_words("a", "b", 7, "c")},
        {"words": np.frombuffer(b'{"a": 1}', np.uint8)},
        {"words": np.frombuffer(rb'["a", "b", "\ud800", "c"]', np.uint8)},
        {"words": np.frombuffer(b"[" * 9999, np.uint8)},
    ],
)
def test_faults_1_5_what_cannot_be_is_refused_before_scipy_sees_it(saved, changes):
    raw = {**streams_of(saved), **changes}
    with pytest.raises(ValueError, match="changed.npz passes its checksum but cannot be decoded"):
        CorpusStatistics.load(forged(saved, **_streams.compress(raw)))


@pytest.mark.parametrize(
    "change",
    [
        {"window": True},
        {"window": 10**30},
        {"window": 2.5},
        {"n_tokens": -1},
        {"n_documents": "3"},
        {"source": 3},
        {"window_weights": ["linear"]},
    ],
)
def test_faults_5_a_header_that_cannot_be_is_refused(saved, change):
    with pytest.raises(ValueError, match="changed.npz does not fit together"):
        CorpusStatistics.load(forged(saved, header=header_of(saved, **change)))


def test_faults_4_a_fingerprint_is_computed_never_read(saved):
    other = forged(saved, header=header_of(saved, window=3, fingerprint="0" * 64))
    loaded = CorpusStatistics.load(other)
    assert loaded.fingerprint == dataclasses.replace(loaded).fingerprint != "0" * 64


def test_version_1_is_read_where_its_fingerprint_is_right(saved):
    stats = CorpusStatistics.load(saved)
    with np.load(saved) as archive:
        streams = {name: archive[name] for name in _streams.STREAMS}
    old = {"version": 1, "sha256": _streams.checksum(streams).tobytes().hex()}

    def load(**changes):
        header = header_of(saved, **old, **changes)
        return CorpusStatistics.load(rewritten(saved, sha256=None, header=header))

    assert load(fingerprint=stats.fingerprint).fingerprint == stats.fingerprint
    for changes in ({}, {"fingerprint": "0"}, {"fingerprint": stats.fingerprint, "window": 3}):
        with pytest.raises(ValueError, match="is damaged, its fingerprint is another"):
            load(**changes)


def test_faults_6_a_stream_is_refused_unread_where_it_is_too_long(saved):
    import zstandard

    bomb = np.frombuffer(zstandard.ZstdCompressor().compress(bytes(2**28)), np.uint8)
    unknown = zstandard.ZstdCompressor(write_content_size=False).compress(b"[]")
    huge = b"\x28\xb5\x2f\xfd\xe0" + (2**40).to_bytes(8, "little")  # announces a terabyte
    tracemalloc.start()
    for name in _streams.STREAMS:
        for frame in (bomb, unknown, huge, b""):
            stream = np.frombuffer(frame, np.uint8) if isinstance(frame, bytes) else frame
            with pytest.raises(ValueError, match="changed.npz"):
                CorpusStatistics.load(forged(saved, **{name: stream}))
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_faults_6_a_table_that_memory_cannot_hold_is_refused_before_it_is_read(saved, monkeypatch):
    monkeypatch.setattr(_archive, "available_memory", lambda: 100)
    with pytest.raises(MemoryError, match="stats.npz: its table of .* pairs needs about"):
        CorpusStatistics.load(saved)


def test_streams_that_disagree_are_refused(saved):
    raw = streams_of(saved)
    for name, stream in [
        ("row_lengths", raw["row_lengths"][:-8]),
        ("gaps", raw["gaps"][:-1]),
        ("gaps", np.full_like(raw["gaps"], 200)),
        ("value_excess", np.ones(8, np.uint8)),
        ("value_excess", np.ones(3, np.uint8)),
    ]:
        packed = _streams.compress({**raw, name: stream})
        with pytest.raises(
            ValueError, match="changed.npz passes its checksum but cannot be decoded"
        ):
            CorpusStatistics.load(forged(saved, **packed))


def test_saving_is_whole_or_not_at_all(saved, tmp_path, monkeypatch):
    stats = CorpusStatistics.load(saved)
    path = tmp_path / "stats.npz"
    path.write_bytes(b"before")
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        stats.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["stats.npz"]
    assert path.read_bytes() == b"before"
    monkeypatch.undo()
    stats.save(path)
    assert CorpusStatistics.load(path).fingerprint == stats.fingerprint
    with pytest.raises(FileNotFoundError, match="there is no folder"):
        stats.save(tmp_path / "none" / "stats.npz")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ([[0, 1], [0, 0]], r"symmetric; received 1 for \('w0', 'w1'\) and 0 the other way"),
        ([[0, -1], [-1, 0]], "must not be negative; received -1 for a pair"),
        ([[1, 0], [0, 0]], "even diagonal"),
    ],
)
def test_f6_tables_that_are_no_counts_are_refused(table, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        statistics_of(np.array(table)).save(tmp_path / "stats.npz")


def test_f6_negative_word_counts_are_refused():
    with pytest.raises(ValueError, match="must not be negative; received -1 for the word 'b'"):
        CorpusStatistics(["a", "b"], [1, -1], np.zeros((2, 2), int), 2, "linear", "remove", 1, 1)


# --- Frame ----------------------------------------------------------------------------------------


def test_counting_works_where_nothing_can_be_cached(tmp_path):
    """As on a read-only system: numba finds no folder to keep what it compiles."""
    code = (
        "import numba\n"
        "njit = numba.njit\n"
        "def refuse(*function, **options):\n"
        "    if options.pop('cache', False):\n"
        "        raise RuntimeError('cannot cache function: no locator available')\n"
        "    return njit(*function, **options)\n"
        "numba.njit = refuse\n"
        "from qw2v.statistics import CorpusStatistics\n"
        "print(CorpusStatistics.from_texts(['a b'], vocab_size=2).pair_counts.nnz)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"


def test_the_corpus_on_hand_equals_the_reference(corpora_dir):
    import lzma

    with lzma.open(corpora_dir / "enwiki" / "enwiki-0.txt.xz", "rt") as file:
        texts = [next(file) for _ in range(40)]
    stats = CorpusStatistics.from_texts(texts, vocab_size=500, window=16)
    assert_equals_reference(stats, texts, 500, 16, "linear", "remove")
