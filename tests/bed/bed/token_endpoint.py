"""The part `token_endpoint`: a stand-in for an identity provider's token endpoint (RFC 6749, client credentials).

It gives out tokens that nobody has signed, which the brokers' listener OAUTH takes, or with `signed` those of the listener OIDC: claims
`sub`, `iat`, `exp`.
Actions:
    new {"client", "secret", "subject", "scope": wanted in the form, "lifetime": 3600, "clock": seconds that its Date header and claims are
         ahead, "answer": [status, body, content type] instead, "redirect": a URL instead, "signed": true}
        an endpoint of the test's own: {"id", "url", "client", "secret"}
    requests {"id"}   what came: {"requests": [{"grant", "scope", "client"}]}
    close {"id"}
"""

import base64
import json
import secrets
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler

from . import tokens
from .context import BedError
from .schema_registry import Server


class TokenEndpoint:
    def __init__(self, ctx):
        self.ctx, self._instances, self._lock = ctx, {}, threading.Lock()
        self.actions = {"new": self._new, "requests": self._requests, "close": self._close}

    def start(self):
        return {}

    def stop(self):
        for number in list(self._instances):
            self._close({"id": number})

    def _new(self, wanted):
        known = {"client", "secret", "subject", "scope", "lifetime", "clock", "answer", "redirect", "signed"}
        if set(wanted) - known:
            raise BedError(f"a token endpoint has {', '.join(sorted(known))}; not {', '.join(sorted(set(wanted) - known))}")
        made = {"client": wanted.get("client", "worker"), "secret": wanted.get("secret") or secrets.token_urlsafe(12)}
        log = []
        key = self.ctx.part("kafka").facts["token_key"] if wanted.get("signed") else None
        server = Server(("127.0.0.1", self.ctx.free_port()), _handler({**wanted, **made, "key": key}, log))
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        with self._lock:
            number = len(self._instances) + 1
            self._instances[number] = (server, log)
        return {"id": number, "url": f"http://127.0.0.1:{server.server_port}/token", **made}

    def _instance(self, arguments):
        try:
            return self._instances[arguments["id"]]
        except KeyError:
            raise BedError(f"no token endpoint {arguments.get('id')}") from None

    def _requests(self, arguments):
        return {"requests": list(self._instance(arguments)[1])}

    def _close(self, arguments):
        server, _ = self._instance(arguments)
        server.shutdown()
        server.server_close()
        return {}


def _handler(settings, log):
    expected = "Basic " + base64.b64encode(f"{settings['client']}:{settings['secret']}".encode()).decode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def date_time_string(self, timestamp=None):
            return super().date_time_string((timestamp or time.time()) + settings.get("clock", 0))

        def do_POST(self):
            form = urllib.parse.parse_qs(self.rfile.read(int(self.headers.get("Content-Length", 0))).decode())
            grant, scope = form.get("grant_type", [""])[0], form.get("scope", [""])[0]
            given = self.headers.get("Authorization", "")
            log.append({"grant": grant, "scope": scope, "client": given == expected})
            status, body, kind = self._decide(given, grant, scope)
            text = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            if "redirect" in settings:
                self.send_header("Location", settings["redirect"])
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def do_GET(self):
            self.send_error(405)

        do_HEAD = do_GET

        def _decide(self, given, grant, scope):
            kind = "application/json"
            if "redirect" in settings:
                return 302, "", "text/html"
            if "answer" in settings:
                return settings["answer"]
            if given != expected:
                return 401, {"error": "invalid_client", "error_description": "Invalid client credentials"}, kind
            if grant != "client_credentials":
                return 400, {"error": "unsupported_grant_type"}, kind
            if settings.get("scope", scope) != scope:
                return 400, {"error": "invalid_scope", "error_description": f"unknown scope {scope}"}, kind
            now = int(time.time()) + settings.get("clock", 0)
            lifetime = settings.get("lifetime", 3600)
            claims = {"sub": settings.get("subject", settings["client"]), "iat": now, "exp": now + lifetime}
            key = settings["key"]
            token = tokens.signed(claims, key) if key else ".".join([tokens.part({"alg": "none"}), tokens.part(claims), ""])
            return 200, {"access_token": token, "token_type": "Bearer", "expires_in": lifetime}, kind

        def log_message(self, *_):
            pass

    return Handler
