"""The check of external links, against a server of this machine."""

import http.server
import threading

import links
import pytest


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response({"/here": 200, "/robots": 403}.get(self.path, 404))
        self.end_headers()

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_a_broken_link_is_named_with_its_page(server, tmp_path, monkeypatch, capsys):
    (tmp_path / "a.html").write_text(
        f'<a href="{server}/here#part">x</a><a href="b.html">y</a><a href="{server}/robots">z</a>'
    )
    monkeypatch.setattr("sys.argv", ["links.py", str(tmp_path)])
    assert links.main() == 0
    assert "2 external links, 0 broken" in capsys.readouterr().out
    (tmp_path / "b.html").write_text(f'<a href="{server}/gone">x</a>')
    assert links.main() == 1
    assert f"{server}/gone answers 404; on b.html" in capsys.readouterr().out


def test_a_folder_without_links_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["links.py", str(tmp_path)])
    with pytest.raises(SystemExit):
        links.main()
