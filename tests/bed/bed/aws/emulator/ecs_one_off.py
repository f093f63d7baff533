"""Tasks that RunTask starts and no service has: what a test says becomes of them, and with a program, a process that is the task.

- States as in `ecs_tasks`; group `family:NAME`, startedBy as given (API_Task); a task stops with `EssentialContainerExited` and the
  container's exit code when its process ends ("Essential container in task exited").
- The process has exactly the environment that ECS would give the container: `environment`, `secrets` resolved from Secrets Manager (key by
  key, as "Pass Secrets Manager secrets programmatically in Amazon ECS" has it), and what ECS itself sets (ECS_CONTAINER_METADATA_URI_V4,
  AWS_EXECUTION_ENV, AWS_REGION, AWS_DEFAULT_REGION). Each line that it writes is an event of its awslogs stream.
- A secret or a key of it that isn't there: TaskFailedToStart, in the words of "Amazon ECS stopped task error messages".
- RunTask with a `clientToken` that was used: the same request gets the same task, another one ConflictException ("Ensuring idempotency";
  API_RunTask, "Errors").
- With `credentials` they are given out as ECS gives those of the task role: by HTTP, at an address that a variable of the process names
  ("Amazon ECS task IAM role"; API of the container credentials provider). ECS's own address, 169.254.170.2 of
  AWS_CONTAINER_CREDENTIALS_RELATIVE_URI, is no loopback's, so it is AWS_CONTAINER_CREDENTIALS_FULL_URI here, which the same provider reads.
Not imitated: network, image, roles. Requests are kept as they came, for a test to compare.
"""

import json
import logging
import os
import signal
import subprocess
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

logger = logging.getLogger("bed.ecs")
STATES = ("PROVISIONING", "PENDING", "ACTIVATING")
_behaviour, _requests, _processes, _tokens = {}, {}, {}, {}
_lock = threading.Lock()


def behave(data):
    """What becomes of the account's one-off tasks from now on:

    program   the task is this program with the definition's command; without one it stays RUNNING and writes nothing
    pause     seconds in each state before RUNNING (0.05)
    fail      {"code", "reason", "containers": {"*": {"reason", "exit_code"}}}: it stops in PENDING
    stuck     "PENDING": it comes to that state and never further
    lines     it is killed (exit code 137) after so many lines
    mute      after so many lines nothing more comes into its log, and it stays RUNNING
    replace   [from, to] in every line
    credentials  {"access_key", "secret_key", "session_token"} of the task's role; {"status": 403}: their address answers so
    """
    from ministack.core.responses import get_account_id

    _behaviour[get_account_id()] = data
    return {}


def requests(_):
    """The account's RunTask and RegisterTaskDefinition requests, as they came."""
    from ministack.core.responses import get_account_id

    return {"requests": _requests.get(get_account_id(), [])}


def _keep(operation, original):
    def handler(data):
        from ministack.core.responses import get_account_id

        _requests.setdefault(get_account_id(), []).append({"operation": operation, **json.loads(json.dumps(data))})
        return original(data)

    return handler


def _run(original):
    """The first of two requests with a token that are under way at the same time counts."""

    def handler(data):
        from ministack.core.responses import error_response_json, get_account_id

        token = data.get("clientToken")
        if not token:
            return _started(original, data)
        with _lock:
            asked, answer = _tokens.get((get_account_id(), token), (data, None))
            if asked != data:
                words = "The provided clientToken is already in use with a different RunTask request."
                return error_response_json("ConflictException", words, 400)
            answer = answer or _started(original, data)
            if answer[0] == 200:
                _tokens[(get_account_id(), token)] = (data, answer)
        return answer

    return handler


def _started(original, data):
    from ministack.core.responses import get_account_id, get_region, json_response
    from ministack.services import ecs

    status, headers, body = original(data)
    if status != 200:
        return status, headers, body
    tasks = [ecs._tasks[task["taskArn"]] for task in json.loads(body)["tasks"]]
    for task in tasks:
        number = uuid.uuid4().hex
        arn = task["taskArn"].rsplit("/", 1)[0] + "/" + number
        del ecs._tasks[task["taskArn"]]
        family = task["taskDefinitionArn"].split("/")[-1].split(":")[0]
        task.update(taskArn=arn, lastStatus="PROVISIONING", startedAt=None, group=task["group"] or f"family:{family}")
        for key in ("pullStartedAt", "pullStoppedAt"):
            task[key] = None
        for container in task["containers"]:
            container.update(taskArn=arn, lastStatus="PENDING", runtimeId=None, exitCode=None)
        ecs._tasks[arn] = task
        who = get_account_id(), get_region()
        threading.Thread(target=_live, args=(who, task, dict(_behaviour.get(who[0], {}))), daemon=True).start()
    return json_response({"tasks": [ecs._sanitize(task) for task in tasks], "failures": []})


def _stop(original):
    def handler(data):
        answer = original(data)
        number = str(data.get("task", "")).split("/")[-1]
        process = _processes.pop(number, None)
        if process and process.poll() is None:
            process.send_signal(signal.SIGTERM)
        return answer

    return handler


def _live(who, task, behaviour):
    from ministack.core.responses import request_scope

    try:
        with request_scope(*who):
            _through_its_life(task, behaviour)
    except Exception:
        logger.exception("task %s", task["taskArn"])


def _ended(task, code, reason, exit_code=None, said=None):
    from ministack.services import ecs

    for container in task["containers"]:
        ending = (said or {}).get(container["name"]) or (said or {}).get("*") or {}
        if "reason" in ending:
            container["reason"] = ending["reason"]
        if "exit_code" in ending:
            container["exitCode"] = ending["exit_code"]
    ecs._mark_task_stopped(task["taskArn"], task, reason, code, exit_code=exit_code)


def _through_its_life(task, behaviour):
    from ministack.services import ecs

    pause = behaviour.get("pause", 0.05)
    for state in STATES:
        task["lastStatus"] = state
        time.sleep(pause)
        if task["desiredStatus"] == "STOPPED" or behaviour.get("stuck") == state:
            return
        if state == "PENDING" and behaviour.get("fail"):
            fail = behaviour["fail"]
            return _ended(task, fail.get("code", "TaskFailedToStart"), fail["reason"], said=fail.get("containers"))
    definition = ecs._task_defs[ecs._resolve_td_key(task["taskDefinitionArn"])]
    container = definition["containerDefinitions"][0]
    try:
        secrets = ecs._resolve_container_secrets(container)
    except Exception as error:
        words = f"ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: {error}"
        return _ended(task, "TaskFailedToStart", words)
    now = ecs._iso()
    task.update(lastStatus="RUNNING", startedAt=now, pullStoppedAt=now)
    for entry in task["containers"]:
        entry["lastStatus"] = "RUNNING"
    if not behaviour.get("program"):
        return
    _process(task, container, secrets, behaviour)


def _process(task, container, secrets, behaviour):
    from ministack.core.responses import get_region
    from ministack.services import ecs

    number = task["taskArn"].split("/")[-1]
    environment = {entry["name"]: entry["value"] for entry in container.get("environment", [])}
    environment |= secrets
    environment |= {
        "ECS_CONTAINER_METADATA_URI_V4": f"http://169.254.170.2/v4/{number}",
        "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
        "AWS_REGION": get_region(),
        "AWS_DEFAULT_REGION": get_region(),
        # Fargate has none of EC2; the machine of the bed may.
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if behaviour.get("credentials"):
        environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = _credentials(task, behaviour["credentials"])
    command = [behaviour["program"], *container.get("command", [])]
    config = ecs._awslogs_config(container, number, number)
    process = subprocess.Popen(
        command, env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    _processes[number] = process
    written, killed = 0, False
    for line in process.stdout:
        text = line.rstrip("\n")
        if behaviour.get("replace"):
            text = text.replace(*behaviour["replace"])
        muted = written >= behaviour.get("mute", written + 1)
        if config and not killed and not muted and ecs._ensure_awslogs_stream(config):
            ecs._emit_awslogs_event(config, text)
        written += 1
        if written == behaviour.get("lines"):
            killed = True
            os.kill(process.pid, signal.SIGKILL)
    code = process.wait()
    _processes.pop(number, None)
    if "mute" in behaviour:
        return
    _ended(task, "EssentialContainerExited", "Essential container in task exited", exit_code=code if code >= 0 else 128 - code)


def _credentials(task, keys):
    """Gives a task's credentials out, until the bed ends; their address."""
    document = b"{}" if "status" in keys else json.dumps({
        "RoleArn": task.get("overrides", {}).get("taskRoleArn", ""), "AccessKeyId": keys["access_key"], "SecretAccessKey": keys["secret_key"],
        "Token": keys.get("session_token") or "", "Expiration": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600)),
    }).encode()  # fmt: skip

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(keys.get("status", 200))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(document)))
            self.end_headers()
            self.wfile.write(document)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_address[1]}/v2/credentials/{uuid.uuid4()}"


def install():
    from ministack.services import ecs

    actions = ecs._ACTION_MAP
    actions["RunTask"] = _run(_keep("RunTask", actions["RunTask"]))
    actions["RegisterTaskDefinition"] = _keep("RegisterTaskDefinition", actions["RegisterTaskDefinition"])
    actions["StopTask"] = _stop(actions["StopTask"])
