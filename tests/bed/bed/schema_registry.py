"""The part `schema_registry`: a stand-in for Confluent's Schema Registry, of which only what a preflight reads is imitated.

`GET /` ({}), `/subjects`, `/config`, `/config/<subject>`, `/mode`, with Content-Type application/vnd.schemaregistry.v1+json and errors as
{"error_code", "message"} ("Schema Registry API Reference"): 401 without or with wrong credentials, 403 where the user may not, 404 else.
Facts: `url`, `user`, `password`, `id` of an instance that every test may read.
Actions:
    new {"user", "password", "open": false, "tls": false | true | "expired" | "other_host", "subjects": […], "compatibility": "BACKWARD",
         "mode": "READWRITE", "forbidden": ["/subjects"], "answers": {path: [status, body]}, "delay": seconds,
         "clock": seconds that its Date header is ahead, "page": a page of HTML instead of every answer, "redirect": a URL instead}
        an instance of the test's own: {"id", "url", "user", "password", "ca" (a PEM file, with tls)}
    requests {"id"}   what came: {"requests": [{"method", "path", "status", "user", "headers" (without Authorization)}]}
    close {"id"}
"""

import base64
import json
import secrets
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .context import BedError
from .tls import Authority

KIND = "application/vnd.schemaregistry.v1+json"


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that goes away in the middle, or refuses the certificate, is a test's purpose


class SchemaRegistry:
    def __init__(self, ctx):
        self.ctx, self._instances, self._authority = ctx, {}, None
        self._lock = threading.Lock()
        self.actions = {"new": self._new, "requests": self._requests, "close": self._close}

    def start(self):
        return self._new({"subjects": ["orders-value"]})

    def stop(self):
        for number in list(self._instances):
            self._close({"id": number})

    def _new(self, wanted):
        known = {"user", "password", "open", "tls", "subjects", "compatibility", "mode", "forbidden", "answers", "delay"}
        known |= {"clock", "page", "redirect"}
        if set(wanted) - known:
            raise BedError(f"a registry has {', '.join(sorted(known))}; not {', '.join(sorted(set(wanted) - known))}")
        made = {"user": wanted.get("user", "registry"), "password": wanted.get("password") or secrets.token_urlsafe(12)}
        log = []
        server = Server(("127.0.0.1", self.ctx.free_port()), _handler({**wanted, **made}, log))
        scheme = "http"
        if wanted.get("tls"):
            scheme, context = "https", ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            made["ca"] = self._certificate(context, wanted["tls"])
            server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with self._lock:
            number = len(self._instances) + 1
            self._instances[number] = (server, log)
        return {"id": number, "url": f"{scheme}://127.0.0.1:{server.server_port}", **made}

    def _certificate(self, context, kind):
        with self._lock:
            self._authority = self._authority or Authority(self.ctx.folder("schema-registry"), "registry-ca")
            days = (-30, -1) if kind == "expired" else (-1, 90)
            hosts = ["registry.example.com"] if kind == "other_host" else ["127.0.0.1", "localhost"]
            paths = self._authority.issue(f"registry-{secrets.token_hex(4)}", hosts, days)
        context.load_cert_chain(paths["certificate"], paths["key"])
        return paths["ca"]

    def _instance(self, arguments):
        try:
            return self._instances[arguments["id"]]
        except KeyError:
            raise BedError(f"no schema registry {arguments.get('id')}") from None

    def _requests(self, arguments):
        return {"requests": list(self._instance(arguments)[1])}

    def _close(self, arguments):
        server, _ = self._instance(arguments)
        server.shutdown()
        server.server_close()
        return {}


def _handler(settings, log):
    expected = "Basic " + base64.b64encode(f"{settings['user']}:{settings['password']}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def date_time_string(self, timestamp=None):
            return super().date_time_string((timestamp or time.time()) + settings.get("clock", 0))

        def _instead(self):
            """A proxy's or a login page's answer: the registry is never asked."""
            text = settings.get("page", "").encode()
            self.send_response(302 if "redirect" in settings else 200)
            if "redirect" in settings:
                self.send_header("Location", settings["redirect"])
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self):
            time.sleep(settings.get("delay", 0))
            if "page" in settings or "redirect" in settings:
                log.append({"method": self.command, "path": self.path, "user": _user(self.headers.get("Authorization", ""))})
                return self._instead()
            path = self.path.split("?")[0].rstrip("/") or "/"
            status, body = self._decide(path)
            given = self.headers.get("Authorization", "")
            headers = {key: value for key, value in self.headers.items() if key.lower() != "authorization"}
            log.append({"method": self.command, "path": self.path, "status": status, "user": _user(given), "headers": headers})
            text = json.dumps(body).encode()
            self.send_response(status)
            if status == 401:
                self.send_header("WWW-Authenticate", 'Basic realm="SchemaRegistry"')
            self.send_header("Content-Type", KIND)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_PUT = do_DELETE = do_GET

        def _decide(self, path):
            if not settings.get("open") and self.headers.get("Authorization") != expected:
                return 401, {"error_code": 401, "message": "Unauthorized"}
            if path in settings.get("forbidden", ()):
                return 403, {"error_code": 40301, "message": "User is denied operation on this server."}
            if path in settings.get("answers", {}):
                return settings["answers"][path]
            if self.command != "GET":
                return 405, {"error_code": 405, "message": "HTTP 405 Method Not Allowed"}
            subjects, level = settings.get("subjects", []), settings.get("compatibility", "BACKWARD")
            if path == "/":
                return 200, {}
            if path == "/subjects":
                return 200, subjects
            if path == "/config":
                return 200, {"compatibilityLevel": level}
            if path.startswith("/config/"):
                subject = path.removeprefix("/config/")
                message = f"Subject '{subject}' does not have subject-level compatibility configured"
                return 404, {"error_code": 40408, "message": message}
            if path == "/mode":
                return 200, {"mode": settings.get("mode", "READWRITE")}
            return 404, {"error_code": 404, "message": "HTTP 404 Not Found"}

        def log_message(self, *_):
            pass

    return Handler


def _user(header):
    try:
        return base64.b64decode(header.removeprefix("Basic ")).decode().partition(":")[0] or None
    except ValueError:
        return None
