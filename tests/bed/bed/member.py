"""A member of a consumer group that is neither a consumer nor a worker: it says of itself what a Schema Registry or a Control Center would,
in Kafka's own protocol, and stays in the group until it is told to leave.

The requests and their versions are those of Kafka's protocol guide; every version here is one that brokers of 4.x still speak.
"""

import socket
import struct
import threading

from .context import BedError

FIND_COORDINATOR, JOIN_GROUP, HEARTBEAT, LEAVE_GROUP, SYNC_GROUP, SASL_HANDSHAKE, SASL_AUTHENTICATE = 10, 11, 12, 13, 14, 17, 36
REBALANCE_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR = 27, 15, 16
SECONDS = 120


class Member:
    def __init__(self, server, login, group, protocol_type, protocol, metadata, client):
        """`server`: host:port of a broker's listener with PLAIN and without TLS; `login`: name and password."""
        self._login, self._group, self._client = login, group, client
        self._kind = _text(protocol_type) + struct.pack(">i", 1) + _text(protocol) + _bytes(metadata)
        self._number, self._left, self._lock = 0, threading.Event(), threading.Lock()
        self._connect(server)
        self._connect(self._coordinator())
        self._member, self._generation = "", -1
        self._join()
        threading.Thread(target=self._stay, daemon=True).start()

    def leave(self):
        self._left.set()
        with self._lock:
            self._ask(LEAVE_GROUP, 1, _text(self._group) + _text(self._member))
            self._socket.close()

    def _connect(self, server):
        host, port = server.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), SECONDS)
        self._ask(SASL_HANDSHAKE, 1, _text("PLAIN"))
        name, password = self._login
        answer = self._ask(SASL_AUTHENTICATE, 0, _bytes(f"\0{name}\0{password}".encode()))
        _check(struct.unpack_from(">h", answer)[0], "SaslAuthenticate")

    def _coordinator(self):
        for _ in range(SECONDS * 5):
            answer = self._ask(FIND_COORDINATOR, 1, _text(self._group) + b"\0")
            error = struct.unpack_from(">h", answer, 4)[0]
            if error == 0:
                rest = _skip_text(answer[6:])
                host, rest = _read_text(rest[4:])
                return f"{host}:{struct.unpack_from('>i', rest)[0]}"
            # The first group of a cluster makes the topic of all of them.
            if error != COORDINATOR_NOT_AVAILABLE:
                _check(error, "FindCoordinator")
            self._left.wait(0.2)
        raise BedError("no coordinator")

    def _join(self):
        for _ in range(SECONDS * 5):
            asked = _text(self._group) + struct.pack(">ii", 1000 * SECONDS, 1000 * SECONDS) + _text(self._member) + self._kind
            answer = self._ask(JOIN_GROUP, 2, asked)
            error, self._generation = struct.unpack_from(">hi", answer, 4)
            if error == 0:
                break
            if error not in (COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR, 14):
                _check(error, "JoinGroup")
            self._left.wait(0.2)
        rest = _skip_text(answer[10:])
        leader, rest = _read_text(rest)
        self._member, _ = _read_text(rest)
        # Nobody needs the assignment: it is empty.
        parts = [_text(self._member) + _bytes(b"")] if leader == self._member else []
        asked = _text(self._group) + struct.pack(">i", self._generation) + _text(self._member)
        answer = self._ask(SYNC_GROUP, 1, asked + struct.pack(">i", len(parts)) + b"".join(parts))
        _check(struct.unpack_from(">h", answer, 4)[0], "SyncGroup")

    def _stay(self):
        while not self._left.wait(3):
            with self._lock:
                if self._left.is_set():
                    return
                asked = _text(self._group) + struct.pack(">i", self._generation) + _text(self._member)
                error = struct.unpack_from(">h", self._ask(HEARTBEAT, 1, asked), 4)[0]
                if error == REBALANCE_IN_PROGRESS:
                    self._join()

    def _ask(self, key, version, body):
        self._number += 1
        frame = struct.pack(">hhi", key, version, self._number) + _text(self._client) + body
        self._socket.sendall(struct.pack(">i", len(frame)) + frame)
        length = struct.unpack(">i", self._read(4))[0]
        return self._read(length)[4:]

    def _read(self, length):
        heard = b""
        while len(heard) < length:
            more = self._socket.recv(length - len(heard))
            if not more:
                raise BedError("the broker hung up")
            heard += more
        return heard


def _check(error, what):
    if error:
        raise BedError(f"{what}: error {error}")


def _text(text):
    return struct.pack(">h", len(text.encode())) + text.encode()


def _bytes(content):
    return struct.pack(">i", len(content)) + content


def _read_text(data):
    length = struct.unpack_from(">h", data)[0]
    return data[2 : 2 + max(length, 0)].decode(), data[2 + max(length, 0) :]


def _skip_text(data):
    return _read_text(data)[1]
