"""The part `aws`: the emulator, and the fault proxy (microburst) in front of it.

Facts: `endpoint` (the emulator), `fault_endpoint` (the same through the proxy, which does nothing until `fault`), `region`, and `env`,
the variables that an SDK or a CLI needs. A test that wants an account of its own calls `new_account`: what lies in one account, which
scripts hold for its services and which faults hit it is not seen from another, so that tests can run side by side.

Actions. `account` may be in each (default 000000000000), `region` too (default eu-west-1):
    new_account {}                       {"account", "env", "fault_env"}; the account's number is its access key
    seed        see emulator/account.py  what an account has: VPC, subnets, cluster, …; returns the ids
    script      see emulator/ecs_scripts.py  what will happen to services; returns {"id"}
    unscript    {"id"}                   one script of the account, or all of them
    release     {"then"}                 … all, and the tasks that live by them go on at once: the end of what a script has held up;
                                         `then` is the script that holds from then on
    scripts     {}                       {"scripts": […]}
    stop_tasks  {"service", "count", "code", "reason", "containers"}  running tasks stop now; returns {"tasks": [ARN]}
    event       {"service", "message"}   one more service event
    log         {"service", "lines", "task", "container"}  lines into the tasks' log streams
    one_off     see emulator/ecs_one_off.py  what becomes of tasks that RunTask starts
    one_off_requests {}                  the RunTask and RegisterTaskDefinition requests, as they came
    pace        {"seconds", "change_set"}  how long a resource takes at least in a stack operation (0.05), and a change set to be made
                                         (0.2); for all accounts, or where one is named, a resource in it
    reset       {}                       everything gone, in all accounts; faults too
    fault       {"service", "operation", "kind", …}  see `_fault`; returns {"id"}
    unfault     {"id"}                   one fault, or all of the account's
    faults      {"service", "operation"} the account's part of the audit log, which keeps the last 2,000 requests of all: {"fired": [{"ts", "service", "operation", "action", "note", …}]}
"""

import contextlib
import functools
import json
import secrets
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

from ..context import BedError

REGION, ACCOUNT = "eu-west-1", "000000000000"
BED = Path(__file__).resolve().parents[2]
EMULATOR_ACTIONS = ("seed", "script", "unscript", "release", "scripts", "stop_tasks", "event", "log", "one_off", "one_off_requests", "pace")
# Error code and status by what the service speaks: query XML (CloudFormation, EC2, STS, IAM, ELB), S3's XML, or JSON.
QUERY, S3 = {"cloudformation", "ec2", "sts", "iam", "elbv2", "sns", "cloudwatch"}, {"s3"}
ERRORS = {
    "throttling": (("Throttling", 400), ("SlowDown", 503), ("ThrottlingException", 400), "Rate exceeded"),
    "access_denied": (("AccessDenied", 403), ("AccessDenied", 403), ("AccessDeniedException", 400), None),
    "expired_token": (("ExpiredToken", 403), ("ExpiredToken", 400), ("ExpiredTokenException", 400),
                      "The security token included in the request is expired"),
    "unavailable": (("ServiceUnavailable", 503), ("ServiceUnavailable", 503), ("ServiceUnavailableException", 503), "Service Unavailable"),
}  # fmt: skip


class Aws:
    def __init__(self, ctx):
        self.ctx = ctx
        self._faults, self._next, self._lock = {}, 1, threading.Lock()
        self._owners = {}  # rule of the proxy → account, also of rules that are gone
        self.actions = {name: functools.partial(self._emulator, name) for name in EMULATOR_ACTIONS}
        self.actions |= {
            "new_account": self._new_account,
            "reset": self._reset,
            "fault": self._fault,
            "unfault": self._unfault,
            "faults": self._fired,
        }

    def start(self):
        port, proxy_port = self.ctx.free_port(), self.ctx.free_port()
        self.endpoint, self.fault_endpoint = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{proxy_port}"
        env = {"PYTHONPATH": BED, "PYTHONDONTWRITEBYTECODE": "1"}
        folder = self.ctx.folder("aws")
        self.emulator = self.ctx.spawn("aws", [sys.executable, "-m", "bed.aws.emulator", port, folder], env, cwd=folder)
        command = [sys.executable, "-m", "microburst", "--host", "127.0.0.1", "--port", proxy_port, "--upstream", self.endpoint]
        self.proxy = self.ctx.spawn("aws-faults", command, {**env, "AWS_EC2_METADATA_DISABLED": "true"}, cwd=folder)
        self.ctx.wait("the AWS emulator", self._answers(f"{self.endpoint}/_ministack/health"), 180, self.emulator)
        self.ctx.wait("the fault proxy", self._answers(f"{self.fault_endpoint}/_microburst/health"), 180, self.proxy)
        self._ask_once()
        return {"endpoint": self.endpoint, "fault_endpoint": self.fault_endpoint, "region": REGION, "account": ACCOUNT,
                "env": self._env(ACCOUNT, self.endpoint)}  # fmt: skip

    def _ask_once(self):
        """The proxy learns all of AWS's operations at its first request, which takes seconds: no test's request is to wait for that."""
        signed = f"AWS4-HMAC-SHA256 Credential={ACCOUNT}/20260101/{REGION}/sts/aws4_request"
        headers = {"Authorization": signed, "Content-Type": "application/x-www-form-urlencoded"}
        body = b"Action=GetCallerIdentity&Version=2011-06-15"
        with urllib.request.urlopen(urllib.request.Request(self.fault_endpoint, body, headers), timeout=300) as answer:
            answer.read()

    def stop(self):
        for child in (self.proxy, self.emulator):
            child.stop(2)

    @staticmethod
    def _answers(url):
        def probe():
            try:
                with urllib.request.urlopen(url, timeout=2) as answer:
                    return answer.status == 200
            except OSError:
                return False

        return probe

    @staticmethod
    def _env(account, endpoint):
        # An access key of twelve digits is the account. The rest keeps an SDK from looking anywhere but here.
        return {
            "AWS_ACCESS_KEY_ID": account, "AWS_SECRET_ACCESS_KEY": "bed", "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": endpoint, "AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/nonexistent",
            "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
        }  # fmt: skip

    def _new_account(self, _):
        account = str(10**11 + secrets.randbelow(9 * 10**11))
        return {"account": account, "env": self._env(account, self.endpoint), "fault_env": self._env(account, self.fault_endpoint)}

    def _emulator(self, action, arguments):
        return _post(f"{self.endpoint}/_bed/{action}", arguments)

    def _reset(self, _):
        with self._lock:
            self._faults.clear()
            _post(f"{self.fault_endpoint}/_microburst/rules", [])
            _call("DELETE", f"{self.fault_endpoint}/_microburst/fired")
        return self._emulator("reset", {})

    # --- faults

    def _fault(self, wanted):
        """Switches a fault on: {"service": "cloudformation", "operation": "DescribeStackEvents" (every one if left out), "kind": …}

        kind: throttling, access_denied, expired_token, unavailable; error (with `code`, `status`, `message`); reset (the TCP connection is
        reset); timeout (`seconds` of silence, then 504; 3600 if left out); latency (`seconds`).
        More: `times` (so many requests, then over), `after` (seconds until it begins), `for` (seconds it lasts).
        """
        service, operation, kind = wanted.get("service"), wanted.get("operation"), wanted.get("kind")
        account = wanted.get("account", ACCOUNT)
        rule = {"headers": {"Authorization": f"Credential={account}/"}}
        rule |= {
            key: value
            for key, value in (("service", service), ("operation", operation), ("times", wanted.get("times")))
            if value is not None
        }
        if wanted.get("after"):
            rule["active_at"] = time.time() + wanted["after"]
        if wanted.get("for"):
            rule["until"] = time.time() + wanted.get("after", 0) + wanted["for"]
        if kind in ERRORS:
            code, status, message = _error(service, operation, kind, account)
            rule["error"] = {"code": code, "status": status, "message": message}
        elif kind == "error":
            rule["error"] = {"code": wanted["code"], "status": wanted.get("status", 400), "message": wanted.get("message", "")}
        elif kind == "reset":
            rule["reset"] = True
        elif kind == "timeout":
            rule["timeout_ms"] = 1000 * wanted.get("seconds", 3600)
        elif kind == "latency":
            rule["latency"] = 1000 * wanted["seconds"]
        else:
            raise BedError(f"no fault of kind {kind}; there are {', '.join([*ERRORS, 'error', 'reset', 'timeout', 'latency'])}")
        with self._lock:
            number, self._next = self._next, self._next + 1
            made = _call("PATCH", f"{self.fault_endpoint}/_microburst/rules", [rule])
            self._faults[number] = (account, made[0])
            self._owners[made[0]["id"]] = account
        return {"id": number}

    def _unfault(self, wanted):
        account = wanted.get("account", ACCOUNT)
        with self._lock:
            chosen = [n for n, (owner, _) in self._faults.items() if owner == account and wanted.get("id", n) == n]
            for number in chosen:
                _, rule = self._faults.pop(number)
                spec = {key: value for key, value in rule.items() if key not in ("id", "fired_count")}
                _call("DELETE", f"{self.fault_endpoint}/_microburst/rules", [spec])
        return {"removed": len(chosen)}

    def _fired(self, wanted):
        query = "&".join(f"{key}={wanted[key]}" for key in ("service", "operation") if key in wanted)
        fired = _call("GET", f"{self.fault_endpoint}/_microburst/fired?limit=2000&{query}")
        account = wanted.get("account", ACCOUNT)
        return {"fired": [event for event in fired if self._owners.get(event["rule_id"]) == account]}


def _error(service, operation, kind, account):
    query, s3, other, message = ERRORS[kind]
    code, status = query if service in QUERY else s3 if service in S3 else other
    if message is None:
        user = f"arn:aws:iam::{account}:user/bed"
        message = f"User: {user} is not authorized to perform: {service}:{operation} because no identity-based policy allows the {service}:{operation} action"
    return code, status, message


def _post(url, payload):
    return _call("POST", url, payload)


def _call(method, url, payload=None):
    data = None if payload is None else json.dumps(payload).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=300) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            text = error.read().decode(errors="replace")
        with contextlib.suppress(ValueError):
            text = json.loads(text).get("error", text)
        raise BedError(text) from None
