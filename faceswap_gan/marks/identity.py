"""Who signs: a key pair of this user's own, made on first use, or a certificate that the user brings."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from faceswap_gan.errors import MarksError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
    from cryptography.x509 import Certificate

VARIABLE = "FACESWAP_CONFIG"
"""Environment variable that names the folder instead of the system's usual place."""

KEY_FILE = "signing.pem"
"""Private key and certificates, readable by the user alone."""

CERTIFICATE_FILE = "certificate.pem"
"""The certificates without the key: what others need to know this signer."""

_ELLIPTIC = {256: "es256", 384: "es384", 521: "es512"}
_EDWARDS = "ed25519"
_RSA = "ps256"


@dataclass(frozen=True)
class Identity:
    """What signs a file.

    Attributes:
        certificates: PEM, the signer's first, then those that vouch for it.
        private_key: PEM, PKCS #8, without passphrase.
        algorithm: C2PA's name of the signature algorithm, such as ``es256``.
    """

    certificates: bytes
    private_key: bytes
    algorithm: str

    def __repr__(self) -> str:
        """Show no key: this may end up in a log."""
        return f"Identity(algorithm={self.algorithm!r})"


def config_folder() -> Path:
    """Find this user's folder for settings: FACESWAP_CONFIG, or where the system keeps such things."""
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    if sys.platform == "win32":
        home = Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming")
    elif sys.platform == "darwin":
        home = Path.home() / "Library" / "Application Support"
    else:
        home = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return home / "faceswap_gan"


def open_identity(*, certificate: Path | None = None, private_key: Path | None = None) -> Identity:
    """Read who signs; make a key pair where the user has none yet.

    Args:
        certificate: PEM file of the user's own certificate, followed by those that vouch for it.
        private_key: its PEM key, without passphrase. Both files or neither.

    Raises:
        MarksError: a file is missing or damaged, only one of both is named, or the key does not fit the certificate.
    """
    if (certificate is None) != (private_key is None):
        raise MarksError("expected --certificate and --private-key together, got one of them; name both or neither.")
    if certificate is not None and private_key is not None:
        return _check(_read(certificate), _read(private_key), certificate)
    path = config_folder() / KEY_FILE
    if not path.is_file():
        _make(path)
    both = _read(path)
    return _check(both, both, path)


def own_certificates() -> str:
    """Read the certificates of this user's own key pair, PEM; empty where none was made yet.

    Raises:
        MarksError: the file cannot be read.
    """
    path = config_folder() / CERTIFICATE_FILE
    return read_certificates(path) if path.is_file() else ""


def read_certificates(path: Path) -> str:
    """Read certificates to trust, PEM; what a file says around them is left out.

    Raises:
        MarksError: the file is missing or holds no certificate.
    """
    from cryptography import x509

    data = _read(path)
    try:
        chain = x509.load_pem_x509_certificates(data)
    except ValueError as error:
        raise MarksError(f"expected PEM certificates in {path}, got something else; check the file.") from error
    return _join(chain).decode("ascii")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise MarksError(f"expected a PEM file at {path}: {error.strerror}; check the path.") from error


def _check(certificates: bytes, private_key: bytes, path: Path) -> Identity:
    """Parse both, and see that they belong together: an error of ours is clearer than one of the signer's."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        chain = x509.load_pem_x509_certificates(certificates)
        key = load_pem_private_key(private_key, password=None)
    except (ValueError, TypeError) as error:
        raise MarksError(
            f"expected PEM certificates and a PEM key without passphrase for {path}, got something else ({error}); "
            "delete a damaged key of faceswap-gan's own and a new one is made."
        ) from error
    if chain[0].public_key() != key.public_key():
        raise MarksError(f"expected the private key of {path}'s first certificate, got another key; name its own.")
    return Identity(_join(chain), _to_pem(key), _algorithm(key))


def _join(chain: Sequence[Certificate]) -> bytes:
    """Write certificates as PEM, without the comments that a file may hold in any encoding."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return b"".join(each.public_bytes(Encoding.PEM) for each in chain)


def _algorithm(key: PrivateKeyTypes) -> str:
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.key_size in _ELLIPTIC:
        return _ELLIPTIC[key.curve.key_size]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return _EDWARDS
    if isinstance(key, rsa.RSAPrivateKey):
        return _RSA
    raise MarksError(f"expected an EC (P-256, P-384, P-521), Ed25519 or RSA key, got {type(key).__name__}.")


def _to_pem(key: PrivateKeyTypes) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _make(path: Path) -> None:
    """Make a key pair and write it: key and certificates for the user alone, the certificates for everyone."""
    from faceswap_gan.marks.certificates import make_key_pair

    key, certificates = make_key_pair()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path.with_name(CERTIFICATE_FILE), certificates, mode=0o644)
        _write(path, _to_pem(key) + certificates, mode=0o600)
    except OSError as error:
        raise MarksError(
            f"could not keep a signing key in {path.parent}: {error.strerror}; make the folder writable, or name "
            f"another one in {VARIABLE}."
        ) from error


def _write(path: Path, data: bytes, *, mode: int) -> None:
    """Write whole or not at all; nobody else can read the file at any moment that its mode forbids."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    partial.unlink(missing_ok=True)
    try:
        with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:  # noqa: PTH123
            file.write(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
