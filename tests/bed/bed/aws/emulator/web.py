"""The gateway in front of ministack's own, on one port.

`POST /_bed/<action>` with a JSON object is the bed's way in (region and account in it; eu-west-1 and 000000000000 otherwise). An error
is {"error": text} with status 400. Everything else goes to ministack, but for the API that it lacks.
"""

import asyncio
import json
import time

from . import account, ecs_one_off, ecs_scripts, ecs_services, ecs_tasks, operations, requests, scaling

REGION, ACCOUNT = "eu-west-1", "000000000000"


def _service(wanted):
    from ministack.services import ecs

    found = [s for s in ecs._services.values() if s["serviceName"] == wanted or s["serviceArn"] == wanted]
    if not found:
        raise ValueError(f"no service {wanted}; there are {', '.join(s['serviceName'] for s in ecs._services.values())}")
    found[0]["_next_look"] = 0
    return found[0]


def stop_tasks(data):
    """The running tasks of a service stop now: {"service", "code", "reason", "containers", "count"}."""
    with ecs_services.LOCK:
        service = _service(data["service"])
        running = [t for t in ecs_tasks.tasks_of(service) if t["lastStatus"] == "RUNNING" and t["desiredStatus"] == "RUNNING"]
        chosen = running[: data.get("count", len(running))]
        for task in chosen:
            reason = data.get("reason", "Essential container in task exited")
            ecs_tasks.stop(task, data.get("code", "EssentialContainerExited"), reason, data.get("containers") or {})
        return {"tasks": [t["taskArn"] for t in chosen]}


def event(data):
    """Adds a service event: {"service", "message"}."""
    with ecs_services.LOCK:
        ecs_tasks.say(_service(data["service"]), data["message"])
    return {}


def log(data):
    """Lines into the streams of a service's tasks, or of one task: {"service", "lines", "task"}."""
    from ministack.services import ecs

    with ecs_services.LOCK:
        for task in ecs_tasks.tasks_of(_service(data["service"])):
            number = task["taskArn"].split("/")[-1]
            if data.get("task", number) not in (number, task["taskArn"]):
                continue
            definition = ecs._task_defs[ecs._resolve_td_key(task["taskDefinitionArn"])]
            for container in definition["containerDefinitions"]:
                config = ecs._awslogs_config(container, number, number)
                if config and container["name"] == data.get("container", container["name"]) and ecs._ensure_awslogs_stream(config):
                    for line in data["lines"]:
                        ecs._emit_awslogs_event(config, line)
    return {}


def pace(data):
    """How long a resource takes at least in a stack operation, and a change set to be made: {"seconds": 0.05, "change_set": 0.2}. Where an
    account is named, a resource in it alone."""
    from ministack.core.responses import get_account_id

    seconds, who = float(data.get("seconds", 0.05)), get_account_id()
    if who != ACCOUNT:
        operations.PACES[who] = seconds
        return {"seconds": seconds}
    operations.PACE["seconds"] = seconds
    requests.CREATION["seconds"] = float(data.get("change_set", 0.2))
    return {**operations.PACE, "change_set": requests.CREATION["seconds"]}


def reset(data):
    """An account as new: nothing in it, no script."""
    from ministack import app
    from ministack.services import cloudformation as cfn
    from ministack.services import ec2

    for _, stack in list(cfn._stacks.all_items()):
        stack["_abandoned"] = True  # ends operations that are under way
    until = time.monotonic() + 5
    while any(s.get("_operation") for _, s in list(cfn._stacks.all_items())) and time.monotonic() < until:
        time.sleep(0.02)
    with ecs_services.LOCK:
        app._reset_all_state()
        ecs_scripts.remove()
        ecs_tasks._target_states.clear()
        scaling.reset()
        ec2._ensure_defaults_initialized()
    pace({})
    return {}


def script(data):
    from ministack.core.responses import get_account_id

    # One bed serves many tests at once: what one of them scripts must not reach another's account.
    return ecs_scripts.add({"account": get_account_id(), **data})


def unscript(data):
    from ministack.core.responses import get_account_id

    return ecs_scripts.remove(data.get("id"), get_account_id())


def release(data):
    """The end of all scripts of an account, also for the tasks that live by them: a test holds a deploy where it wants to look at it.
    {"then"}: the script that holds from then on."""
    from ministack.services import ecs

    with ecs_services.LOCK:
        unscript({})
        if data.get("then"):
            script(data["then"])
        for service in ecs._services.values():
            ecs_tasks.release(service)
    return {}


ACTIONS = {
    "seed": account.seed,
    "script": script,
    "unscript": unscript,
    "release": release,
    "scripts": lambda data: ecs_scripts.listed(),
    "stop_tasks": stop_tasks,
    "event": event,
    "log": log,
    "one_off": ecs_one_off.behave,
    "one_off_requests": ecs_one_off.requests,
    "pace": pace,
    "reset": reset,
}


async def _body(receive):
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _send(send, status, payload, kind="application/json"):
    body = json.dumps(payload).encode()
    headers = [(b"content-type", kind.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _in_scope(account_id, region, function, *arguments):
    from ministack.core.responses import request_scope

    with request_scope(account_id, region):
        return function(*arguments)


class Gateway:
    def __init__(self, inner):
        self.inner = inner

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            headers = {key.decode().lower(): value.decode("latin-1") for key, value in scope["headers"]}
            if scope["path"].startswith("/_bed/"):
                return await self._own(scope["path"].removeprefix("/_bed/"), receive, send)
            service, _, action = headers.get("x-amz-target", "").partition(".")
            if service == "AnyScaleFrontendService":
                return await self._scaling(action, headers, receive, send)
        return await self.inner(scope, receive, send)

    async def _own(self, action, receive, send):
        try:
            data = json.loads(await _body(receive) or b"{}")
            function = ACTIONS[action]
            who = data.pop("account", ACCOUNT), data.pop("region", REGION)
            return await _send(send, 200, await asyncio.to_thread(_in_scope, *who, function, data))
        except Exception as error:
            return await _send(send, 400, {"error": f"{action}: {type(error).__name__}: {error}"})

    async def _scaling(self, action, headers, receive, send):
        from ministack.core import router

        key = router.extract_access_key_id(headers, {})
        who = key if key.isdigit() and len(key) == 12 else ACCOUNT
        status, payload = await asyncio.to_thread(
            _in_scope, who, router.extract_region(headers, {}), scaling.answer, action, await _body(receive)
        )
        await _send(send, status, payload, "application/x-amz-json-1.1")
