"""What the tasks of a service do over time: one thread that looks at every service thirty times a second.

- States of "Amazon ECS task lifecycle": PROVISIONING, PENDING, ACTIVATING, RUNNING, DEACTIVATING, STOPPING, DEPROVISIONING, STOPPED;
  stopCode and stoppedReason of API_Task and "Amazon ECS stopped task error messages"; containers with exitCode and reason.
- Rolling update within maximumPercent and minimumHealthyPercent ("Deploy Amazon ECS services by replacing tasks"): a deployment is
  COMPLETED when the wanted number of its tasks is healthy and no task of an older one is left.
- Circuit breaker ("How the Amazon ECS deployment circuit breaker detects failures", API_DeploymentCircuitBreaker): threshold,
  resetOnHealthyTask, FAILED with and without rollback. The rollback makes the last COMPLETED deployment's task definition PRIMARY
  again, as a deployment of its own.
- Service events in AWS's words ("Amazon ECS service event messages", and seen ones), awslogs streams prefix/container/task-id
  ("Send Amazon ECS logs to CloudWatch", awslogs-stream-prefix), one network interface a task, its address in the target groups.
Not imitated: placement, capacity, throttled restarts ("is unable to consistently start tasks" is said, the pause is the script's),
health checks that really run, CloudWatch alarms, EventBridge events. Times are short unless a script says otherwise.
"""

import datetime
import itertools
import logging
import threading
import time
import uuid

from . import ecs_scripts
from .ecs_services import LOCK, new_deployment

logger = logging.getLogger("bed.ecs")
TICK = 0.03
CALM = 0.3  # between two looks at a service in which nothing moves: many tests share a bed and leave their services in it
REMEMBERED = 3600
STARTING, ENDING = ("PROVISIONING", "PENDING", "ACTIVATING"), ("DEACTIVATING", "STOPPING", "DEPROVISIONING")
_addresses = itertools.count(1)
_target_states = {}  # (target group, address) → (state, reason, description)


def say(service, message, **names):
    from ministack.services import ecs

    primary = service["deployments"][0]["id"] if service["deployments"] else ""
    text = _filled(message, service=service["serviceName"], deployment=names.pop("deployment", primary), **names)
    service["events"].insert(0, {"id": str(uuid.uuid4()), "createdAt": ecs._iso(), "message": text})
    del service["events"][100:]  # API_Service: the 100 latest


def _filled(text, **names):
    for key, value in names.items():
        text = text.replace("{" + key + "}", str(value))
    return text


# --- one task


def start(service, deployment):
    from ministack.core.responses import get_account_id, get_region, new_uuid
    from ministack.services import ecs

    definition = ecs._task_defs[ecs._resolve_td_key(deployment["taskDefinition"])]
    cluster = service["clusterArn"].split("/")[-1]
    number = uuid.uuid4().hex
    arn = f"arn:aws:ecs:{get_region()}:{get_account_id()}:task/{cluster}/{number}"
    containers = ecs._build_task_containers(definition, [])
    for container in containers:
        container.update(taskArn=arn, lastStatus="PENDING", runtimeId=None, exitCode=None)
    launch, provider = ecs._task_capacity(service["launchType"], service["capacityProviderStrategy"])
    script = ecs_scripts.find(service, definition["taskDefinitionArn"], consume=True)
    checked = any(container.get("healthCheck") for container in definition["containerDefinitions"])
    task = {
        "taskArn": arn,
        "clusterArn": service["clusterArn"],
        "taskDefinitionArn": definition["taskDefinitionArn"],
        "overrides": {"containerOverrides": [], "inferenceAcceleratorOverrides": []},
        "lastStatus": "PROVISIONING",
        "desiredStatus": "RUNNING",
        "launchType": launch,
        "capacityProviderName": provider,
        "cpu": definition.get("cpu", "256"),
        "memory": definition.get("memory", "512"),
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "connectivity": "CONNECTED",
        "createdAt": ecs._iso(),
        "group": f"service:{service['serviceName']}",
        "startedBy": deployment["id"],
        "version": 1,
        "containers": containers,
        "attachments": [_interface(service, new_uuid())],
        "availabilityZone": f"{get_region()}a",
        "enableExecuteCommand": service["enableExecuteCommand"],
        "tags": [],
        "healthStatus": "UNKNOWN",
        "ephemeralStorage": definition.get("ephemeralStorage") or {"sizeInGiB": 20},
        "_deployment_id": deployment["id"],
        "_script": script,
        "_checked": checked,
        "_since": time.monotonic(),
        "_logged": 0,
        "_docker_ids": [],
    }
    address = {item["name"]: item["value"] for item in task["attachments"][0]["details"]}["privateIPv4Address"]
    for container in containers:
        container["networkInterfaces"] = [{"attachmentId": task["attachments"][0]["id"], "privateIpv4Address": address}]
    ecs._tasks[arn] = task
    tasks_of(service).append(task)
    return task


def _interface(service, number):
    address = next(_addresses)
    subnets = ((service.get("networkConfiguration") or {}).get("awsvpcConfiguration") or {}).get("subnets") or [""]
    details = {
        "subnetId": subnets[address % len(subnets)],
        "networkInterfaceId": f"eni-{number.replace('-', '')[:17]}",
        "macAddress": "0a:00:00:00:00:01",
        "privateIPv4Address": f"10.0.{address // 250 % 250}.{address % 250 + 4}",
    }
    details = [{"name": key, "value": value} for key, value in details.items()]
    return {"id": number, "type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details}


def _enter(task, status):
    from ministack.services import ecs

    now = ecs._iso()
    task.update(lastStatus=status, _since=time.monotonic(), version=task["version"] + 1)
    if status == "ACTIVATING":
        task["pullStartedAt"] = now
    if status == "RUNNING":
        task.update(startedAt=now, pullStoppedAt=now, connectivityAt=now, _running_since=time.monotonic())
        for container in task["containers"]:
            container.update(lastStatus="RUNNING", runtimeId=uuid.uuid4().hex[:12])
    if status == "STOPPED":
        task.update(stoppedAt=now, executionStoppedAt=task.get("executionStoppedAt") or now)
        for container in task["containers"]:
            container["lastStatus"] = "STOPPED"


def stop(task, code, reason, containers=None):
    from ministack.services import ecs

    if task["desiredStatus"] == "STOPPED":
        return
    now = ecs._iso()
    ran = task["lastStatus"] == "RUNNING"
    task.update(
        desiredStatus="STOPPED", stopCode=code, stoppedReason=reason, stoppingAt=now, healthStatus="UNKNOWN", _healthy=False
    )
    for container in task["containers"]:
        ending = (containers or {}).get(container["name"]) or (containers or {}).get("*") or {}
        if "exit_code" in ending:
            container["exitCode"] = ending["exit_code"]
        elif ran and containers is None:
            container["exitCode"] = 143  # SIGTERM, taken by the process
        if "reason" in ending:
            container["reason"] = ending["reason"]
    _enter(task, "DEACTIVATING" if ran else "STOPPING")


def _advance(service, task):
    """One task's next step, if its time has come. Returns True when it has stopped by itself just now."""
    script, status, passed = task["_script"], task["lastStatus"], time.monotonic() - task["_since"]
    if status in ENDING:
        if passed >= script["stopping"] / 3:
            _enter(task, (*ENDING, "STOPPED")[ENDING.index(status) + 1])
        return False
    ending = script.get("stop")
    place = (ending or {}).get("in", "RUNNING")
    # On a machine that has been busy elsewhere both may be due: a task that is to become healthy before its end becomes it.
    until = (ending or {}).get("after", 0)
    to_be_healthy = status == "RUNNING" and not (task.get("_healthy") or script.get("unhealthy")) and script["healthy"] < until
    if ending and status == place and passed >= until and not to_be_healthy:
        _write_logs(service, task, everything=True)
        names = {"service": service["serviceName"], "task": task["taskArn"].split("/")[-1], "deployment": task["_deployment_id"]}
        code = ending.get("code") or ("EssentialContainerExited" if place == "RUNNING" else "TaskFailedToStart")
        reason = ending.get("reason") or ("Essential container in task exited" if place == "RUNNING" else "Task failed to start")
        stop(task, code, _filled(reason, **names), ending.get("containers") or {})
        return True
    if status in STARTING:
        if passed >= script[status.lower()]:
            _enter(task, (*STARTING, "RUNNING")[STARTING.index(status) + 1])
    elif status == "RUNNING":
        _write_logs(service, task)
        if passed >= script["healthy"] and not script.get("unhealthy") and not task.get("_healthy"):
            task["_healthy"] = True
            if task["_checked"]:
                task["healthStatus"] = "HEALTHY"
                for container in task["containers"]:
                    container["healthStatus"] = "HEALTHY"
        elif passed >= script["healthy"] and script.get("unhealthy") and task["_checked"]:
            task["healthStatus"] = "UNHEALTHY"
            stop(task, "ServiceSchedulerInitiated", "Task failed container health checks", {"*": {"exit_code": 143}})
            return True
    return False


def _write_logs(service, task, everything=False):
    from ministack.services import ecs

    lines = task["_script"].get("logs")
    if not lines:
        return
    definition = ecs._task_defs.get(ecs._resolve_td_key(task["taskDefinitionArn"])) or {"containerDefinitions": []}
    passed = time.monotonic() - task.get("_running_since", task["_since"])
    number = task["taskArn"].split("/")[-1]
    written = task.setdefault("_written", {})
    for container in definition["containerDefinitions"]:
        own = lines.get(container["name"], []) if isinstance(lines, dict) else lines if container.get("essential", True) else []
        config = ecs._awslogs_config(container, number, number)
        first = written.get(container["name"], 0)
        for line in own[first:]:
            after, text = (line.get("after", 0), line["line"]) if isinstance(line, dict) else (0, line)
            if after > passed and not everything:
                break
            written[container["name"]] = written.get(container["name"], 0) + 1
            if config and ecs._ensure_awslogs_stream(config):
                ecs._emit_awslogs_event(config, _filled(text, service=service["serviceName"], task=number))


def release(service):
    """What its tasks still wait for by their scripts is over: they go on as tasks without a script, at once."""
    service.update(_not_before=0, _next_look=0)
    for deployment in service["deployments"]:
        deployment["_not_before"] = 0
    for task in tasks_of(service):
        task["_script"] = {**task["_script"], **ecs_scripts.DEFAULT}


# --- one service


def tasks_of(service):
    """Every task that the service still knows, oldest first. ECS forgets a stopped task after about an hour."""
    return service.setdefault("_tasks", [])


def _forget(service):
    from ministack.services import ecs

    for task in [t for t in tasks_of(service) if t["lastStatus"] == "STOPPED" and time.monotonic() - t["_since"] > REMEMBERED]:
        tasks_of(service).remove(task)
        ecs._tasks.pop(task["taskArn"], None)


def look_after(service):
    """One tick of one service."""
    from ministack.services import ecs

    tasks = [t for t in tasks_of(service) if t["lastStatus"] != "STOPPED"]
    for task in tasks:
        if _advance(service, task) and service["status"] == "ACTIVE":
            _count_failure(service, task)
    if service["status"] == "DRAINING":
        for task in tasks:
            stop(task, "ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {task['_deployment_id']})")
        if all(t["lastStatus"] == "STOPPED" for t in tasks):
            service.update(status="INACTIVE", deployments=[])
    else:
        _scripted_events(service)
        alive = [t for t in tasks if t["desiredStatus"] == "RUNNING"]
        _roll(service, alive, ending=len(tasks) - len(alive))
    if _recount(service) or service["status"] != "ACTIVE":
        ecs._recount_cluster(service["clusterArn"].split("/")[-1])
    _publish_targets(service)
    calm = service["status"] == "ACTIVE" and not tasks_waiting(service) and service["deployments"][0]["rolloutState"] == "COMPLETED"
    service["_next_look"] = time.monotonic() + (CALM if calm else 0)
    _forget(service)


def tasks_waiting(service):
    """Something will happen by itself: a task on its way, a scripted end, lines that are still to be written, a wrong number."""
    alive = [t for t in tasks_of(service) if t["lastStatus"] != "STOPPED"]
    if len(alive) != service["desiredCount"]:
        return True
    return any(
        t["lastStatus"] != "RUNNING" or not t.get("_healthy") or "stop" in t["_script"] or "logs" in t["_script"] for t in alive
    )


def _roll(service, alive, ending):
    primary, desired = service["deployments"][0], service["desiredCount"]
    if primary["rolloutState"] == "FAILED":
        desired = 0
    config = service["deploymentConfiguration"]
    most = max(desired, desired * int(config["maximumPercent"]) // 100) if desired else 0
    least = -(-desired * int(config["minimumHealthyPercent"]) // 100)
    new = [t for t in alive if t["_deployment_id"] == primary["id"]]
    old = [t for t in alive if t["_deployment_id"] != primary["id"]]
    healthy = [t for t in new if t.get("_healthy")]

    if len(new) > desired:
        _stop_some(service, primary, new[desired:])
    # Old tasks go as far as the minimum allows; all of them once the new ones stand.
    spare = len(healthy) + len(old) - least if len(healthy) < desired or primary["rolloutState"] == "FAILED" else len(old)
    room_needed = len(healthy) >= desired or len(new) + len(old) >= most
    if old and spare > 0 and room_needed and primary["rolloutState"] != "FAILED":
        leaving = old[: min(spare, len(old))]
        _stop_some(service, primary, leaving)
        old = [t for t in old if t not in leaving]
        ending += len(leaving)
    if time.monotonic() >= service.get("_not_before", 0):
        # One that is still stopping takes its place: with a maximum of 100 % two never run side by side.
        wanted = min(desired - len(new), most - len(new) - len(old) - ending)
        started = [start(service, primary) for _ in range(wanted)]
        if started:
            say(service, "(service {service}) has started " + f"{len(started)} tasks: {_named(started)}.")
            primary["updatedAt"] = started[0]["createdAt"]
    living = {t["_deployment_id"] for t in tasks_of(service) if t["lastStatus"] != "STOPPED"}
    _complete(service, primary, len(healthy), desired, living - {primary["id"]})
    # A deployment that failed is shown until its rollback is done.
    settled = primary["rolloutState"] != "IN_PROGRESS"
    service["deployments"] = [
        d for d in service["deployments"] if d is primary or d["id"] in living or (d["rolloutState"] == "FAILED" and not settled)
    ]


def _named(tasks):
    return " ".join(f"(task {task['taskArn'].split('/')[-1]})" for task in tasks)


def _stop_some(service, primary, tasks):
    for task in tasks:
        stop(task, "ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {primary['id']})")
    if service.get("loadBalancers"):
        say(service, "(service {service}) has begun draining connections on " + f"{len(tasks)} tasks.")
    say(service, "(service {service}) has stopped " + f"{len(tasks)} running tasks: {_named(tasks)}.")


def _complete(service, primary, healthy, desired, old):
    from ministack.services import ecs

    if (
        primary["rolloutState"] == "IN_PROGRESS"
        and healthy == desired
        and not old
        and time.monotonic() >= primary.get("_not_before", 0)
    ):
        primary.update(
            rolloutState="COMPLETED", rolloutStateReason=f"ECS deployment {primary['id']} completed.", updatedAt=ecs._iso()
        )
        service["_last_good"] = {
            "taskDefinition": primary["taskDefinition"],
            "request": dict(service["_request"]),
            "id": primary["id"],
        }
        say(service, "(service {service}) (deployment {deployment}) deployment completed.")
        say(service, "(service {service}) has reached a steady state.")
        service["_steady"] = True
    elif primary["rolloutState"] == "COMPLETED":
        steady = healthy == desired
        if steady and not service.get("_steady"):
            say(service, "(service {service}) has reached a steady state.")
        service["_steady"] = steady


def _count_failure(service, task):
    """A task that ended by itself, and what the circuit breaker makes of it."""
    from ministack.services import ecs

    primary = service["deployments"][0]
    service["_not_before"] = time.monotonic() + task["_script"]["restart"]
    number = task["taskArn"].split("/")[-1]
    if task["stopCode"] == "ServiceSchedulerInitiated":
        say(service, "(service {service}) (task {task}) failed container health checks.", task=number)
    if task["_deployment_id"] != primary["id"] or primary["rolloutState"] != "IN_PROGRESS":
        return
    breaker = service["deploymentConfiguration"].get("deploymentCircuitBreaker") or {}
    if task.get("_was_healthy") and breaker.get("resetOnHealthyTask", True):
        primary["failedTasks"] = 0  # a flapping task never trips the breaker
    else:
        primary["failedTasks"] += 1
    primary["updatedAt"] = ecs._iso()
    if primary["failedTasks"] == 3:
        say(
            service,
            "(service {service}) is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.",
        )
    if breaker.get("enable") and primary["failedTasks"] >= ecs._circuit_breaker_threshold(service):
        _break(service, primary, breaker.get("rollback"))


def _break(service, primary, rollback):

    primary.update(
        rolloutState="FAILED", rolloutStateReason="ECS deployment circuit breaker: tasks failed to start.", desiredCount=0
    )
    say(service, "(service {service}) (deployment {deployment}) deployment failed: tasks failed to start.")
    good = service.get("_last_good")
    if not rollback or not good:
        return
    primary["status"] = "ACTIVE"
    request = {**good["request"], "taskDefinition": good["taskDefinition"]}
    service.update(taskDefinition=good["taskDefinition"], _request=request)
    for key in ("networkConfiguration", "loadBalancers", "serviceRegistries", "capacityProviderStrategy"):
        if request.get(key) is not None:
            service[key] = request[key]
    back = new_deployment(service, request)
    old = next((d for d in service["deployments"] if d["id"] == good["id"]), None)
    if old:  # its tasks still run: they are the rolled back deployment's
        for task in tasks_of(service):
            if task["_deployment_id"] == old["id"]:
                task["_deployment_id"] = task["startedBy"] = back["id"]
        service["deployments"].remove(old)
    back["rolloutStateReason"] = f"ECS deployment circuit breaker: rolling back to deploymentId {good['id']}."
    back["_not_before"] = time.monotonic() + ecs_scripts.find(service, None)["rollback"]
    service["deployments"].insert(0, back)
    service["_rolled_back_from"] = primary["id"]
    primary["updatedAt"] = back["updatedAt"]
    say(service, "(service {service}) rolling back to deployment " + good["id"] + ".")


def _scripted_events(service):
    script, primary = ecs_scripts.find(service, service["taskDefinition"]), service["deployments"][0]
    begun = primary.setdefault("_begun", time.monotonic())
    said = primary.setdefault("_said", 0)
    for event in (script.get("events") or [])[said:]:
        if time.monotonic() - begun < event.get("after", 0):
            break
        primary["_said"] += 1
        say(service, event["message"])


def _recount(service):
    """Counts the tasks by state; True when a number changed."""
    tasks = tasks_of(service)
    running = [t for t in tasks if t["lastStatus"] == "RUNNING"]
    pending = [t for t in tasks if t["lastStatus"] in STARTING]
    before = service["runningCount"], service["pendingCount"]
    service.update(runningCount=len(running), pendingCount=len(pending))
    for task in running:
        if task.get("_healthy"):
            task["_was_healthy"] = True
    for deployment in service["deployments"]:
        deployment["runningCount"] = sum(t["_deployment_id"] == deployment["id"] for t in running)
        deployment["pendingCount"] = sum(t["_deployment_id"] == deployment["id"] for t in pending)
    return before != (len(running), len(pending))


def _publish_targets(service):
    from ministack.services import ecs

    before = {arn: set(ids) for arn, ids in (service.get("_published_targets") or {}).items()}
    ecs._sync_service_targets(service["clusterArn"].split("/")[-1], service)
    for balancer in service.get("loadBalancers") or []:
        group = balancer.get("targetGroupArn")
        now = set((service.get("_published_targets") or {}).get(group, ()))
        for verb, addresses in (("registered", now - before.get(group, set())), ("deregistered", before.get(group, set()) - now)):
            if addresses:
                say(service, "(service {service}) " + f"{verb} {len(addresses)} targets in (target-group {group})")
        for task in tasks_of(service):
            state = (
                ("healthy", "", "")
                if task.get("_healthy")
                else ("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
            )
            told = task["_script"].get("target_health") if "_script" in task else None
            if told:
                state = (
                    told.get("state", "unhealthy"),
                    told.get("reason", "Target.FailedHealthChecks"),
                    told.get("description", "Health checks failed"),
                )
            _target_states[group, ecs._task_ip(task)] = state


def target_state(group, address):
    return _target_states.get((group, address), ("healthy", "", ""))


# --- for CloudFormation


def stable(service, expected):
    """True when the deployment CloudFormation started is done, False while it isn't, "failed" when the circuit breaker ended it."""
    primary = service["deployments"][0] if service["deployments"] else {}
    failed = [d for d in service["deployments"] if d["id"] == expected and d["rolloutState"] == "FAILED"]
    if failed or (service.get("_rolled_back_from") == expected and expected):
        return "failed"
    return (
        primary.get("rolloutState") == "COMPLETED"
        and service["runningCount"] == service["desiredCount"]
        and len(service["deployments"]) == 1
    )


def _loop():
    from ministack.core.responses import request_scope
    from ministack.services import ecs

    while True:
        time.sleep(TICK)
        for (account, region, _), service in list(ecs._services.all_items()):
            if service.get("status") in ("ACTIVE", "DRAINING") and time.monotonic() >= service.get("_next_look", 0):
                try:
                    with LOCK, request_scope(account, region):
                        look_after(service)
                except Exception:
                    logger.exception("service %s", service.get("serviceName"))


def _epoch(value):
    """AWS's timestamps have milliseconds."""
    if not isinstance(value, str):
        return value
    return round(datetime.datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp(), 3)


def _locked(handler):
    def action(data):
        with LOCK:
            return handler(data)

    return action


def install():
    from ministack.services import ecs

    ecs._get_docker = lambda: None
    ecs._reconcile_service_tasks = lambda *_: None
    ecs._refresh_service_state = lambda *_: None
    ecs._record_service_task_failure = lambda *_, **__: None
    ecs._ts_to_epoch = _epoch
    for name, handler in list(ecs._ACTION_MAP.items()):
        ecs._ACTION_MAP[name] = _locked(handler)
    threading.Thread(target=_loop, daemon=True, name="bed-ecs").start()
