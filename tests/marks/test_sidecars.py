"""Credentials beside a file: whose they are, and that none are lost."""

from __future__ import annotations

import os
from dataclasses import replace

from faceswap_gan.marks.credentials import sidecar, sign_file
from faceswap_gan.marks.reading import read_credentials


def test_credentials_beside_a_video_are_on_the_disk_before_they_have_their_name(
    make_video, facts, tmp_path, monkeypatch
):
    path, flushed = make_video("out.mkv"), []
    beside = sidecar(path)
    monkeypatch.setattr("os.fsync", lambda opened: flushed.append((os.fstat(opened).st_ino, beside.exists())))
    sign_file(path, facts=facts)
    assert flushed == [(beside.stat().st_ino, False)]


def test_a_sidecar_of_another_kind_of_file_is_left_alone(make_video, facts, tmp_path):
    sign_file(make_video("out.mkv"), facts=facts)
    (tmp_path / "out.avi2").write_bytes(b"x")
    assert read_credentials(tmp_path / "out.avi2").state == "absent"


def test_files_of_one_name_keep_their_credentials_apart(make_video, facts, tmp_path, caplog):
    first, second = make_video("out.mkv"), make_video("out.webm", codec="libvpx-vp9")
    sign_file(first, facts=facts)
    assert not caplog.records
    for consent in ("Bea agreed", "Bea agreed twice"):  # made anew it stays where it is
        sign_file(second, facts=replace(facts, consent=consent))
        assert "credentials of out.webm are in out.webm.c2pa" in caplog.text
        assert read_credentials(second).consent == consent
    assert sorted(p.name for p in tmp_path.glob("*.c2pa")) == ["out.c2pa", "out.webm.c2pa"]
    assert [read_credentials(p).consent for p in (first, second)] == ["Ann agreed", "Bea agreed twice"]
    assert [sidecar(p).name for p in (first, second)] == ["out.c2pa", "out.webm.c2pa"]
    second.write_bytes(second.read_bytes() + b"x")
    assert [read_credentials(p).state for p in (first, second)] == ["valid", "tampered"]


def test_a_sidecar_is_used_again_once_its_file_is_gone(make_video, facts, tmp_path):
    first = make_video("out.mkv")
    sign_file(first, facts=facts)
    sign_file(first, facts=facts)
    first.unlink()
    second = make_video("out.webm", codec="libvpx-vp9")
    sign_file(second, facts=facts)
    assert [p.name for p in tmp_path.glob("*.c2pa")] == ["out.c2pa"]
    assert read_credentials(second).state == "valid"


def test_a_sidecar_that_does_not_read_is_not_written_over(make_video, facts, tmp_path):
    path, theirs = make_video("out.mkv"), tmp_path / "out.c2pa"
    theirs.write_bytes(b"of a later version")
    (tmp_path / "out.raw").write_bytes(b"x")
    sign_file(path, facts=facts)
    assert theirs.read_bytes() == b"of a later version"
    assert read_credentials(path).place == tmp_path / "out.mkv.c2pa"
