"""Who gets what from the review server: its own page, with the token, what the review knows; nobody else anything."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from review_files import Served, a_desk, an_episode, serving, some_lines

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

SECRET = "TOP SECRET"
WRITES = ("/api/decide", "/api/undo", "/api/redo", "/api/apply")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("parent") / "out"


@pytest.fixture(scope="module")
def served(out: Path) -> Iterator[Served]:
    out.mkdir()
    desk = a_desk(out, an_episode(out, "ep 01 #?", some_lines("ep 01 #?", 6), sound=True))
    (out.parent / "secret.flac").write_text(SECRET)
    (out.parent / "report.html").write_text(SECRET)
    for folder in ("ep 01 #?", "corpus", "corpus/characters", ".work", "ep 01 #?/.work"):
        (out / folder).mkdir(parents=True, exist_ok=True)
        (out / folder / "report.html").write_text(f"<p>report of {folder}", encoding="utf-8")
    (out / "ep 01 #?" / "episode.json").write_text(SECRET)
    linked = out / "linked" / "audio"
    linked.mkdir(parents=True)
    (linked / "mix.flac").symlink_to(out.parent / "secret.flac")
    (out / "linked" / "report.html").symlink_to(out.parent / "report.html")
    (out / "away").symlink_to(out.parent)
    with serving(desk, out) as running:
        yield running


def test_the_server_listens_on_this_computer_alone(served: Served) -> None:
    assert served.address.startswith(f"http://127.0.0.1:{served.port}/?token=")
    assert len(served.token) >= 40
    for family, kind, _, _, address in socket.getaddrinfo(socket.gethostname(), served.port, type=socket.SOCK_STREAM):
        if not str(address[0]).startswith("127.") and address[0] != "::1":
            with socket.socket(family, kind) as other:
                other.settimeout(2)
                assert other.connect_ex(address) != 0


# --- the token --------------------------------------------------------------------------------------------

EVERYTHING = (
    *("/", "/app/page.js", "/app/review.css", "/api/overview", "/api/lines", "/api/line/ep%2001%20%23%3F-00001"),
    *("/api/next", "/api/voices/ep%2001%20%23%3F", "/api/wave/ep%2001%20%23%3F?from=0&to=1000", "/api/apply"),
    *("/sound/mix/ep%2001%20%23%3F", "/report/corpus/report.html", "/nothing"),
)


@pytest.mark.parametrize("path", EVERYTHING)
def test_without_the_token_nothing_is_served(served: Served, path: str) -> None:
    for wrong in (None, "", "x", served.token[:-1], served.token + "x"):
        assert served.ask(path, X_Review_Token=wrong)[0] == 401
    assert served.ask(path, X_Review_Token=None, Cookie=f"yuki-review-{served.port}=wrong")[0] == 401
    assert served.ask(path, X_Review_Token=None, Cookie='"; \x01=;;')[0] == 401
    assert served.ask(path)[0] in ((404,) if path == "/nothing" else (200,))


@pytest.mark.parametrize("path", WRITES)
def test_without_the_token_nothing_is_changed(served: Served, path: str) -> None:
    body = {"kind": "assign", "lines": ["ep 01 #?-00001"], "value": "Eve"}
    assert served.ask(path, method="POST", body=body, X_Review_Token=None)[0] == 401
    assert served.json("/api/overview")["acts"] == 0


def test_the_token_leaves_the_address_for_a_cookie(served: Served) -> None:
    status, headers, _ = served.ask(f"/?token={served.token}", X_Review_Token=None)
    assert (status, headers["location"]) == (303, "/")
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert served.ask("/api/overview", X_Review_Token=None, Cookie=cookie.partition(";")[0])[0] == 200
    assert served.ask(f"/api/overview?token={served.token}", X_Review_Token=None)[0] == 401  # of the first page alone


# --- other pages ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "evil.example:80", "127.0.0.1:1", "", "localhost.evil:80"]
)
def test_another_host_is_refused(served: Served, host: str) -> None:
    """A name of the web that somebody points at 127.0.0.1 (DNS rebinding)."""
    assert served.ask("/api/overview", Host=host)[0] in (400, 421)


def test_its_own_names_are_not(served: Served) -> None:
    assert served.ask("/api/overview", Host=f"localhost:{served.port}")[0] == 200


@pytest.mark.parametrize("path", [*EVERYTHING, *WRITES])
def test_other_origins_are_refused(served: Served, path: str) -> None:
    method, body = ("POST", {}) if path in WRITES and path != "/api/apply" else ("GET", None)
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", f"https://127.0.0.1:{served.port}", "file://"):
        assert served.ask(path, method=method, body=body, Origin=origin)[0] == 403
    for site in ("cross-site", "same-site"):
        assert served.ask(path, method=method, body=body, Sec_Fetch_Site=site)[0] == 403


def test_no_form_of_another_page_can_write(served: Served) -> None:
    body = json.dumps({"kind": "assign", "lines": ["ep 01 #?-00001"], "value": "Eve"}).encode()
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None):
        assert served.ask("/api/decide", method="POST", body=body, Content_Type=kind)[0] == 415
    assert served.ask("/api/decide", method="PUT", body=body)[0] == 405
    assert served.ask("/api/decide", method="DELETE")[0] == 405
    assert served.ask("/api/decide", method="OPTIONS")[0] == 405
    assert served.json("/api/overview")["acts"] == 0


def test_no_answer_allows_other_origins_or_frames(served: Served) -> None:
    for path in EVERYTHING:
        _, headers, _ = served.ask(path)
        assert not [name for name in headers if name.startswith("access-control")]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        policy = headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy and "default-src 'none'" in policy
        if not path.startswith("/report/"):
            assert "unsafe" not in policy
    # The static report runs its own scripts, which may ask the server for nothing but sound.
    assert "connect-src 'none'" in served.ask("/report/corpus/report.html")[1]["content-security-policy"]


def test_too_long_and_broken_bodies(served: Served) -> None:
    assert served.ask("/api/decide", method="POST", body=b"{}", Content_Length=str(5 << 20))[0] == 413
    assert (
        served.ask("/api/decide", method="POST", body=b"{}", Content_Length=None, Transfer_Encoding="chunked")[0] == 413
    )
    for body in (b"{", b"[]", b"[" * 100_000, b"\xff", b'"x"'):
        assert served.ask("/api/decide", method="POST", body=body)[0] == 400


# --- files ------------------------------------------------------------------------------------------------

OUTSIDE = (
    *(
        "../secret.flac",
        "..%2fsecret.flac",
        "%2e%2e/secret.flac",
        "..%5csecret.flac",
        "away/secret.flac",
        "../report.html",
    ),
    *(
        "away/report.html",
        "linked/report.html",
        "linked/audio/mix.flac",
        "/etc/passwd",
        "%2fetc/passwd",
        "x/../../report.html",
    ),
    *(
        ".work/report.html",
        "ep%2001%20%23%3F/.work/report.html",
        "ep%2001%20%23%3F/episode.json",
        "review/history.jsonl",
    ),
    *("labels.csv", "corpus/report/../../../report.html", "ep%2001%20%23%3F/%00report.html", "away/x/report.html", ""),
)


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_path_outside_the_output_folder_is_served(served: Served, path: str) -> None:
    for prefix in ("/report/", "/sound/mix/", "/app/", "/sound/", "/api/wave/"):
        status, _, body = served.ask(prefix + path)
        assert status in (400, 404), (prefix, status)
        assert SECRET.encode() not in body


def test_the_reports_are_served(served: Served) -> None:
    assert served.ask("/report/corpus/report.html")[2] == b"<p>report of corpus"
    assert served.ask("/report/corpus/characters/report.html")[0] == 200
    assert served.ask("/report/ep%2001%20%23%3F/report.html")[0] == 200
    assert served.ask("/report/ep%2001%20%23%3F/audio/mix.flac")[0] == 200


def test_sound_comes_by_ranges(served: Served, out: Path) -> None:
    whole = (out / "ep 01 #?/audio/mix.flac").read_bytes()
    status, headers, body = served.ask("/sound/mix/ep%2001%20%23%3F", Range="bytes=100-199")
    assert (status, body) == (206, whole[100:200])
    assert headers["content-range"] == f"bytes 100-199/{len(whole)}"
    assert served.ask("/sound/mix/ep%2001%20%23%3F")[2] == whole
    assert served.ask("/sound/mix/ep%2001%20%23%3F", Range=f"bytes={len(whole)}-")[0] == 416
    wave = served.json("/api/wave/ep%2001%20%23%3F?from=0&to=2000&bins=100&signal=vocals")
    assert len(wave["peaks"]) == 100 and max(wave["peaks"]) == pytest.approx(0.3, abs=0.01)
    assert served.ask("/api/wave/ep%2001%20%23%3F?from=0&to=9999999")[0] == 400
    assert served.json("/api/wave/ep%2001%20%23%3F?from=90000&to=91000")["peaks"] == []


def test_a_file_that_became_a_link_is_not_served(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, an_episode(tmp_path, "ep01", some_lines("ep01", 3), sound=True))
    (tmp_path.parent / "elsewhere.flac").write_text(SECRET)
    mix = tmp_path / "ep01/audio/mix.flac"
    mix.unlink()
    mix.symlink_to(tmp_path.parent / "elsewhere.flac")
    with serving(desk, tmp_path) as running:
        assert running.ask("/sound/mix/ep01")[0] == 404
        assert running.ask("/sound/vocals/ep01")[0] == 200


# --- decisions --------------------------------------------------------------------------------------------


def test_two_clients_at_once(tmp_path: Path) -> None:
    desk = a_desk(tmp_path, an_episode(tmp_path, "ep01", some_lines("ep01", 40)))
    with serving(desk, tmp_path) as running:

        def work(name: str, first: int) -> None:
            for k in range(first, 40, 2):
                body = {"kind": "assign", "lines": [f"ep01-{k:05d}"], "value": name, "seen": 0}
                assert running.ask("/api/decide", method="POST", body=body, X_Review_Author=name)[0] == 200

        threads = [threading.Thread(target=work, args=(name, k)) for k, name in enumerate(("Ann", "Bob"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        body = {"kind": "assign", "lines": ["ep01-00000"], "value": "Bob", "seen": 0}
        status, _, answer = running.ask("/api/decide", method="POST", body=body, X_Review_Author="Bob")
        assert (status, json.loads(answer)["lines"]) == (409, ["ep01-00000"])
        assert running.json("/api/undo", method="POST", body={}, X_Review_Author="Ann")["act"]["author"] == "Ann"
    talk = {
        e["name"]: e["lines"]
        for e in a_desk(tmp_path, an_episode(tmp_path / "x", "ep01", some_lines("ep01", 40))).overview()["characters"]
    }
    assert (talk["Ann"], talk["Bob"]) == (19, 20)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_disk_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    desk = a_desk(tmp_path)
    with serving(desk, tmp_path) as running:
        tmp_path.chmod(0o500)
        try:
            body = {"kind": "assign", "lines": ["ep01-00000"], "value": "Bob"}
            assert running.ask("/api/decide", method="POST", body=body)[0] == 507
        finally:
            tmp_path.chmod(0o700)
