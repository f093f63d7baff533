"""AWS::ECS::TaskDefinition and AWS::ECS::Service (Template Reference), through the ECS API as their real handlers do it.

Properties become the API's request by the API's own model (botocore), name by name whatever its case, so that nothing is dropped:
secrets, health checks, stop timeouts, registries, Service Connect, deployment configuration. Refused when registered, in AWS's words
where they are known ("Amazon ECS task definition parameters for Fargate"; "Troubleshoot … invalid CPU or memory"): CPU and memory that
Fargate doesn't have, Fargate without awsvpc, secrets or the awslogs driver without an execution role on Fargate, a stop timeout over
120 s, a container without name or image, two with one name. Ref of a service is its ARN, of a task definition its ARN with revision.
Not imitated: drift, imports, ForceNewDeployment with a nonce (taken as a new deployment whenever it changes), Active Directory.
"""

import functools
import hashlib
import json
import random
import string
import time

from . import ecs_scripts, ecs_services, ecs_tasks
from .operations import STABILISERS, HandlerError

FARGATE = {  # vCPU units → MiB, "Task size", task definition parameters for Fargate
    "256": [512, 1024, 2048],
    "512": range(1024, 4097, 1024),
    "1024": range(2048, 8193, 1024),
    "2048": range(4096, 16385, 1024),
    "4096": range(8192, 30721, 1024),
    "8192": range(16384, 61441, 4096),
    "16384": range(32768, 122881, 8192),
    "32768": [61440, 122880, 249856],
}


@functools.cache
def _model():
    import botocore.loaders
    import botocore.model

    return botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ecs", "service-2"))


def request_of(operation, properties):
    """The API's request for a resource's properties."""
    return _to_api(_model().operation_model(operation).input_shape, properties)


def _to_api(shape, value):
    if shape.type_name == "structure" and isinstance(value, dict):
        names = {name.lower(): name for name in shape.members}
        return {
            names[key.lower()]: _to_api(shape.members[names[key.lower()]], item)
            for key, item in value.items()
            if key.lower() in names
        }
    if shape.type_name == "list" and isinstance(value, list):
        return [_to_api(shape.member, item) for item in value]
    if shape.type_name == "map" and isinstance(value, dict):
        return {str(key): _to_api(shape.value, item) for key, item in value.items()}
    return value


def _call(action, request, operation="InvalidRequest"):
    status, _, body = action(request)
    answer = json.loads(body)
    if status >= 400:
        code, message = answer.get("__type", ""), answer.get("message", "")
        missing = "NotFound" in code or "not found" in message
        exists = "idempotent" in message
        kind = "NotFound" if missing else "AlreadyExists" if exists else operation
        raise HandlerError(
            f"{message} (Service: AmazonECS; Status Code: {status}; Error Code: {code}; Request ID: {_token()}; Proxy: null)", kind
        )
    return answer


def _token():
    import uuid

    return str(uuid.uuid4())


def _random_name(stack_name, logical_id):
    """ "…the stack's name, the logical ID and a random suffix" (Name type, Template Reference)."""
    return f"{stack_name}-{logical_id}-{''.join(random.choices(string.ascii_letters + string.digits, k=12))}"


# --- task definitions


def _check_task_definition(request):
    containers, role = request.get("containerDefinitions") or [], request.get("executionRoleArn")
    names = [container.get("name") for container in containers]
    fargate = "FARGATE" in (request.get("requiresCompatibilities") or [])
    if not containers:
        return "Container list cannot be empty."
    if not all(names) or not all(container.get("image") for container in containers):
        return "Container.name and Container.image should not be null or empty."
    if len(set(names)) < len(names):
        return "Container names must be unique."
    if any(container.get("secrets") for container in containers) and not role:
        return "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
    for container in containers:
        if int(container.get("stopTimeout") or 0) > 120 and fargate:
            return "The stopTimeout value must be less than or equal to 120 seconds."
        if "healthCheck" in container and not 5 <= int(container["healthCheck"].get("interval", 30)) <= 300:
            return "The health check interval must be between 5 and 300 seconds."
    if not fargate:
        return None
    if request.get("networkMode") != "awsvpc":
        return "Fargate only supports network mode ‘awsvpc’."
    for size in ("cpu", "memory"):
        if not request.get(size):
            return f"Fargate requires that '{size}' be defined at the task level."
    if int(request["memory"]) not in FARGATE.get(str(request["cpu"]), ()):
        return "No Fargate configuration exists for given values."
    if not role and any((container.get("logConfiguration") or {}).get("logDriver") == "awslogs" for container in containers):
        return "Fargate requires task definition to have execution role ARN to support log driver awslogs."
    return None


def _create_task_definition(logical_id, properties, stack_name):
    from ministack.services import ecs

    request = request_of("RegisterTaskDefinition", properties)
    # One family for a stack's task definition: the next one is its next revision.
    suffix = hashlib.sha256(f"{stack_name}/{logical_id}".encode()).hexdigest()[:12]
    request.setdefault("family", f"{stack_name}-{logical_id}-{suffix}")
    arn = _call(ecs._ACTION_MAP["RegisterTaskDefinition"], request)["taskDefinition"]["taskDefinitionArn"]
    return arn, {"TaskDefinitionArn": arn}


def _wrap_register(original):
    def register(request):
        from ministack.core.responses import error_response_json
        from ministack.services import ecs

        problem = _check_task_definition(request)
        if problem:
            return error_response_json("ClientException", problem, 400)
        answer = original(request)
        if answer[0] == 200:
            definition = ecs._task_defs[ecs._resolve_td_key(request["family"])]
            definition.update(
                {key: value for key, value in request.items() if key not in ("tags", "family", "containerDefinitions")}
            )
            for container in definition["containerDefinitions"]:
                for key in ("environment", "mountPoints", "volumesFrom", "portMappings", "systemControls"):
                    container.setdefault(key, [])
                for port in container["portMappings"]:
                    port.setdefault("protocol", "tcp")
                    if definition["networkMode"] == "awsvpc":
                        port.setdefault("hostPort", port["containerPort"])
            for key in ("executionRoleArn", "taskRoleArn", "pidMode", "ipcMode"):
                if not definition.get(key):
                    definition.pop(key, None)
            answer = ecs.json_response({"taskDefinition": ecs._sanitize(definition), "tags": request.get("tags") or []})
        return answer

    return register


def _update_task_definition(physical_id, old, new, stack_name, logical_id=None):
    from ministack.services.cloudformation import provisioners

    return provisioners._ecs_task_def_update(physical_id, old, new, stack_name, logical_id)


def _delete_task_definition(physical_id, properties):
    from ministack.services import ecs

    ecs._ACTION_MAP["DeregisterTaskDefinition"]({"taskDefinition": physical_id})


# --- services


def _create_service(logical_id, properties, stack_name):
    request = request_of("CreateService", properties)
    request.setdefault("serviceName", _random_name(stack_name, logical_id))
    service = _call(ecs_services.create, request)["service"]
    return service["serviceArn"], _attributes(service, expect=True)


def _attributes(service, expect):
    stored = _stored(service["serviceArn"])
    stored["_expected"] = service["deployments"][0]["id"] if expect else None
    stored["_waiting_since"] = time.monotonic()
    return {"ServiceArn": service["serviceArn"], "Name": service["serviceName"]}


def _stored(physical_id):
    from ministack.services import ecs

    cluster, name = physical_id.split("/")[-2:]
    return ecs._services.get(f"{cluster}/{name}")


def _update_service(physical_id, old, new, stack_name, logical_id=None):
    cluster, name = physical_id.split("/")[-2:]
    changed = {key: value for key, value in new.items() if value != old.get(key) and key != "Tags"}
    request = request_of("UpdateService", changed)
    for key in set(old) - set(new):  # taken out of the template: back to the default, where the API has a way to say so
        default = {"LoadBalancers": [], "ServiceRegistries": [], "CapacityProviderStrategy": [], "HealthCheckGracePeriodSeconds": 0,
                   "EnableExecuteCommand": False, "ServiceConnectConfiguration": {"enabled": False},
                   "DeploymentConfiguration": {}}.get(key)  # fmt: skip
        if default is not None:
            request[key[0].lower() + key[1:]] = default
    if "ForceNewDeployment" in changed:
        request["forceNewDeployment"] = True
    _retag(physical_id, old, new)
    if not request:
        return physical_id, _attributes(_stored(physical_id), expect=False)
    before = _stored(physical_id)["deployments"][0]["id"]
    service = _call(ecs_services.update, {**request, "cluster": cluster, "service": name})["service"]
    return physical_id, _attributes(service, expect=service["deployments"][0]["id"] != before)


def _retag(physical_id, old, new):
    from ministack.services import ecs
    from ministack.services.cloudformation import provisioners

    service = _stored(physical_id)
    tags = ecs._tags.setdefault(physical_id, list(service["tags"]))
    provisioners._reconcile_tag_list(tags, old, new, key="key", value="value")
    service["tags"] = list(tags)


def _delete_service(physical_id, properties):
    """Returns when the service has drained: until then the cluster and the namespace can't go either."""
    service = _stored(physical_id)
    if service is None or service["status"] == "INACTIVE":
        return
    cluster, name = physical_id.split("/")[-2:]
    if service["status"] == "ACTIVE":
        _call(ecs_services.delete, {"cluster": cluster, "service": name, "force": True})
    until = time.monotonic() + 60
    while service["status"] != "INACTIVE" and time.monotonic() < until:
        time.sleep(0.05)


def _stable(physical_id):
    """CloudFormation's view of a service. Seen: "ECS Deployment Circuit Breaker was triggered", "Exceeded attempts to wait"; without a
    breaker it waits three hours (repost.aws knowledge center, "cloudformation-ecs-service-stabilize")."""
    service = _stored(physical_id)
    if service is None or service["status"] != "ACTIVE":
        raise HandlerError("Service was not ACTIVE.", "NotStabilized")
    script = ecs_scripts.find(service, service["taskDefinition"])
    state = ecs_tasks.stable(service, service.get("_expected"))
    if state == "failed":
        if script.get("breaker_is_success"):
            return service["deployments"][0]["rolloutState"] in ("COMPLETED", "FAILED")
        raise HandlerError(
            "Error occurred during operation 'ECS Deployment Circuit Breaker was triggered'.", "GeneralServiceException"
        )
    if not state and time.monotonic() - service["_waiting_since"] > script["timeout"]:
        raise HandlerError("Exceeded attempts to wait", "NotStabilized")
    return state


def install():
    from ministack.services import ecs
    from ministack.services.cloudformation import provisioners

    register = _wrap_register(ecs._register_task_definition)
    ecs._register_task_definition = ecs._ACTION_MAP["RegisterTaskDefinition"] = register
    provisioners._RESOURCE_HANDLERS.update({
        "AWS::ECS::TaskDefinition": {
            "create": _create_task_definition, "update": _update_task_definition, "update_with_logical_id": True,
            "delete": _delete_task_definition,
        },
        "AWS::ECS::Service": {
            "create": _create_service, "update": _update_service, "update_with_logical_id": True, "delete": _delete_service,
        },
    })  # fmt: skip
    provisioners._STACK_TAG_PROPERTY["AWS::ECS::TaskDefinition"] = ("Tags", "list")
    provisioners._CUSTOM_NAME_REPLACEMENT["AWS::ECS::Service"] = {"name": "ServiceName"}
    STABILISERS["AWS::ECS::Service"] = _stable
