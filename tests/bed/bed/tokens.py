"""Tokens as an identity provider signs them (RFC 7519, RS256): the key that signs, and the keys to check with (RFC 7517), each a file."""

import base64
import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

NAME = "bed"


def part(data):
    """A section of a token."""
    data = data if isinstance(data, bytes) else json.dumps(data).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class Issuer:
    """Makes a key. `keys` is the URL of what brokers check with, `key` the path of what signs."""

    def __init__(self, folder):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        numbers = key.public_key().public_numbers()
        public = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": NAME, "n": _number(numbers.n), "e": _number(numbers.e)}
        path, self.key = folder / "jwks.json", folder / "tokens.key"
        path.write_text(json.dumps({"keys": [public]}))
        self.key.touch(mode=0o600)
        self.key.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ))  # fmt: skip
        self.keys = f"file://{path}"


def signed(claims, key_file):
    """A token with these claims."""
    with open(key_file, "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    text = f"{part({'alg': 'RS256', 'typ': 'JWT', 'kid': NAME})}.{part(claims)}"
    return f"{text}.{part(key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _number(value):
    return part(value.to_bytes((value.bit_length() + 7) // 8, "big"))
