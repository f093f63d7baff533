"""TLS material, made at start: nothing that is secret or that expires lies in the repository.

A certificate is given out as PEM files (`<name>.pem` with the chain, `<name>.key`), as both in one file for a JVM's keystore
(`<name>.keystore.pem`), and as PKCS#12. `locked_key` is the key encrypted with the password of the PKCS#12.
"""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
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

    def issue(self, name, hosts=(), days=(-1, 90), client=False, alone=False):
        """A certificate for a server (its hosts: names and addresses) or a client (its common name is `name`).
        `days` are the first and last day of its validity, counted from now. `alone`: without the authority's own. Returns the paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
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
        paths = {}
        for what, suffix, content in (
            ("certificate", ".pem", chain),
            ("key", ".key", private),
            ("locked_key", ".locked.key", locked),
            ("keystore_pem", ".keystore.pem", private + chain),
            ("pkcs12", ".p12", bundle),
        ):
            path = self.folder / f"{name}{suffix}"
            path.touch(mode=0o600)
            path.write_bytes(content)
            paths[what] = str(path)
        return paths | {"ca": str(self.path), "pkcs12_password": PKCS12_PASSWORD}


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
