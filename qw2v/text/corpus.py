"""A text, read and split into words once, and counted as often as wanted.

    corpus = Corpus.from_files("articles/", document="file")
    stats = corpus.count(vocab_size=10_000, window=16)

The way is: files to text (`reading`), text to word ids (`splitting`), which wait, and ids to the
table of pairs (`counting`). With an executor, other processes and machines go it (`shards`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Executor
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from qw2v import _checks
from qw2v.text import counting, finding, splitting
from qw2v.text.records import nltk_documents, texts_of
from qw2v.text.words import RULES, Tokenizer, check_vocabulary

if TYPE_CHECKING:
    from qw2v.statistics import CorpusStatistics
    from qw2v.text.shards import Shards


class Corpus:
    """A text as numbered words, ready to be counted; made by `from_files`, `from_texts` and others.

    The ids wait in memory, or beyond a quarter of `memory` in an unnamed temporary file.

    Attributes
    ----------
    n_tokens, n_documents : int
        The words read, and the documents that have any.

    Examples
    --------
    >>> corpus = Corpus.from_texts(["the cat sat", "the dog sat"])
    >>> corpus
    Corpus(6 tokens of 4 words in 2 documents)
    >>> corpus.count(vocab_size=3, window=1).words
    ['sat', 'the', 'cat']
    >>> corpus.count(vocab_size=2, window=2).pair_counts.toarray().tolist()
    [[0, 4], [4, 0]]
    """

    def __init__(self, text: splitting.Text | Shards) -> None:
        self._text = text
        self.n_tokens = text.n_tokens
        self.n_documents = text.n_documents

    @classmethod
    def from_files(
        cls,
        paths: finding.Paths,
        *,
        document: str = "line",
        tokens: str = "letters",
        tokenize: Tokenizer | None = None,
        field: str = "text",
        errors: str = "strict",
        workers: int | None = None,
        memory: int | None = None,
        executor: Executor | Callable[[], Executor] | None = None,
        scratch: str | os.PathLike | None = None,
        progress: bool = True,
    ) -> Corpus:
        """Read text files, folders of them, patterns such as "*.txt.gz", or "-", standard input.

        What a file is shows in its content: plain text; .gz, .bz2, .xz, .zst and .zip of these;
        JSON lines; Parquet; WikiExtractor's output; a MediaWiki dump. Text is UTF-8, or UTF-16 and
        UTF-32 where it begins with a byte order mark. What is none of these is refused by name.

        Parameters
        ----------
        paths : path or sequence of paths
            What to read; a folder stands for all files in it.
        document : {"line", "file", "blank"}
            What is one document of plain text: a line, a file, or what stands between blank lines.
            A record, an article or a page always is one. No window reaches over its end.
        tokens : {"letters", "letters+digits", "a-z"}
            What is a word: a run of letters of any script, lowercased; digits too; or the paper's
            rule, ASCII letters alone.
        tokenize : callable, optional
            Maps the str of a document to its tokens instead. Documents over 16 MB come in pieces.
        field : str
            The field of JSON lines, or the column of Parquet, that holds the text.
        errors : {"strict", "replace"}
            Whether bytes that are not UTF-8 are refused or separate words.
        workers : int, optional
            Threads, one a core by default. The result never depends on it.
        memory : int, optional
            Bytes that may be taken in each process; what is free by default. The readers' own
            buffers, up to some 40 MB, count in from 64 MB on.
        executor : Executor or callable that returns one, optional
            Counts in other processes or on other machines: any of concurrent.futures' kind, as
            Dask's `client.get_executor()`. From a callable, such as
            `partial(ProcessPoolExecutor, 4)`, one that broke is made anew.
        scratch : path, optional
            A folder that all workers of the executor see: their counts come through files in it
            instead of messages, which in MPI end at 2 GB.
        progress : bool
            Show progress bars.

        Raises
        ------
        FileNotFoundError
            For a path that names nothing.
        ValueError
            For files that are damaged, no text, or not UTF-8, fields that are not there, scripts
            without spaces, and settings out of range.
        ImportError
            Where a format needs a package that is not there.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = pathlib.Path(folder, "a.txt").write_text("The cat.\\nЖили-были.", "utf-8")
        ...     sorted(Corpus.from_files(folder).word_counts())
        ['cat', 'the', 'были', 'жили']
        """
        recipe = splitting.Recipe(
            layout=finding.Layout(
                document=_checks.choice("document", document, finding.DOCUMENTS),
                field=field,
                errors=_checks.choice("errors", errors, finding.ERRORS),
                ascii_words=tokens == "a-z" and tokenize is None,
            ),
            rule=_checks.choice("tokens", tokens, RULES),
            tokenize=tokenize,
            workers=workers,
            memory=None if memory is None else _checks.whole("memory", memory),
        )
        parts = list(finding.parts_of(finding.existing_files(paths), recipe.layout))
        if executor is None:
            return cls(splitting.read_parts(parts, recipe, progress))
        from qw2v.text.shards import Shards

        return cls(Shards(parts, recipe, executor, scratch, progress))

    @classmethod
    def from_texts(
        cls,
        texts: Iterable[str] | Iterable[dict[str, Any]],
        *,
        tokens: str = "letters",
        tokenize: Tokenizer | None = None,
        field: str = "text",
        memory: int | None = None,
        progress: bool = True,
    ) -> Corpus:
        """Read an iterable of documents, once: str, or records whose `field` is one.

        A dataset of Hugging Face's kind is such an iterable of records. Parameters are those of
        `from_files`.

        Raises
        ------
        TypeError
            For what is no iterable of documents: one str, a table, a dictionary.

        Examples
        --------
        >>> Corpus.from_texts([{"id": 1, "text": "a b"}, {"id": 2, "text": "b"}]).word_counts()
        Counter({'b': 2, 'a': 1})
        """
        recipe = splitting.Recipe(
            layout=finding.Layout(ascii_words=tokens == "a-z"),
            rule=_checks.choice("tokens", tokens, RULES),
            tokenize=tokenize,
            memory=None if memory is None else _checks.whole("memory", memory),
        )
        return cls(splitting.read_texts(texts_of(texts, field), recipe, progress))

    @classmethod
    def from_nltk(
        cls, corpus: Any, *, document: str = "file", progress: bool = True, **options: Any
    ) -> Corpus:
        """Read a corpus of NLTK: `nltk.corpus.brown`, or its name.

        Parameters
        ----------
        corpus : NLTK corpus reader or str
            What has `fileids`, `words` and `sents`.
        document : {"file", "sentence"}
            What is one document.
        **options
            Those of `from_texts`.

        Raises
        ------
        LookupError
            Where the corpus was not downloaded; the message holds the command that does.
        """
        _checks.choice("document", document, ("file", "sentence"))
        return cls.from_texts(nltk_documents(corpus, document), progress=progress, **options)

    def word_counts(self) -> Counter[str]:
        """Return how often each word occurs; the Counters of shards add up."""
        return self._text.word_counts()

    def count(
        self,
        vocab_size: int | None = None,
        window: int = 16,
        *,
        vocabulary: Iterable[str] | None = None,
        window_weights: str = "linear",
        out_of_vocabulary: str = "remove",
        source: str = "",
        workers: int | None = None,
        memory: int | None = None,
        progress: bool = True,
    ) -> CorpusStatistics:
        """Return the word and pair counts of the text.

        Parameters
        ----------
        vocab_size : int
            V, the number of words to keep: the most frequent ones.
        window : int
            L, how many words on each side of a word are its context.
        vocabulary : iterable of str
            The words to keep, in their order, in place of `vocab_size`: so shards count alike.
        window_weights : {"linear", "uniform", "harmonic"}
            How much a pair weighs at each distance: L + 1 - distance, 1, or 1 / distance (as whole
            numbers: the least common multiple of 1..L over the distance, past L = 16 720,720 over
            the distance, rounded).
        out_of_vocabulary : {"remove", "mask"}
            Whether other words are taken away before windows are laid, as in the paper, or keep
            their place.
        source : str
            Where the text comes from, to be kept with the counts.
        workers, memory, progress
            As in `from_files`.

        Raises
        ------
        ValueError
            For fewer words than `vocab_size`, and settings out of range.
        MemoryError
            Before more than `memory` would be taken.
        OverflowError
            Where a count could pass 2^63.
        """
        from qw2v.statistics import CorpusStatistics

        request = counting.Request(
            vocab_size, vocabulary, window, window_weights, out_of_vocabulary, workers, memory
        )
        if request.vocabulary is None:
            words = self._text.most_frequent(request.vocab_size)
        else:
            words = check_vocabulary(request.vocabulary, self._text.rule)
        word_counts, pair_counts = self._text.count(words, request, progress)
        return CorpusStatistics(
            words,
            word_counts,
            pair_counts,
            request.window,
            request.window_weights,
            request.out_of_vocabulary,
            n_documents=self.n_documents,
            n_tokens=self.n_tokens,
            source=source,
        )

    def ids(self, vocabulary: Iterable[str]) -> NDArray[np.int32]:
        """Return the text as ranks in a vocabulary (N,), each document closed by -1.

        Other words are left out.

        >>> Corpus.from_texts(["a b a c", "b a"]).ids(["a", "b"])
        array([ 0,  1,  0, -1,  1,  0, -1], dtype=int32)
        """
        return self._text.ids(check_vocabulary(vocabulary, self._text.rule))

    def __repr__(self) -> str:
        return f"Corpus({self._text.description()})"
