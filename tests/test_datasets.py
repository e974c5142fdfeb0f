import hashlib
import http.server
import io
import threading
import zipfile
from pathlib import Path

import pytest
import rebuild

from qw2v import _download, datasets
from qw2v._environment import cache_folder
from qw2v.evaluation import google_questions

# The published questions-words.txt, as gensim and Google's archive have it.
GOOGLE_LIST_SHA256 = "8c29b3332afc46f3fb8be04cb5297bf96f39aa7131272dff57869b4485b22a36"


# What data/ holds


def test_every_file_in_data_is_listed_and_whole():
    listed = datasets.checksums()
    for name in listed:
        assert datasets.verify(name).is_file()
    folder = datasets.data_path("SHA256SUMS").parent
    kinds = {".txt", ".tsv", ".npz", ".json", ".toml", ".safetensors"}
    there = [path for path in folder.rglob("*") if path.suffix in kinds]
    assert {path.relative_to(folder).as_posix() for path in there} == set(listed)


def test_the_pairs_and_one_rule_give_googles_list_byte_for_byte():
    categories = datasets.load_google_analogies()
    lines = [
        line
        for name, pairs in categories.items()
        for line in (f": {name}", *(" ".join(question) for question in google_questions(pairs)))
    ]
    assert len(lines) - len(categories) == 19_544
    assert hashlib.sha256(("\n".join(lines) + "\n").encode()).hexdigest() == GOOGLE_LIST_SHA256


def test_ratings_are_complete():
    men, wordsim = datasets.load_men(), datasets.load_wordsim353()
    assert len(men) == 3000 and len(wordsim) == 353
    assert {rating for *_, rating in men} == set(range(51))
    assert max(wordsim, key=lambda row: row[2]) == ("tiger", "tiger", 10.0)
    assert ("king", "queen", 8.58) in wordsim


def test_the_readme_names_every_file():
    readme = datasets.data_path("README.md").read_text(encoding="utf-8")
    for name in datasets.checksums():
        stem = name.removesuffix(".safetensors")
        assert f"`{stem if '/' in name else name}`" in readme


def test_rebuilding_gives_the_same_bytes(tmp_path):
    gensim = pytest.importorskip("gensim")
    published = Path(gensim.__file__).parent / "test" / "test_data"
    men = tmp_path / "MEN_dataset_natural_form_full"
    men.write_text("".join(f"{a} {b} {rating:.6f}\n" for a, b, rating in datasets.load_men()))
    sources = (published / "questions-words.txt", published / "wordsim353.tsv", men)
    rebuild.main(*sources, tmp_path)
    for name in ("google-analogies.txt", "wordsim353.tsv", "men.tsv"):
        assert (tmp_path / name).read_bytes() == datasets.data_path(name).read_bytes()


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data/ of our own, with one file."""
    monkeypatch.setattr(datasets, "_DATA", tmp_path)
    (tmp_path / "men.tsv").write_text("# comment\nsun\tlight\t50\n", encoding="utf-8")
    digest = hashlib.sha256((tmp_path / "men.tsv").read_bytes()).hexdigest()
    (tmp_path / "SHA256SUMS").write_text(f"{digest}  men.tsv\n")
    return tmp_path


def test_a_file_is_read_once_it_agrees_with_its_checksum(data):
    assert datasets.load_men() == [("sun", "light", 50.0)]


def test_a_changed_file_is_refused_and_the_message_mends_it(data):
    (data / "men.tsv").write_text("sun\tlight\t49\n")
    with pytest.raises(datasets.ChecksumError, match=r"git checkout -- data/men\.tsv") as caught:
        datasets.load_men()
    assert "damaged or was edited" in str(caught.value) and str(data) in str(caught.value)


def test_a_missing_file_is_refused_with_what_should_be_there(data):
    with pytest.raises(FileNotFoundError, match="which should hold: men.tsv"):
        datasets.load_statistics("frwiki")


def test_a_file_without_a_checksum_is_refused(data):
    (data / "wordsim353.tsv").write_text("a\tb\t1\n")
    with pytest.raises(datasets.ChecksumError, match="lists no checksum for wordsim353.tsv"):
        datasets.load_wordsim353()


def test_a_missing_folder_is_explained(monkeypatch, tmp_path):
    monkeypatch.setattr(datasets, "_DATA", tmp_path / "data")
    with pytest.raises(FileNotFoundError, match="come with the package.*git checkout -- data"):
        datasets.load_men()


def test_an_installed_package_names_its_own_remedy(data, tmp_path, monkeypatch):
    package = tmp_path / "qw2v"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for name in ("men.tsv", "SHA256SUMS"):
        (data / name).rename(package / "data" / name)
    monkeypatch.setattr(datasets, "_DATA", package / "data")
    (package / "data" / "men.tsv").write_text("sun\tlight\t49\n")
    with pytest.raises(datasets.ChecksumError, match="pip install --force-reinstall"):
        datasets.load_men()


# Downloads, from a server on this machine


class Server(http.server.ThreadingHTTPServer):
    """Serves `content` at any path; may cut answers short, ignore ranges, or refuse."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.content, self.status, self.ranges = b"", 200, True
        self.cuts = []  # bytes sent before the connection drops, one for each request to come
        self.requests = []  # the Range header of each request

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/text.zip"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.requests.append(wanted)
        if server.status != 200:
            self.send_error(server.status)
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and server.ranges else 0
        body = server.content[start:]
        self.send_response(206 if start else 200)
        if start:
            size = len(server.content)
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: server.cuts.pop(0)] if server.cuts else body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(_download, "_WAIT", 0)
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


TEXT = b"the quick brown fox " * 500


@pytest.fixture
def corpus(server, monkeypatch):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("tiny", TEXT)
    server.content = packed.getvalue()
    corpus = datasets.Corpus(
        url=server.url,
        size=len(server.content),
        sha256=hashlib.sha256(server.content).hexdigest(),
        member="tiny",
        member_size=len(TEXT),
        member_md5=hashlib.md5(TEXT).hexdigest(),
        description="a test",
    )
    monkeypatch.setitem(datasets.CORPORA, "tiny", corpus)
    return corpus


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_fetch_unpacks_and_leaves_the_text_alone(server, corpus, tmp_path):
    path = datasets.fetch("tiny", tmp_path, progress=False)
    assert path.read_bytes() == TEXT and names(tmp_path) == ["tiny"]
    assert datasets.fetch("tiny", tmp_path, progress=False) == path
    assert len(server.requests) == 1  # the second time it is there already


def test_faults_15_a_text_that_is_there_is_checked(server, corpus, tmp_path):
    (tmp_path / "tiny").write_bytes(TEXT.replace(b"quick", b"thick"))
    assert datasets.fetch("tiny", tmp_path, progress=False).read_bytes() == TEXT
    assert len(server.requests) == 1


def test_faults_16_two_fetches_at_once_download_once(server, corpus, tmp_path):
    fetched = []

    def fetch():
        fetched.append(datasets.fetch("tiny", tmp_path, progress=False).read_bytes())

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fetched == [TEXT] * 4 and names(tmp_path) == ["tiny"]
    assert len(server.requests) == 1


def test_fetch_goes_on_where_the_connection_dropped(server, corpus, tmp_path):
    server.cuts = [1000, 500]
    path = datasets.fetch("tiny", tmp_path, progress=False)
    assert path.read_bytes() == TEXT
    assert server.requests == [None, "bytes=1000-", "bytes=1500-"]


def test_fetch_gives_up_after_five_attempts_and_goes_on_the_next_time(server, corpus, tmp_path):
    server.cuts = [100] * 5
    with pytest.raises(datasets.DownloadError, match="500 of .* run this again to go on from"):
        datasets.fetch("tiny", tmp_path, progress=False)
    assert names(tmp_path) == ["tiny.zip.part"]
    assert datasets.fetch("tiny", tmp_path, progress=False).read_bytes() == TEXT
    assert server.requests[-1] == "bytes=500-"


def test_fetch_starts_over_where_the_server_knows_no_ranges(server, corpus, tmp_path):
    server.ranges, server.cuts = False, [1000]
    assert datasets.fetch("tiny", tmp_path, progress=False).read_bytes() == TEXT


def test_a_wrong_archive_is_removed(server, corpus, tmp_path):
    server.content = b"x" * corpus.size
    with pytest.raises(datasets.ChecksumError, match=f"{corpus.sha256} is expected"):
        datasets.fetch("tiny", tmp_path, progress=False)
    assert names(tmp_path) == []


def test_an_archive_that_is_too_long_is_not_read_to_its_end(server, corpus, tmp_path):
    server.content = server.content + b"x" * 1_000_000
    with pytest.raises(datasets.ChecksumError):
        datasets.fetch("tiny", tmp_path, progress=False)


def test_a_missing_archive_says_where_to_place_it(server, corpus, tmp_path):
    server.status = 404
    with pytest.raises(datasets.DownloadError, match=r"answers 404 .* place the archive at"):
        datasets.fetch("tiny", tmp_path, progress=False)
    assert len(server.requests) == 1


def test_a_server_in_trouble_is_asked_again(server, corpus, tmp_path):
    server.status = 503
    with pytest.raises(datasets.DownloadError, match="5 attempts .*503"):
        datasets.fetch("tiny", tmp_path, progress=False)
    assert len(server.requests) == 5


def test_a_server_that_is_not_there_is_reported(corpus, server, tmp_path, monkeypatch):
    server.shutdown()
    server.server_close()
    with pytest.raises(datasets.DownloadError, match="0 of .* bytes came in 5 attempts"):
        datasets.fetch("tiny", tmp_path, progress=False)


def test_an_unknown_corpus_is_refused():
    with pytest.raises(ValueError, match=r"no corpus 'text9' to fetch; choose from \['text8'\]"):
        datasets.fetch("text9")


def test_downloads_lie_in_the_cache(server, corpus, tmp_path, monkeypatch):
    monkeypatch.setenv("QW2V_CACHE", str(tmp_path))
    assert datasets.fetch("tiny", progress=False) == tmp_path / "corpora" / "tiny"
    monkeypatch.delenv("QW2V_CACHE")
    assert "qw2v" in cache_folder().parts
