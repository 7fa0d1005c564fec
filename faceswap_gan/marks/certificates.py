"""A key pair with certificates as content credentials want them."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

COMMON_NAME = "faceswap_gan user (self-issued)"
_ORGANIZATION = "faceswap_gan"
_LIFE = datetime.timedelta(days=3650)


def make_key_pair() -> tuple[EllipticCurvePrivateKey, bytes]:
    """Make a signing key and the two certificates that go with it.

    A certificate that vouches for itself is not accepted everywhere, so a second key vouches for the first and is
    then forgotten: nothing else can be issued in its name. Neither certificate says who the user is.

    Returns:
        The key, and the certificates in PEM, the signer's first.

    References:
        C2PA specification 2.2, 14.5 (X.509 certificates); RFC 5280.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding

    key, issuer_key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    issuer = _certify(issuer_key, _name("faceswap_gan local issuer"), None, issuer_key)
    signer = _certify(key, _name(COMMON_NAME), issuer, issuer_key)
    return key, signer.public_bytes(Encoding.PEM) + issuer.public_bytes(Encoding.PEM)


def _name(common: str) -> x509.Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    organization = x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANIZATION)
    return x509.Name([organization, x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certify(
    key: EllipticCurvePrivateKey,
    name: x509.Name,
    issuer: x509.Certificate | None,
    issuer_key: EllipticCurvePrivateKey,
) -> x509.Certificate:
    """Issue one certificate; without issuer, that of an authority which vouches for itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509.oid import ExtendedKeyUsageOID

    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder(issuer.subject if issuer else name, name, key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))  # clocks differ
        .not_valid_after(now + _LIFE)
        .add_extension(x509.BasicConstraints(issuer is None, 0 if issuer is None else None), critical=True)
        .add_extension(_usage(authority=issuer is None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if issuer is not None:
        # Of the purposes that readers accept without further settings this is the one that fits best.
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(issuer_key, SHA256())


def _usage(*, authority: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not authority,
        content_commitment=not authority,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
