"""Reads what the tests want to know of a certificate (RFC 5280), without a library."""

import base64
from dataclasses import dataclass
from datetime import datetime, timezone

SIGNATURES = {bytes.fromhex("2a864886f70d01010b"): "sha256WithRSAEncryption"}


@dataclass
class Certificate:
    serial: int
    signature: str
    issuer: str
    not_before: datetime
    not_after: datetime
    subject: str
    key_bits: int


def _read(data: bytes, at: int = 0):
    """Tag, content, and where the next value begins."""
    tag, length, at = data[at], data[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(data[at : at + size], "big"), at + size
    return tag, data[at : at + length], at + length


def _items(data: bytes) -> list[tuple[int, bytes]]:
    items, at = [], 0
    while at < len(data):
        tag, content, at = _read(data, at)
        items.append((tag, content))
    return items


def _name(data: bytes) -> str:
    ((_, rdn),) = _items(data)
    ((_, pair),) = _items(rdn)
    (_, kind), (_, value) = _items(pair)
    assert kind == bytes([0x55, 4, 3]), "a common name and nothing else"
    return value.decode()


def _time(item) -> datetime:
    tag, content = item
    form = "%y%m%d%H%M%SZ" if tag == 0x17 else "%Y%m%d%H%M%SZ"
    return datetime.strptime(content.decode(), form).replace(tzinfo=timezone.utc)


def certificate(pem: str) -> Certificate:
    """The one certificate of a PEM file."""
    text = pem.split("-----BEGIN CERTIFICATE-----")[1].split("-----END CERTIFICATE-----")[0]
    _, whole, _ = _read(base64.b64decode(text))
    (_, body), _, _ = _items(whole)
    fields = _items(body)
    assert fields[0][0] == 0xA0, "version 3"
    serial, signature, issuer, validity, subject, key = (content for _, content in fields[1:7])
    begins, ends = _items(validity)
    _, (_, bits) = _items(key)
    _, rsa, _ = _read(bits[1:])
    modulus = int.from_bytes(_items(rsa)[0][1], "big")
    return Certificate(
        serial=int.from_bytes(serial, "big"),
        signature=SIGNATURES.get(_items(signature)[0][1], "another"),
        issuer=_name(issuer),
        not_before=_time(begins),
        not_after=_time(ends),
        subject=_name(subject),
        key_bits=modulus.bit_length(),
    )
