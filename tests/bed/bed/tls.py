"""TLS material, made at start: nothing that is secret or that expires lies in the repository.

A certificate is given out as PEM files (`<name>.pem` with the chain, `<name>.key`), as both in one file for a JVM's keystore
(`<name>.keystore.pem`), and as PKCS#12. `locked_key` is the key encrypted with the password of the PKCS#12.
"""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PKCS12_PASSWORD = "changeit"


class Authority:
    """A certificate authority with its folder."""

    def __init__(self, folder, name, parent=None, days=(-60, 365)):
        """`parent`: who signs it; without one it signs itself. `days`: the first and last day of its validity."""
        self.folder, self.name = folder, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        self._certificate = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(parent._certificate.subject if parent else subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=days[0]))
            .not_valid_after(now + datetime.timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0 if parent else 1), critical=True)
            .add_extension(_key_usage(sign_certificates=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(parent._key if parent else self._key, hashes.SHA256())
        )
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(_pem(self._certificate))

    def truststore(self):
        """The CA as a PKCS#12 file for the system property javax.net.ssl.trustStore."""
        path = self.folder / f"{self.name}.truststore.p12"
        entry = pkcs12.PKCS12Certificate(self._certificate, self.name.encode())
        protection = serialization.BestAvailableEncryption(PKCS12_PASSWORD.encode())
        path.write_bytes(pkcs12.serialize_java_truststore([entry], protection))
        return str(path)

    def issue(self, name, hosts=(), days=(-1, 90), client=False, alone=False, common_name=None, version_1=False):
        """A certificate for a server (its hosts: names and addresses) or a client (its common name is `name`, or `common_name`).
        `days` are the first and last day of its validity, counted from now. `alone`: without the authority's own. `version_1`: in the
        old form, without any extension. Returns the paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name or name)]))
            .issuer_name(self._certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + datetime.timedelta(days=days[0]))
            .not_valid_after(now + datetime.timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(sign_certificates=False), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH if client else ExtendedKeyUsageOID.SERVER_AUTH]),
                critical=False,
            )
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        if version_1:
            certificate = _as_version_1(certificate, self._key)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        chain = _pem(certificate) + (b"" if alone else _pem(self._certificate))
        locked = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PKCS12_PASSWORD.encode()),
        )
        bundle = pkcs12.serialize_key_and_certificates(
            name.encode(),
            key,
            certificate,
            [self._certificate],
            serialization.BestAvailableEncryption(PKCS12_PASSWORD.encode()),
        )
        paths = _write(
            self.folder,
            name,
            ("certificate", ".pem", chain),
            ("key", ".key", private),
            ("locked_key", ".locked.key", locked),
            ("keystore_pem", ".keystore.pem", private + chain),
            ("pkcs12", ".p12", bundle),
        )
        return paths | {"ca": str(self.path), "pkcs12_password": PKCS12_PASSWORD}


def own_signed(folder, name, hosts):
    """A certificate that has signed itself, and may sign others, as `openssl req -x509` makes it. Returns the paths."""
    key = rsa.generate_private_key(65537, 2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([_host(host) for host in hosts]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain = _pem(certificate)
    return _write(folder, name, ("certificate", ".pem", chain), ("keystore_pem", ".keystore.pem", private + chain))


def _as_version_1(certificate, key):
    """The same without a version and extensions, signed again: no library makes such a one any more."""
    _, parts = _element(certificate.tbs_certificate_bytes)
    body = b""
    while parts:
        tag, content, parts = _first(parts)
        # [0] is the version, [3] the extensions.
        if tag not in (0xA0, 0xA3):
            body += _tagged(tag, content)
    to_be_signed = _tagged(0x30, body)
    signature = key.sign(to_be_signed, ec.ECDSA(hashes.SHA256()))
    _, parts = _element(certificate.public_bytes(serialization.Encoding.DER))
    _, _, parts = _first(parts)
    tag, algorithm, _ = _first(parts)
    whole = to_be_signed + _tagged(tag, algorithm) + _tagged(0x03, b"\0" + signature)
    return x509.load_der_x509_certificate(_tagged(0x30, whole))


def _first(der):
    """The first element of DER → its tag, its content, what follows."""
    length, at = der[1], 2
    if length & 0x80:
        at += length & 0x7F
        length = int.from_bytes(der[2:at], "big")
    return der[0], der[at : at + length], der[at + length :]


def _element(der):
    tag, content, _ = _first(der)
    return tag, content


def _tagged(tag, content):
    length = len(content)
    if length < 0x80:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + content


def _write(folder, name, *files):
    paths = {}
    for what, suffix, content in files:
        path = folder / f"{name}{suffix}"
        path.touch(mode=0o600)
        path.write_bytes(content)
        paths[what] = str(path)
    return paths


def _host(host):
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_usage(sign_certificates):
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)
