"""The ECS API for services (API_CreateService, API_UpdateService, API_DeleteService, API_Service): a service keeps every member of
the request, as DescribeServices must show it; ministack keeps a few.

Refused as AWS refuses it (seen texts; API_CreateService, Errors): a cluster or a task definition that doesn't exist or is inactive,
a name in use, a launch type together with a capacity provider strategy, awsvpc without a network configuration, a load balancer's
container name or port and a Service Connect port name that the task definition doesn't have, an unknown target group or namespace.
Not imitated: daemons, external and CODE_DEPLOY controllers, task sets, placement, service quotas.
"""

import copy
import json
import random
import threading

SHOWN = {  # what API_Service returns of a request as it was
    "serviceName", "desiredCount", "launchType", "capacityProviderStrategy", "platformVersion", "networkConfiguration", "loadBalancers",
    "serviceRegistries", "healthCheckGracePeriodSeconds", "schedulingStrategy", "deploymentController", "deploymentConfiguration",
    "enableECSManagedTags", "propagateTags", "enableExecuteCommand", "availabilityZoneRebalancing", "placementConstraints",
    "placementStrategy",
}  # fmt: skip
OF_DEPLOYMENT = {"serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations"}  # shown on the deployment only
REDEPLOYS = {  # "Updating an Amazon ECS service": changes that start a new deployment
    "taskDefinition", "networkConfiguration", "platformVersion", "loadBalancers", "serviceRegistries", "capacityProviderStrategy",
    "serviceConnectConfiguration", "volumeConfigurations", "vpcLatticeConfigurations", "propagateTags", "enableECSManagedTags",
    "enableExecuteCommand",
}  # fmt: skip
LOCK = threading.RLock()  # over services, deployments and tasks


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


def answering(function):
    def action(data):
        from ministack.core.responses import error_response_json

        with LOCK:
            try:
                return function(data)
            except Refused as refused:
                return error_response_json(refused.code, refused.message, 400)

    return action


def _answer(service):
    from ministack.core.responses import json_response
    from ministack.services import ecs

    return json_response({"service": ecs._sanitize(service)})


def _cluster(reference):
    from ministack.services import ecs

    name = ecs._resolve_cluster_name(reference or "default")
    if name not in ecs._clusters:
        raise Refused("ClusterNotFoundException", "Cluster not found.")
    return name


def _task_definition(reference):
    from ministack.services import ecs

    definition = ecs._task_defs.get(ecs._resolve_td_key(reference or ""))
    if definition is None:
        raise Refused("ClientException", "TaskDefinition not found.")
    if definition["status"] != "ACTIVE":
        raise Refused("ClientException", "TaskDefinition is inactive")
    return definition


def find(data):
    from ministack.services import ecs

    cluster = _cluster(data.get("cluster"))
    reference = ecs._resolve_service_ref(data.get("service") or "")
    key = f"{cluster}/{reference[0]}" if reference else ""
    service = ecs._services.get(key)
    if service is None:
        raise Refused("ServiceNotFoundException", "Service not found.")
    if service["status"] != "ACTIVE":
        raise Refused("ServiceNotActiveException", "Service was not ACTIVE.")
    service["_next_look"] = 0
    return key, service


def _check(data, definition):
    if data.get("launchType") and data.get("capacityProviderStrategy"):
        raise Refused(
            "InvalidParameterException",
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.",
        )
    if definition.get("networkMode") == "awsvpc" and not (data.get("networkConfiguration") or {}).get("awsvpcConfiguration"):
        raise Refused("InvalidParameterException", "Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    containers = {container["name"]: container for container in definition["containerDefinitions"]}
    for balancer in data.get("loadBalancers") or []:
        _check_balancer(balancer, containers)
    names = {port.get("name") for container in containers.values() for port in container.get("portMappings") or []}
    connect = data.get("serviceConnectConfiguration") or {}
    if connect.get("enabled"):
        if connect.get("namespace"):
            _check_namespace(connect["namespace"])
        for service in connect.get("services") or []:
            if service.get("portName") not in names:
                raise Refused(
                    "InvalidParameterException",
                    f"portName '{service.get('portName')}' does not refer to any named PortMapping in the task definition.",
                )


def _check_balancer(balancer, containers):
    from ministack.services import alb

    name, port = balancer.get("containerName"), balancer.get("containerPort")
    if name not in containers:
        raise Refused("InvalidParameterException", f"The container {name} does not exist in the task definition.")
    if port not in [mapping.get("containerPort") for mapping in containers[name].get("portMappings") or []]:
        raise Refused("InvalidParameterException", f"The container {name} did not have a container port {port} defined.")
    group = balancer.get("targetGroupArn")
    if not group:
        return
    if not _has_listener(group):
        raise Refused(
            "InvalidParameterException", f"The target group with targetGroupArn {group} does not have an associated load balancer."
        )
    if alb._tgs[group].get("TargetType") == "instance":
        raise Refused(
            "InvalidParameterException",
            f"The provided target group {group} has target type instance, which is incompatible with the awsvpc network mode specified in the task definition.",
        )


def _has_listener(group):
    """A service can be made once a listener or a rule forwards to its target group: templates need a DependsOn for it."""
    from ministack.services import alb

    if group not in alb._tgs:
        return False
    stores = (alb._listeners.values(), alb._rules.values())
    return any(group in json.dumps(entry, default=str) for store in stores for entry in store)


def _check_namespace(reference):
    from ministack.services import servicediscovery

    for namespace in servicediscovery._namespaces.values():
        if reference in (namespace.get("Name"), namespace.get("Arn"), namespace.get("Id")):
            return
    raise Refused("NamespaceNotFoundException", "Namespace not found.")


def new_deployment(service, data):
    from ministack.services import ecs

    now, number = ecs._iso(), f"ecs-svc/{random.randrange(10**18, 10**19)}"
    service["_not_before"] = 0  # what was put off after failures was an older deployment's
    deployment = {
        "id": number,
        "status": "PRIMARY",
        "taskDefinition": service["taskDefinition"],
        "desiredCount": service["desiredCount"],
        "pendingCount": 0,
        "runningCount": 0,
        "failedTasks": 0,
        "createdAt": now,
        "updatedAt": now,
        "platformVersion": "1.4.0",
        "platformFamily": "Linux",
        "networkConfiguration": service.get("networkConfiguration"),
        "rolloutState": "IN_PROGRESS",
        "rolloutStateReason": f"ECS deployment {number} in progress.",
    }
    for key in ("launchType", "capacityProviderStrategy"):
        if service.get(key):
            deployment[key] = service[key]
    for key in OF_DEPLOYMENT:
        if data.get(key):
            deployment[key] = copy.deepcopy(data[key])
    return deployment


@answering
def create(data):
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import ecs

    cluster, name = _cluster(data.get("cluster")), data.get("serviceName")
    if not name:
        raise Refused("InvalidParameterException", "Service name cannot be empty")
    key = f"{cluster}/{name}"
    known = ecs._services.get(key)
    if known and known["status"] == "ACTIVE":
        raise Refused("InvalidParameterException", "Creation of service was not idempotent.")
    if known and known["status"] == "DRAINING":
        raise Refused("InvalidParameterException", "Unable to Start a service that is still Draining.")
    definition = _task_definition(data.get("taskDefinition"))
    _check(data, definition)
    launch, strategy, refusal = ecs._launch_choice(data, ecs._clusters[cluster])
    if refusal:
        return refusal
    account, now = get_account_id(), ecs._iso()
    breaker = {"enable": False, "rollback": False}
    deployment_configuration = {
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "deploymentCircuitBreaker": breaker,
        "strategy": "ROLLING",
    }
    service = {
        "serviceArn": f"arn:aws:ecs:{get_region()}:{account}:service/{key}",
        "clusterArn": ecs._clusters[cluster]["clusterArn"],
        "status": "ACTIVE",
        "desiredCount": 1,
        "runningCount": 0,
        "pendingCount": 0,
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "enableECSManagedTags": False,
        "propagateTags": "NONE",
        "enableExecuteCommand": False,
        "loadBalancers": [],
        "serviceRegistries": [],
        "healthCheckGracePeriodSeconds": 0,
        "createdAt": now,
        "createdBy": f"arn:aws:iam::{account}:root",
        "roleArn": data.get("role") or f"arn:aws:iam::{account}:role/aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS",
        "platformFamily": "Linux",
        **{name: copy.deepcopy(data[name]) for name in SHOWN if data.get(name) is not None},
        "platformVersion": data.get("platformVersion") or "LATEST",
        "launchType": launch,
        "capacityProviderStrategy": strategy,
        "deploymentConfiguration": {**deployment_configuration, **(data.get("deploymentConfiguration") or {})},
        "taskDefinition": definition["taskDefinitionArn"],
        "tags": data.get("tags") or [],
        "events": [],
        "_request": {name: data.get(name) for name in REDEPLOYS},
    }
    service["deployments"] = [new_deployment(service, data)]
    ecs._services[key] = service
    if service["tags"]:
        ecs._tags[service["serviceArn"]] = list(service["tags"])
    return _answer(service)


@answering
def update(data):
    _, service = find(data)
    if data.get("taskDefinition"):
        data = {**data, "taskDefinition": _task_definition(data["taskDefinition"])["taskDefinitionArn"]}
    before = {**service["_request"], "taskDefinition": service["taskDefinition"]}
    wanted = {**before, **{key: data[key] for key in REDEPLOYS if key in data}}
    launch = {"launchType": service["launchType"]} if not wanted["capacityProviderStrategy"] else {}
    _check({**wanted, **launch}, _task_definition(wanted["taskDefinition"]))
    for key in SHOWN & set(data):
        service[key] = copy.deepcopy(data[key])
    if "deploymentConfiguration" in data:
        service["deploymentConfiguration"] = {
            "maximumPercent": 200,
            "minimumHealthyPercent": 100,
            "strategy": "ROLLING",
            **data["deploymentConfiguration"],
        }
    if data.get("capacityProviderStrategy"):
        service["launchType"] = None
    service["taskDefinition"], service["_request"] = wanted["taskDefinition"], wanted
    primary = service["deployments"][0]
    if data.get("forceNewDeployment") or any(wanted[key] != before[key] for key in REDEPLOYS):
        primary["status"] = "ACTIVE"
        service["deployments"].insert(0, new_deployment(service, wanted))
    else:
        primary["desiredCount"] = service["desiredCount"]
    return _answer(service)


@answering
def delete(data):
    _, service = find(data)
    if not data.get("force") and service["desiredCount"] > 0:
        raise Refused("InvalidParameterException", "The service cannot be stopped while it is scaled above 0.")
    service.update(status="DRAINING", desiredCount=0)
    for deployment in service["deployments"]:
        deployment["desiredCount"] = 0
    return _answer(service)


def install():
    from ministack.services import ecs

    ecs._ACTION_MAP.update(CreateService=create, UpdateService=update, DeleteService=delete)
    ecs._create_service, ecs._update_service, ecs._delete_service = create, update, delete
