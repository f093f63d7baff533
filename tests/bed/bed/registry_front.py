"""A front before a registry: it passes requests on, piece by piece, and does what real registries and networks do that Debian's
docker-registry on loopback doesn't.

What it can do, each a key of `open_front`:
    no_location true                        a manifest's PUT is answered without `Location`, as ECR answers it
    cut_get {"bytes", "times"}              the connection is cut after so many bytes of a blob's GET, so many times
    cut_patch {"bytes", "times", "kept"}    … of an upload's PATCH; with `kept`, what came stays and the upload can be gone on with, as
                                            the specification has it and Debian's registry doesn't
    lost_patch {"times"}                    an upload's PATCH arrives whole, and the connection is cut before its answer
    relative true                           `Location` names no host, as the specification allows
    elsewhere "host:port"                   a blob's GET is answered with a redirect to that host, as registries do that keep blobs in S3
    immutable true                          a tag that stands for another image is not given up, in ECR's words
    spoil true                              the first byte of every blob longer than 1 KiB that is fetched is another one
    no_ranges true                          a GET with `Range` is answered with the whole, as the protocol allows
    refuse [{"method", "path", "range", "status", "times", "headers", "body"}]   such requests (with `range` only those that have one)
                                            are answered with this status
    hang "/blobs/uploads/"                  requests whose path holds this get no answer
    token {"user", "password", "uses"}      logins as Docker Hub takes them: a challenge, a token service at /token, tokens that are good
                                            for `uses` requests (1000)
"""

import base64
import hashlib
import http.client
import json
import re
import secrets
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PIECE = 64 * 1024
HOP = {"connection", "transfer-encoding", "keep-alive"}


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a connection that is cut is the purpose


def open_front(upstream, wanted, port):
    """Starts a front; returns the server and the list of what came."""
    state = State(upstream, wanted)
    server = Server(("127.0.0.1", port), type("Handler", (Handler,), {"state": state}))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server, state.log


class State:
    def __init__(self, upstream, wanted):
        self.upstream, self.wanted, self.log, self.lock = upstream, wanted, [], threading.Lock()
        self.left = {name: wanted.get(name, {}).get("times", 1 << 30 if name == "refuse" else 1) for name in ("cut_get", "cut_patch", "lost_patch")}
        self.refusals = [dict(rule) for rule in wanted.get("refuse", [])]
        self.tokens, self.moved = {}, {}

    def cut(self, name):
        """How many bytes pass before the cut; None: it isn't this one's turn."""
        with self.lock:
            if name not in self.wanted or self.left[name] <= 0:
                return None
            self.left[name] -= 1
            return self.wanted[name].get("bytes", 0)

    def refusal(self, method, path, ranged):
        with self.lock:
            for rule in self.refusals:
                if rule.get("range") and not ranged:
                    continue
                if rule.get("times", 1 << 30) > 0 and rule.get("method", method) == method and re.search(rule["path"], path):
                    rule["times"] = rule.get("times", 1 << 30) - 1
                    return rule
        return None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do(self):
        entry = {"method": self.command, "path": self.path, "range": self.headers.get("Range"), "status": None, "sent": 0,
                 "login": "Authorization" in self.headers}
        with self.state.lock:
            self.state.log.append(entry)
        if "hang" in self.state.wanted and self.state.wanted["hang"] in self.path:
            return threading.Event().wait(3600)
        rule = self.state.refusal(self.command, self.path, self.headers.get("Range"))
        if rule:
            return self.answer(entry, rule["status"], rule.get("headers", {}), json.dumps(rule.get("body", {})).encode())
        if "token" in self.state.wanted:
            if self.path.startswith("/token"):
                return self.give_token(entry)
            if not self.may_pass():
                host = self.headers["Host"]
                scope = f"repository:{'/'.join(self.path.split('/')[2:4])}:pull"
                challenge = f'Bearer realm="http://{host}/token",service="front",scope="{scope}"'
                return self.answer(entry, 401, {"WWW-Authenticate": challenge}, b'{"errors":[{"code":"UNAUTHORIZED"}]}')
        self.forward(entry)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = do

    def answer(self, entry, status, headers, body):
        entry["status"] = status
        length = int(self.headers.get("Content-Length") or 0)
        if length:
            self.close_connection = True
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def give_token(self, entry):
        wanted = self.state.wanted["token"]
        login = base64.b64encode(f"{wanted['user']}:{wanted['password']}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {login}":
            return self.answer(entry, 401, {}, b'{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}')
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        entry["scope"] = query.get("scope")
        token = secrets.token_urlsafe(16)
        with self.state.lock:
            self.state.tokens[token] = wanted.get("uses", 1000)
        self.answer(entry, 200, {"Content-Type": "application/json"}, json.dumps({"token": token, "expires_in": 300}).encode())

    def may_pass(self):
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        with self.state.lock:
            left = self.state.tokens.get(token, 0)
            self.state.tokens[token] = left - 1
        return left > 0

    def forward(self, entry):
        if "elsewhere" in self.state.wanted and self.command == "GET" and "/blobs/sha256:" in self.path:
            return self.answer(entry, 307, {"Location": f"http://{self.state.wanted['elsewhere']}{self.path}"}, b"")
        if self.state.wanted.get("immutable") and self.command == "PUT" and "/manifests/" in self.path:
            return self.put_once(entry)
        upstream = http.client.HTTPConnection(self.state.upstream, timeout=30)
        blob = re.search(r"/blobs/sha256:", self.path) and self.command == "GET"
        # The registry names itself in what it answers as it was named: so it leads back here.
        length = int(self.headers.get("Content-Length") or 0)
        wanted = self.state.wanted.get("cut_patch", {})
        cut = self.state.cut("cut_patch") if self.command == "PATCH" and length > wanted.get("bytes", 0) else None
        kept = cut is not None and wanted.get("kept")
        upload = self.path.split("?")[0]
        path = self.state.moved.get(upload, self.path) if self.command == "GET" else self.path
        upstream.putrequest(self.command, path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if kept and name.lower() in ("content-length", "content-range"):
                continue
            if name.lower() in HOP or self.state.wanted.get("no_ranges") and name.lower() == "range":
                continue
            if "token" in self.state.wanted and name.lower() == "authorization":
                continue
            upstream.putheader(name, value)
        if kept:
            start = int((self.headers.get("Content-Range") or "0-").split("-")[0])
            upstream.putheader("Content-Length", str(cut))
            upstream.putheader("Content-Range", f"{start}-{start + cut - 1}")
        upstream.endheaders()
        if not self.pass_body(upstream, length, cut):
            if kept:
                location = upstream.getresponse().getheader("Location")
                self.state.moved[upload] = urllib.parse.urlsplit(location)._replace(scheme="", netloc="").geturl()
            return self.cut_off(upstream)
        answer = upstream.getresponse()
        entry["status"] = answer.status
        if self.command == "PATCH" and length > 10_000 and self.state.cut("lost_patch") is not None:
            self.state.moved[upload] = urllib.parse.urlsplit(answer.getheader("Location"))._replace(scheme="", netloc="").geturl()
            return self.cut_off(upstream)
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            hidden = self.state.wanted.get("no_location") and self.command == "PUT" and "/manifests/" in self.path
            if name.lower() in HOP or hidden and name.lower() == "location":
                continue
            if name.lower() == "location" and self.state.wanted.get("relative"):
                value = urllib.parse.urlsplit(value)._replace(scheme="", netloc="").geturl()
            self.send_header(name, value)
        self.end_headers()
        size = int(answer.getheader("Content-Length") or 0)
        cut = self.state.cut("cut_get") if blob and size > self.state.wanted.get("cut_get", {}).get("bytes", 0) else None
        spoil = blob and self.state.wanted.get("spoil") and size > 1024
        while self.command != "HEAD":
            piece = answer.read(PIECE if cut is None else min(PIECE, cut - entry["sent"]))
            if not piece:
                break
            if spoil and entry["sent"] == 0:
                piece = bytes([piece[0] ^ 1]) + piece[1:]
            self.wfile.write(piece)
            entry["sent"] += len(piece)
            if cut is not None and entry["sent"] >= cut:
                return self.cut_off(upstream)
        upstream.close()

    def put_once(self, entry):
        """A manifest's PUT in a repository whose tags never change."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name, tag = re.fullmatch(r"/v2/(.+)/manifests/(.+)", self.path).groups()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        there = self.ask("HEAD", {**headers, "Accept": headers.get("Content-Type", "")} | {"Content-Length": "0"}, b"")
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        if there[0] == 200 and ":" not in tag and there[1].get("Docker-Content-Digest") != digest:
            message = f"The image tag '{tag}' already exists in the '{name}' repository and cannot be overwritten because the tag is immutable."
            return self.answer(entry, 400, {}, json.dumps({"errors": [{"code": "TAG_INVALID", "message": message}]}).encode())
        status, _, text = self.ask("PUT", headers, body)
        self.answer(entry, status, {}, text)

    def ask(self, method, headers, body):
        upstream = http.client.HTTPConnection(self.state.upstream, timeout=30)
        upstream.request(method, self.path, body, headers)
        answer = upstream.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        upstream.close()
        return found

    def pass_body(self, upstream, length, cut):
        """Passes the request's body on; false: it was cut."""
        passed = 0
        while passed < length:
            piece = self.rfile.read(min(PIECE, length - passed, PIECE if cut is None else cut - passed))
            if not piece:
                return False
            upstream.send(piece)
            passed += len(piece)
            if cut is not None and passed >= cut:
                return False
        return True

    def cut_off(self, upstream):
        upstream.close()
        self.close_connection = True
        self.connection.close()
