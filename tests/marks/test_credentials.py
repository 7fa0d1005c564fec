"""Credentials: signed, read back, broken by any change, silent on the network."""

from __future__ import annotations

import io
import json
import shutil
import socket

import c2pa
import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from faceswap_gan.errors import MarksError
from faceswap_gan.marks import certificates
from faceswap_gan.marks.credentials import EMBEDDED, SwapFacts, hash_file, hash_settings, sidecar, sign_file
from faceswap_gan.marks.identity import (
    CERTIFICATE_FILE,
    KEY_FILE,
    config_folder,
    open_identity,
    own_certificates,
    read_certificates,
)
from faceswap_gan.marks.reading import read_credentials
from faceswap_gan.media.images import write_image


@pytest.fixture
def png(tmp_path, picture):
    path = tmp_path / "out.png"
    write_image(path, picture)
    return path


def _manifest(path):
    with path.open("rb") as file, c2pa.Reader(EMBEDDED[path.suffix], file) as reader:
        return json.loads(reader.json())


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tiff"])
def test_pictures_hold_their_credentials(tmp_path, picture, facts, suffix):
    path = tmp_path / f"out{suffix}"
    write_image(path, picture)
    before = path.stat().st_size
    sign_file(path, facts=facts)
    found = read_credentials(path)
    assert (found.state, found.place, found.known, found.synthetic) == ("valid", path, True, True)
    assert (found.signer, found.consent) == (certificates.COMMON_NAME, "Ann agreed")
    assert path.stat().st_size - before < 6000  # no thumbnail
    assert not sidecar(path).exists()
    assert [p.name for p in tmp_path.glob(".*")] == []


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_videos(make_video, facts, tmp_path, suffix):
    path = make_video(f"out{suffix}")
    whole = path.read_bytes()
    sign_file(path, facts=facts)
    found = read_credentials(path)
    assert (found.state, found.known, found.consent) == ("valid", True, "Ann agreed")
    embeds = suffix in EMBEDDED
    assert (path.read_bytes() == whole) is not embeds
    assert sidecar(path).exists() is not embeds
    assert found.place == (path if embeds else tmp_path / "out.c2pa")


def test_what_is_said(png, facts):
    sign_file(png, facts=facts, final=png.with_name("finished.png"))
    manifests = _manifest(png)
    manifest = manifests["manifests"][manifests["active_manifest"]]
    data = {each["label"]: each["data"] for each in manifest["assertions"]}
    actions = {each["action"]: each for each in data["c2pa.actions.v2"]["actions"]}
    assert set(actions) == {"c2pa.opened", "c2pa.edited", "c2pa.watermarked.unbound"}
    kind = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
    assert actions["c2pa.edited"]["digitalSourceType"] == kind
    said = data["faceswap-gan.swap"]
    assert said["ingredient_sha256"] == hash_file(facts.ingredient)
    assert (said["model_sha256"], said["settings_sha256"]) == ("ab" * 32, facts.settings_sha256)
    (parent,) = manifest["ingredients"]
    assert (parent["relationship"], parent["title"]) == ("parentOf", "footage.dat")
    assert "thumbnail" not in json.dumps(manifests)
    assert manifest["title"] == "finished.png"
    assert str(png.parent) not in json.dumps(manifests)


def test_credentials_of_the_footage_are_kept(png, tmp_path, picture, facts):
    sign_file(png, facts=facts)
    second = tmp_path / "second.png"
    write_image(second, picture)
    sign_file(second, facts=SwapFacts(png, "Bea agreed", "compositeCapture", "0", watermarked=False))
    manifests = _manifest(second)
    assert len(manifests["manifests"]) == 2
    found = read_credentials(second)
    assert (found.consent, found.state, found.synthetic) == ("Bea agreed", "valid", True)


def test_footage_with_a_wrong_suffix_is_still_named(png, facts, tmp_path):
    wrong = tmp_path / "picture.tiff"
    shutil.copy(png, wrong)
    sign_file(png, facts=SwapFacts(wrong, "Ann", facts.digital_source_type, "0"))
    assert read_credentials(png).state == "valid"


@pytest.mark.parametrize("name", ["out.mp4", "out.mkv"])
def test_any_changed_byte_of_the_media_breaks_the_seal(make_video, facts, name):
    path = make_video(name)
    sign_file(path, facts=facts)
    whole = path.read_bytes()
    start = whole.index(b"mdat") + 4 if name.endswith("4") else 0
    for place in np.linspace(start, len(whole) - 1, 25).astype(int):
        broken = bytearray(whole)
        broken[place] ^= 1
        path.write_bytes(broken)
        assert read_credentials(path).state == "tampered", place


def test_a_changed_statement_is_seen(png, facts):
    sign_file(png, facts=facts)
    whole = png.read_bytes()
    assert whole.count(b"Ann agreed") == 1
    png.write_bytes(whole.replace(b"Ann agreed", b"Bob agreed"))
    assert read_credentials(png).state == "tampered"
    png.write_bytes(whole.replace(b"jumb", b"jumx", 1))
    assert read_credentials(png).state == "tampered"


def test_unsigned_and_strange_files(png, tmp_path):
    assert read_credentials(png).state == "absent"
    strange = tmp_path / "strange.mp4"
    strange.write_bytes(b"no video at all" * 100)
    assert read_credentials(strange).state == "absent"
    with pytest.raises(MarksError, match="could not read"):
        read_credentials(tmp_path / "none.png")


def test_a_folder_of_pictures(tmp_path, picture, facts, monkeypatch):
    folder = tmp_path / "frames"
    for name in ("0.png", "1.png", "2.bmp"):
        write_image(folder / name, picture[:40, :40])
    sign_file(folder, facts=facts)
    assert sorted(p.name for p in folder.iterdir()) == ["0.png", "1.png", "2.bmp", "2.c2pa"]
    assert {read_credentials(folder / name).state for name in ("0.png", "1.png", "2.bmp")} == {"valid"}


def test_no_network_is_asked(png, facts, monkeypatch):
    def refuse(*_):
        raise AssertionError("opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    sign_file(png, facts=facts)
    assert read_credentials(png).state == "valid"


def test_the_key_is_made_once_and_is_private(png, facts, config):
    sign_file(png, facts=facts)
    key = config / KEY_FILE
    assert key.stat().st_mode & 0o777 == 0o600
    first = key.read_bytes()
    assert b"PRIVATE KEY" in first
    assert b"PRIVATE KEY" not in (config / CERTIFICATE_FILE).read_bytes()
    sign_file(png, facts=facts)
    assert key.read_bytes() == first
    assert sorted(p.name for p in config.iterdir()) == [CERTIFICATE_FILE, KEY_FILE]


def test_others_see_a_valid_file_of_an_unknown_signer(png, facts, config, monkeypatch, tmp_path):
    sign_file(png, facts=facts)
    certificate = own_certificates()
    monkeypatch.setenv("FACESWAP_CONFIG", str(tmp_path / "another"))
    found = read_credentials(png)
    assert (found.state, found.known) == ("valid", False)
    assert read_credentials(png, trusted=certificate).known


def test_a_comment_beside_a_trusted_certificate_may_be_in_any_letters(png, facts, monkeypatch, tmp_path):
    sign_file(png, facts=facts)
    named = tmp_path / "trusted.pem"
    named.write_bytes("# \u0410\u043d\u043d\u0430\n".encode() + own_certificates().encode().rstrip() + b"\n# \xff")
    monkeypatch.setenv("FACESWAP_CONFIG", str(tmp_path / "another"))
    assert read_credentials(png, trusted=read_certificates(named)).known


def test_the_users_own_certificate(png, facts, config, tmp_path):
    key, chain = certificates.make_key_pair()
    (tmp_path / "own.pem").write_bytes(chain)
    (tmp_path / "own.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    identity = open_identity(certificate=tmp_path / "own.pem", private_key=tmp_path / "own.key")
    sign_file(png, facts=facts, identity=identity)
    assert read_credentials(png, trusted=chain.decode()).known
    assert list(config.iterdir()) == []
    assert "PRIVATE" not in repr(identity)


def test_wrong_certificates_are_clear_errors(tmp_path):
    key, chain = certificates.make_key_pair()
    own, other = tmp_path / "own.pem", tmp_path / "other.key"
    own.write_bytes(chain)
    rsa = generate_private_key(65537, 2048)
    other.write_bytes(rsa.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    with pytest.raises(MarksError, match="together"):
        open_identity(certificate=own)
    with pytest.raises(MarksError, match="got another key"):
        open_identity(certificate=own, private_key=other)
    with pytest.raises(MarksError, match="PEM"):
        open_identity(certificate=own, private_key=own)
    with pytest.raises(MarksError, match="check the path"):
        open_identity(certificate=own, private_key=tmp_path / "none")


def test_a_damaged_key_is_a_clear_error(config):
    (config / KEY_FILE).write_text("rubbish")
    with pytest.raises(MarksError, match="delete"):
        open_identity()


def test_the_settings_folder_is_the_systems(monkeypatch, tmp_path):
    monkeypatch.delenv("FACESWAP_CONFIG")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("APPDATA", str(tmp_path))
    for platform, place in (("linux", tmp_path), ("win32", tmp_path)):
        monkeypatch.setattr("sys.platform", platform)
        assert config_folder() == place / "faceswap_gan"
    monkeypatch.setattr("sys.platform", "darwin")
    assert config_folder().parent.name == "Application Support"


def test_a_full_disk_leaves_the_file_as_it_was(png, facts, monkeypatch):
    open_identity()
    whole = png.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(MarksError, match="No space left"):
        sign_file(png, facts=facts)
    assert png.read_bytes() == whole
    assert [p.name for p in png.parent.glob(".*")] == []


def test_hashes():
    assert hash_settings({"a": 1, "b": 2}) == hash_settings({"b": 2, "a": 1}) != hash_settings({"a": 1, "b": 3})


def test_certificates_are_what_the_standard_asks_for():
    _, chain = certificates.make_key_pair()
    signer, issuer = x509.load_pem_x509_certificates(chain)
    signer.verify_directly_issued_by(issuer)
    assert not signer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = signer.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.key_cert_sign
    assert io.BytesIO(chain).read().count(b"BEGIN CERTIFICATE") == 2
