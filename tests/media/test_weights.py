"""Tests of faceswap_gan.media.weights."""

import hashlib
import http.server
import socket
import threading
from pathlib import Path

import pytest

from faceswap_gan.errors import WeightsError
from faceswap_gan.media import weights
from faceswap_gan.media.weights import WEIGHTS, WeightsFile, find_weights

CONTENT = b"numbers" * 100_000


def _entry(**changes):
    facts = {
        "name": "net",
        "file": "deep/net.bin",
        "url": "http://127.0.0.1:9/net.bin",
        "size": len(CONTENT),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "licence": "CC0",
        "used_by": "this test",
    }
    return WeightsFile(**(facts | changes))


@pytest.fixture(autouse=True)
def no_downloads():
    """These tests are about downloads, from this machine to itself."""


@pytest.fixture
def places(tmp_path, monkeypatch):
    """A folder, one for the environment variable, and an empty cache."""
    folders = {name: tmp_path / name for name in ("folder", "variable", "cache")}
    for name in ("folder", "variable"):
        folders[name].mkdir()
    monkeypatch.setenv("FACESWAP_WEIGHTS", str(folders["variable"]))
    monkeypatch.setenv("XDG_CACHE_HOME", str(folders["cache"]))
    monkeypatch.setitem(WEIGHTS, "net", _entry())
    return folders


@pytest.fixture
def server():
    """A web server on this machine; answers with `content` after `status`."""

    class Handler(http.server.BaseHTTPRequestHandler):
        content, status, asked = CONTENT, 200, 0

        def do_GET(self):  # noqa: N802
            Handler.asked += 1
            self.send_response(Handler.status)
            self.send_header("Content-Length", str(len(CONTENT)))
            self.end_headers()
            self.wfile.write(Handler.content)

        def log_message(self, *args):
            """Stay quiet."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        Handler.url = f"http://127.0.0.1:{running.server_port}/net.bin"
        yield Handler
        running.shutdown()
        thread.join()


def _put(folder):
    path = folder / "deep" / "net.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return path


def _no_network(*args, **kwargs):
    raise AssertionError("a connection was opened")


def test_folder_then_variable_then_cache_and_no_network(places, monkeypatch):
    monkeypatch.setattr(socket, "socket", _no_network)
    cached = _put(places["cache"] / "faceswap_gan" / "weights")
    assert find_weights("net") == cached
    named = _put(places["variable"])
    assert find_weights("net", folder=places["folder"]) == named
    given = _put(places["folder"])
    assert find_weights("net", folder=places["folder"]) == given


def test_download_is_kept_and_not_repeated(places, server, monkeypatch):
    monkeypatch.setitem(WEIGHTS, "net", _entry(url=server.url))
    path = find_weights("net")
    assert path == places["cache"] / "faceswap_gan" / "weights" / "deep" / "net.bin"
    assert path.read_bytes() == CONTENT
    assert find_weights("net") == path
    assert server.asked == 1


@pytest.mark.parametrize("fault", ["missing", "other", "cut off", "nobody there"])
def test_a_failed_download_says_what_to_put_where_and_leaves_nothing(places, server, monkeypatch, fault):
    server.status = 404 if fault == "missing" else 200
    server.content = {"other": CONTENT[::-1], "cut off": CONTENT[:1000]}.get(fault, CONTENT)
    url = "http://127.0.0.1:9/net.bin" if fault == "nobody there" else server.url
    entry = _entry(url=url)
    monkeypatch.setitem(WEIGHTS, "net", entry)
    with pytest.raises(WeightsError) as caught:
        find_weights("net")
    cache = places["cache"] / "faceswap_gan" / "weights"
    for word in (url, entry.sha256, f"{len(CONTENT):,}", str(cache / "deep" / "net.bin"), "FACESWAP_WEIGHTS"):
        assert word in str(caught.value)
    broke_off = f"could not download deep/net.bin (it broke off at 1,000 of {len(CONTENT):,} bytes; run it again)."
    assert (broke_off in str(caught.value)) == (fault == "cut off")
    assert ("gave another file than expected" in str(caught.value)) == (fault == "other")
    assert [path for path in places["cache"].rglob("*") if path.is_file()] == []


def test_a_damaged_file_is_named(places):
    path = _put(places["folder"])
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match=r"sha256.*Delete it"):
        find_weights("net", folder=places["folder"])


def test_without_a_digest_the_size_decides(places, server, monkeypatch):
    entry = _entry(url=server.url, sha256=None, instead="do without")
    monkeypatch.setitem(WEIGHTS, "net", entry)
    path = _put(places["variable"])
    assert find_weights("net") == path
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(
        WeightsError, match=rf"of {len(CONTENT):,} bytes .*no digest.*{len(CONTENT) - 1:,} bytes with"
    ) as error:
        find_weights("net")
    assert str(error.value).endswith("in a folder that FACESWAP_WEIGHTS names; or do without.")
    path.unlink()
    server.content = CONTENT[:-1]
    with pytest.raises(WeightsError, match="no digest"):
        find_weights("net")
    server.content = CONTENT
    assert find_weights("net").read_bytes() == CONTENT


def test_a_folder_that_is_none_is_not_passed_over(places, monkeypatch):
    file = _put(places["cache"] / "faceswap_gan" / "weights")
    with pytest.raises(WeightsError, match=r"--weights-dir, got .*nowhere, which does not exist"):
        find_weights("net", folder=places["folder"] / "nowhere")
    with pytest.raises(WeightsError, match=r"net\.bin, which is a file"):
        find_weights("net", folder=file)
    monkeypatch.setenv("FACESWAP_WEIGHTS", str(places["variable"] / "nowhere"))
    with pytest.raises(WeightsError, match=r"FACESWAP_WEIGHTS, got .*nowhere, which does not exist"):
        find_weights("net")


def test_what_is_not_published_is_explained(places, monkeypatch):
    monkeypatch.setitem(WEIGHTS, "net", _entry(url=None, note="made by hand"))
    with pytest.raises(WeightsError, match=r"made by hand.*put it at"):
        find_weights("net")
    with pytest.raises(WeightsError, match="'mesh'"):
        find_weights("mesh")


def test_the_list_is_sane():
    for name, entry in WEIGHTS.items():
        assert entry.name == name
        assert (entry.size is not None) if entry.sha256 is None else (len(entry.sha256) == 64)
        assert entry.url is None or entry.url.startswith("https://")
        assert entry.licence
        assert entry.used_by


def test_the_guide_lists_them_all():
    page = (Path(__file__).parents[2] / "docs" / "guide" / "landmarks.md").read_text(encoding="utf-8")
    for entry in WEIGHTS.values():
        assert f"| `{entry.name}` | `{entry.file}` | {f'{entry.size:,}' if entry.size else ''}" in page
        assert entry.url is None or entry.url in page


@pytest.mark.parametrize("name", ["face_landmarker", "mobileface"])
def test_the_real_files_are_the_ones_listed(facedata, name, monkeypatch):
    monkeypatch.setattr(weights.urllib.request, "urlopen", _no_network)
    path = find_weights(name, folder=facedata / "weights")
    assert path.stat().st_size == WEIGHTS[name].size
