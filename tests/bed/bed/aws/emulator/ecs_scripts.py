"""How a test tells the services of ECS what will happen to them.

A script is a JSON object; every key but `service` may be left out:

    service          pattern (fnmatch) of the service's name
    account          the account that it is about: the caller's
    stack            pattern of the stack that the service belongs to
    task_definition  pattern of family:revision, so that one revision is good and the next one bad
    times            so many tasks follow the script, later ones the next script that fits
    provisioning, pending, activating   seconds in that state (0.05 each)
    healthy          seconds from RUNNING to healthy, or steady where nothing checks the health (0.15)
    unhealthy        true: RUNNING, but the container's health check never succeeds
    target_health    {"state": "unhealthy", "reason": "Target.FailedHealthChecks", "description": …} for its targets
    stop             the task stops by itself:
                     {"in": "RUNNING" or "PENDING", "after": seconds in that state, "code": stopCode, "reason": stoppedReason,
                      "containers": {name or "*": {"exit_code": 1, "reason": "OutOfMemoryError: …"}}}
    stopping         seconds from the stop to STOPPED (0.06)
    restart          seconds between a failed task and the next one (0.1)
    rollback         seconds that the circuit breaker's rollback takes at least (0.5)
    logs             lines that every task writes: ["…"] for its essential containers or {container: ["…"]};
                     a line may be {"after": seconds from RUNNING, "line": "…"}
    events           service events, as {"after": seconds from the deployment's start, "message": "(service {service}) …"}
    timeout          seconds until CloudFormation gives a service up that isn't stable (10,800 as on AWS)
    breaker_is_success  true: CloudFormation takes a breaker's rollback for success (github.com/aws/containers-roadmap issue 1369)

A task follows the script that fits when it starts, the newest first; events, timeout and breaker hold for services that run already. Without one a task is RUNNING after 0.15 s and stays so. In texts {service}, {deployment}, {task}
and {family} are replaced.
"""

import fnmatch
import itertools
import threading

DEFAULT = {
    "provisioning": 0.05,
    "pending": 0.05,
    "activating": 0.05,
    "healthy": 0.15,
    "stopping": 0.06,
    "restart": 0.1,
    "rollback": 0.5,
    "timeout": 10800,
}
KEYS = {
    "service",
    "account",
    "stack",
    "task_definition",
    "times",
    "unhealthy",
    "target_health",
    "stop",
    "logs",
    "events",
    "breaker_is_success",
    *DEFAULT,
}
STOP_KEYS = {"in", "after", "code", "reason", "containers"}

_scripts, _ids, _lock = [], itertools.count(1), threading.Lock()


def add(script):
    unknown = set(script) - KEYS | set(script.get("stop") or {}) - STOP_KEYS
    if unknown or "service" not in script:
        raise ValueError(
            f"a script has `service` and any of {', '.join(sorted(KEYS))}; not {', '.join(sorted(unknown)) or 'no service'}"
        )
    with _lock:
        script = {**script, "_id": next(_ids), "_left": script.get("times")}
        _scripts.append(script)
    return {"id": script["_id"]}


def remove(number=None, account=None):
    """One script, or all of an account, or all."""
    with _lock:
        _scripts[:] = [s for s in _scripts if not (number in (None, s["_id"]) and account in (None, s.get("account")))]
    return {}


def listed():
    return {"scripts": [{**{k: v for k, v in s.items() if k[0] != "_"}, "id": s["_id"], "left": s["_left"]} for s in _scripts]}


def find(service, task_definition, consume=False):
    """The script for a service's next task or, with `task_definition` None, for the service as a whole."""
    account = service["serviceArn"].split(":")[4]
    tags = {tag.get("key"): tag.get("value") for tag in service.get("tags") or []}
    stack = tags.get("aws:cloudformation:stack-name", "")
    with _lock:
        for script in reversed(_scripts):
            if (
                fnmatch.fnmatchcase(service["serviceName"], script["service"])
                and script.get("account", account) == account
                and fnmatch.fnmatchcase(stack, script.get("stack", "*"))
                and (
                    task_definition is None
                    or fnmatch.fnmatchcase(task_definition.split("/")[-1], script.get("task_definition", "*"))
                )
                and script["_left"] != 0
            ):
                if consume and script["_left"]:
                    script["_left"] -= 1
                return {**DEFAULT, **script}
    return dict(DEFAULT)
