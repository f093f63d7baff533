"""Addresses that misbehave in one way each, for the failures that no real server shows on demand.

Facts: `hang` (a connect never completes), `silent` (accepts and says nothing), `close` (accepts and closes at once), `http` (answers every
request with an HTTP page), `proxy` (waits for a line of HTTP, and wants a login), `forbidden` (answers 403 with a page), `ssh` (speaks
first), `zookeeper` (hangs up on what it doesn't know, and answers `srvr`, as ZooKeeper does), `refused` (nothing listens), `relay` (leads to
where the action `relay` {to} says, and hangs up before it is told). Each is host:port.
"""

import socket
import threading

from .context import BedError

PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n<h1>hello</h1>\n"
PROXY = (
    b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"proxy\"\r\nContent-Type: text/html\r\n"
    b"Content-Length: 15\r\nConnection: close\r\n\r\n<h1>login</h1>\n"
)
FORBIDDEN = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 19\r\nConnection: close\r\n\r\n<h1>Forbidden</h1>\n"


class Faults:
    def __init__(self, ctx):
        self.ctx = ctx
        self.actions = {"relay": self.relay}
        self._leads_to = None
        self._open = []

    def start(self):
        return {
            "hang": self._hang(),
            "silent": self._serve(lambda peer: None),
            "close": self._serve(lambda peer: peer.close()),
            "http": self._serve(self._http),
            "proxy": self._serve(lambda peer: self._answer(peer, PROXY, until=b"\r\n\r\n")),
            "forbidden": self._serve(lambda peer: self._answer(peer, FORBIDDEN)),
            "ssh": self._serve(self._ssh),
            "zookeeper": self._serve(self._zookeeper),
            "relay": self._serve(self._relay),
            "refused": self._refused(),
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

    def _refused(self):
        """A port that is taken and not listened on: nobody else gets it, and so nothing ever answers there."""
        holder = socket.socket()
        holder.bind(("127.0.0.1", self.ctx.free_port()))
        self._open.append(holder)
        return "%s:%d" % holder.getsockname()

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

    def _http(self, peer):
        self._answer(peer, PAGE)

    @staticmethod
    def _answer(peer, page, until=b""):
        with peer:
            try:
                peer.settimeout(30)
                heard = b""
                while more := peer.recv(65536):
                    heard += more
                    if until in heard:
                        peer.sendall(page)
                        return
            except OSError:
                pass

    def relay(self, asked):
        """{to}: host:port that `relay` leads to from now on."""
        host, port = asked["to"].rsplit(":", 1)
        self._leads_to = (host, int(port))
        return {}

    def _relay(self, peer):
        with peer:
            try:
                with socket.create_connection(self._leads_to) as there:
                    threading.Thread(target=_pump, args=(peer, there), daemon=True).start()
                    _pump(there, peer)
            except (OSError, TypeError):
                pass

    @staticmethod
    def _ssh(peer):
        with peer:
            try:
                peer.settimeout(30)
                peer.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")
                peer.recv(65536)
            except OSError:
                pass

    @staticmethod
    def _zookeeper(peer):
        """Four letters are a question; anything else must be a session that begins as it should."""
        with peer:
            try:
                peer.settimeout(30)
                if peer.recv(4) == b"srvr":
                    peer.sendall(b"Zookeeper version: 3.8.4-9316c2a7a97e1666d8f4593f34dd6fc36ecc436c, built on 2024-02-12 22:16 UTC\n")
            except OSError:
                pass


def _pump(source, target):
    """Passes on what comes, until one side has had enough."""
    try:
        while more := source.recv(65536):
            target.sendall(more)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
