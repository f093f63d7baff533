"""Addresses that misbehave in one way each, for the failures that no real server shows on demand.

Facts: `hang` (a connect never completes), `silent` (accepts and says nothing), `close` (accepts and closes at once), `http` (answers every
request with an HTTP page), `refused` (nothing listens). Each is host:port.
"""

import socket
import threading

from .context import BedError

PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<h1>hello</h1>\n"


class Faults:
    def __init__(self, ctx):
        self.ctx = ctx
        self.actions = {}
        self._open = []

    def start(self):
        return {
            "hang": self._hang(),
            "silent": self._serve(lambda peer: None),
            "close": self._serve(lambda peer: peer.close()),
            "http": self._serve(self._http),
            "refused": f"127.0.0.1:{self.ctx.free_port()}",
        }

    def stop(self):
        for item in self._open:
            try:
                item.close()
            except OSError:
                pass

    def _hang(self):
        """A listener with a full backlog: the kernel drops further SYNs, as a security group would."""
        listener = self._listen(0)
        address = listener.getsockname()
        for _ in range(16):
            filler = socket.socket()
            filler.settimeout(0.3)
            self._open.append(filler)
            try:
                filler.connect(address)
            except TimeoutError:
                return "%s:%d" % address
        raise BedError("this kernel accepts connections beyond a full backlog: there is no black hole on loopback")

    def _serve(self, treat):
        listener = self._listen(64)

        def accept():
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                self._open.append(peer)
                threading.Thread(target=treat, args=(peer,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return "%s:%d" % listener.getsockname()

    def _listen(self, backlog):
        listener = socket.socket()
        listener.bind(("127.0.0.1", self.ctx.free_port()))
        listener.listen(backlog)
        self._open.append(listener)
        return listener

    @staticmethod
    def _http(peer):
        with peer:
            try:
                peer.settimeout(30)
                peer.recv(65536)
                peer.sendall(PAGE)
            except OSError:
                pass
