"""Documents out of records: JSON lines, tables, Wikipedia's pages and what is extracted from them.

Each record is one document. Which kind a text is shows in how it begins.
"""

from __future__ import annotations

import html
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO

from qw2v.text.formats import Stream

LONGEST_RECORD = 1 << 28  # bytes; it must be held whole to be understood

_DOC = re.compile(rb'\s*<doc id="[^"\n]*"')
_DUMP = re.compile(rb"\s*(<\?xml[^>]*>\s*)?<mediawiki[\s>]")
_JSON = re.compile(rb'\s*\{\s*"(?:[^"\\]|\\.)*"\s*:')
_JSON_ARRAY = re.compile(rb"\s*\[\s*\{\s*\"")


def reader_of(head: bytes) -> Callable[[str, Stream, str], Iterator[str]] | None:
    """Return what reads documents out of text that begins so; None for plain text."""
    for pattern, reader in (
        (_DOC, _extracted),
        (_DUMP, _dump),
        (_JSON, json_lines),
        (_JSON_ARRAY, _refuse_array),
    ):
        if pattern.match(head):
            return reader
    return None


def field_of(record: Mapping[str, Any], field: str, name: str) -> str | None:
    """Return the text of a record, None where it has none; ValueError for no such field."""
    if field not in record:
        fields = ", ".join(map(repr, record)) or "none"
        raise ValueError(
            f"{name} has no field {field!r}: name the one that holds the text with field=; "
            f"there are {fields}"
        )
    text = record[field]
    if text is not None and not isinstance(text, str):
        raise ValueError(
            f"{name}: the field {field!r} holds {type(text).__name__}, not text; name another with "
            "field="
        )
    return text


def _lines(name: str, stream: Stream) -> Iterator[bytes]:
    """Yield lines of bounded length."""
    reader = io.BufferedReader(stream, 1 << 19)
    for number, line in enumerate(iter(lambda: reader.readline(LONGEST_RECORD), b""), 1):
        if len(line) == LONGEST_RECORD:
            raise ValueError(
                f"{name}: line {number:,} is a record of over {LONGEST_RECORD >> 20:,} MiB, too "
                "long to be held: cut it into smaller documents"
            )
        yield line


def json_lines(name: str, stream: Stream, field: str) -> Iterator[str]:
    """Yield the text of JSON objects, one a line; those without any are no documents."""
    for number, line in enumerate(_lines(name, stream), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except RecursionError:
            raise ValueError(f"{name}: line {number:,} is nested too deep") from None
        except ValueError as error:
            raise ValueError(
                f"{name} begins as JSON lines, but line {number:,} is not a JSON object of its own "
                f"({error}): write one record a line"
            ) from error
        if not isinstance(record, dict):
            raise ValueError(f"{name}: line {number:,} holds {type(record).__name__}, not a record")
        text = field_of(record, field, f"line {number:,} of {name}")
        if text is not None:
            yield text


def _refuse_array(name: str, stream: Stream, field: str) -> Iterator[str]:
    raise ValueError(
        f"{name} is one JSON array: write its records one a line (jq -c '.[]'), so that they can "
        "be read one after another"
    )


def _extracted(name: str, stream: Stream, field: str) -> Iterator[str]:
    """Read WikiExtractor's output: an article between <doc ...> and </doc>, its title first."""
    article: list[bytes] = []
    for line in _lines(name, stream):
        if line.startswith(b"<doc id="):
            article = []
        elif line.startswith(b"</doc>"):
            text = _decoded(name, b"".join(article))
            yield html.unescape(text) if "&" in text else text
            article = []
        else:
            article.append(line)
    if any(line.strip() for line in article):
        raise ValueError(f"{name} is cut short: its last <doc> has no end; get it again")


def _decoded(name: str, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} is not UTF-8 text: {error}") from error


def _dump(name: str, stream: Stream, field: str) -> Iterator[str]:
    """Read a MediaWiki dump: the last revision of each article, its markup taken away."""
    try:
        import mwparserfromhell
        import mwxml
    except ImportError as error:
        raise ImportError(
            f"{name} is a MediaWiki dump; reading it needs mwxml and mwparserfromhell: "
            'pip install "qw2v[files]"'
        ) from error
    try:
        for page in mwxml.Dump.from_file(io.BufferedReader(stream, 1 << 19)):
            if page.namespace != 0 or page.redirect:
                continue
            text = None
            for revision in page:
                text = revision.text
            if text:
                yield mwparserfromhell.parse(text).strip_code()
    except ValueError:
        raise
    except Exception as error:
        # XML that is damaged makes the parsers raise errors of their own.
        raise ValueError(f"{name} is a damaged or cut MediaWiki dump: {error}") from error


def column(name: str, file: BinaryIO, field: str) -> Iterator[str]:
    """Yield the text in one column of a Parquet file; empty cells are no documents."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ImportError(
            f'{name} is a Parquet file; reading it needs pyarrow: pip install "qw2v[files]"'
        ) from error
    try:
        table = pyarrow.parquet.ParquetFile(file)
        names = table.schema_arrow.names
        if field not in names:
            raise ValueError(
                f"{name} has no column {field!r}: name the one that holds the text with field=; "
                f"there are {', '.join(map(repr, names))}"
            )
        kind = table.schema_arrow.field(field).type
        if pyarrow.types.is_dictionary(kind):
            kind = kind.value_type
        if not (pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)):
            raise ValueError(f"{name}: the column {field!r} holds {kind}, not text")
        for batch in table.iter_batches(batch_size=1024, columns=[field]):
            for cell in batch.column(0):
                if cell.is_valid:
                    yield cell.as_py()
    except pyarrow.ArrowException as error:
        raise ValueError(f"{name} is a damaged Parquet file: {error}; get it again") from error


def texts_of(texts: Iterable[Any], field: str) -> Iterator[str]:
    """Yield documents that were passed: str, or records with a field of that name.

    Raises TypeError for what would not be taken as it is meant: one str, a table or a dictionary,
    which are walked by letter, column name or key.
    """
    if isinstance(texts, str):
        raise TypeError(
            "texts must be an iterable of documents, received one str: pass [text] for one "
            "document, or text.splitlines() for one document a line"
        )
    if isinstance(texts, bytes | bytearray | Mapping) or hasattr(texts, "columns"):
        raise TypeError(
            f"texts must be an iterable of documents, received {type(texts).__name__}: pass the "
            "values that hold text, as in table['text'] or documents.values()"
        )
    if not isinstance(texts, Iterable):
        raise TypeError(
            f"texts must be an iterable of documents, received {type(texts).__name__}; an NLTK "
            "corpus is read by from_nltk"
        )
    return _checked(texts, field)


def _checked(texts: Iterable[Any], field: str) -> Iterator[str]:
    for number, text in enumerate(texts):
        if isinstance(text, Mapping):
            text = field_of(text, field, f"document {number:,}")
            if text is None:
                continue
        if not isinstance(text, str):
            raise TypeError(
                f"document {number:,} is a {type(text).__name__}, expected str: decode bytes, join "
                "tokens with spaces, or use from_files for paths"
            )
        yield text


def nltk_documents(corpus: Any, document: str) -> Iterator[str]:
    """Yield the files or sentences of an NLTK corpus, its words joined by spaces.

    Raises
    ------
    LookupError
        Where the corpus was not downloaded.
    """
    name = corpus if isinstance(corpus, str) else getattr(corpus, "_name", "the corpus")
    try:
        if isinstance(corpus, str):
            import nltk.corpus

            corpus = getattr(nltk.corpus, corpus)
        files = corpus.fileids()
    except LookupError as error:
        raise LookupError(
            f"NLTK's corpus {name!r} is not on this machine: python -m nltk.downloader {name} "
            "fetches it (set NLTK_DATA where it lies in a folder of your own)"
        ) from error
    except AttributeError as error:
        raise TypeError(f"{corpus!r} is no corpus of NLTK that has files and words") from error
    for file in files:
        if document == "sentence":
            for sentence in corpus.sents(file):
                yield " ".join(sentence)
        else:
            yield " ".join(corpus.words(file))
