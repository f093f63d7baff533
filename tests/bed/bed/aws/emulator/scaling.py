"""Application Auto Scaling: the API (API_RegisterScalableTarget, API_DescribeScalableTargets, API_PutScalingPolicy,
API_DescribeScalingPolicies, API_PutScheduledAction, …; JSON 1.1, target AnyScaleFrontendService) and the resource types
AWS::ApplicationAutoScaling::ScalableTarget and ::ScalingPolicy (Template Reference).

Ref of a target is `ResourceId|ScalableDimension|ServiceNamespace`, of a policy its ARN. Scheduled actions of a target are kept with it.
A target of ECS needs an existing service, a policy needs its target. Not imitated: scaling itself (a test sets the desired count), the
alarms of target tracking (their names are shown, nothing stands behind them), other namespaces' checks.
"""

import contextlib
import functools
import json
import uuid

from .operations import HandlerError

# Stores of ministack's kind, so that accounts and regions don't meet; made in install(), when ministack is there.
STORES = {}


class Refused(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code, self.message = code, message


def _scope():
    from ministack.core.responses import get_account_id, get_region

    return get_region(), get_account_id()


def _key(data):
    return f"{data['ResourceId']}|{data['ScalableDimension']}|{data['ServiceNamespace']}"


def _now():
    import time

    return round(time.time(), 3)


def register(data):
    targets = STORES["targets"]
    target = targets.get(_key(data))
    _check_resource(data)
    if target is None:
        for bound in ("MinCapacity", "MaxCapacity"):
            if bound not in data:
                raise Refused(
                    "ValidationException", f"{bound} is required for registering a new scalable target"
                )  # API: "required when you register"
        region, account = _scope()
        target = {
            **{key: data[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")},
            "RoleARN": data.get("RoleARN")
            or f"arn:aws:iam::{account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_ECSService",
            "CreationTime": _now(),
            "SuspendedState": {
                "DynamicScalingInSuspended": False,
                "DynamicScalingOutSuspended": False,
                "ScheduledScalingSuspended": False,
            },
            "ScalableTargetARN": f"arn:aws:application-autoscaling:{region}:{account}:scalable-target/{uuid.uuid4().hex[:36]}",
        }
    target = {**target, **{key: data[key] for key in ("MinCapacity", "MaxCapacity", "SuspendedState") if key in data}}
    if target["MinCapacity"] > target["MaxCapacity"]:
        raise Refused("ValidationException", "Maximum capacity cannot be less than minimum capacity")
    targets[_key(data)] = target
    return {"ScalableTargetARN": target["ScalableTargetARN"]}


def _check_resource(data):
    from ministack.services import ecs

    if data["ServiceNamespace"] != "ecs":
        return
    parts = data["ResourceId"].split("/")
    service = ecs._services.get("/".join(parts[1:])) if len(parts) == 3 and parts[0] == "service" else None
    if service is None or service["status"] != "ACTIVE":
        raise Refused("ValidationException", f"ECS service doesn't exist: {data['ResourceId']}")


def _target(data):
    target = STORES["targets"].get(_key(data))
    if target is None:
        raise Refused(
            "ObjectNotFoundException",
            f"No scalable target found for service namespace: {data['ServiceNamespace']}, resource ID: {data['ResourceId']}, scalable dimension: {data['ScalableDimension']}",
        )
    return target


def deregister(data):
    _target(data)
    key = _key(data)
    del STORES["targets"][key]
    for store in ("policies", "actions"):
        for name in [name for name, entry in STORES[store].items() if _key(entry) == key]:
            del STORES[store][name]
    return {}


def _chosen(store, data, ids="ResourceIds"):
    names = data.get("PolicyNames") or data.get("ScheduledActionNames")
    for entry in list(STORES[store].values()):
        wanted = data.get(ids) or ([data["ResourceId"]] if data.get("ResourceId") else None)
        if entry["ServiceNamespace"] != data["ServiceNamespace"] or (wanted and entry["ResourceId"] not in wanted):
            continue
        if data.get("ScalableDimension") not in (None, entry["ScalableDimension"]):
            continue
        if names and (entry.get("PolicyName") or entry.get("ScheduledActionName")) not in names:
            continue
        yield entry


def put_policy(data):
    _target(data)
    region, account = _scope()
    key = f"{_key(data)}|{data['PolicyName']}"
    old = STORES["policies"].get(key)
    arn = (
        old["PolicyARN"]
        if old
        else f"arn:aws:autoscaling:{region}:{account}:scalingPolicy:{uuid.uuid4()}:resource/ecs/{data['ResourceId']}:policyName/{data['PolicyName']}"
    )
    policy = {
        "PolicyType": "StepScaling",
        **{k: v for k, v in data.items() if v is not None},
        "PolicyARN": arn,
        "CreationTime": old["CreationTime"] if old else _now(),
        "Alarms": [],
    }
    if policy["PolicyType"] == "TargetTrackingScaling":
        for way in ("AlarmHigh", "AlarmLow"):
            name = f"TargetTracking-{data['ResourceId']}-{way}-{uuid.uuid4()}"
            policy["Alarms"].append({"AlarmName": name, "AlarmARN": f"arn:aws:cloudwatch:{region}:{account}:alarm:{name}"})
    STORES["policies"][key] = policy
    return {"PolicyARN": arn, "Alarms": policy["Alarms"]}


def delete_policy(data):
    key = f"{_key(data)}|{data['PolicyName']}"
    if STORES["policies"].pop(key, None) is None:
        raise Refused(
            "ObjectNotFoundException",
            f"No scaling policy found for service namespace: {data['ServiceNamespace']}, resource ID: {data['ResourceId']}, scalable dimension: {data['ScalableDimension']}, policy name: {data['PolicyName']}",
        )
    return {}


def put_action(data):
    _target(data)
    region, account = _scope()
    key = f"{_key(data)}|{data['ScheduledActionName']}"
    arn = f"arn:aws:autoscaling:{region}:{account}:scheduledAction:{uuid.uuid4()}:resource/ecs/{data['ResourceId']}:scheduledActionName/{data['ScheduledActionName']}"
    STORES["actions"][key] = {**data, "ScheduledActionARN": arn, "CreationTime": _now()}
    return {}


def delete_action(data):
    if STORES["actions"].pop(f"{_key(data)}|{data['ScheduledActionName']}", None) is None:
        raise Refused("ObjectNotFoundException", f"No scheduled action found for resource ID: {data['ResourceId']}")
    return {}


ACTIONS = {
    "RegisterScalableTarget": register,
    "DeregisterScalableTarget": deregister,
    "DescribeScalableTargets": lambda data: {"ScalableTargets": list(_chosen("targets", data))},
    "PutScalingPolicy": put_policy,
    "DeleteScalingPolicy": delete_policy,
    "DescribeScalingPolicies": lambda data: {"ScalingPolicies": list(_chosen("policies", data))},
    "PutScheduledAction": put_action,
    "DeleteScheduledAction": delete_action,
    "DescribeScheduledActions": lambda data: {"ScheduledActions": list(_chosen("actions", data))},
    "DescribeScalingActivities": lambda data: {"ScalingActivities": []},
}


def answer(action, body):
    """Status and JSON for one request, in the caller's account and region."""
    function = ACTIONS.get(action)
    if function is None:
        return 400, {"__type": "UnknownOperationException", "message": f"{action} is not imitated"}
    try:
        return 200, function(json.loads(body or b"{}"))
    except Refused as refused:
        return 400, {"__type": refused.code, "message": refused.message}
    except KeyError as missing:
        return 400, {
            "__type": "ValidationException",
            "message": f"1 validation error detected: Value at {missing} failed to satisfy constraint: Member must not be null",
        }


# --- resource types


def _handled(function):
    @functools.wraps(function)
    def handler(*arguments, **keywords):
        try:
            return function(*arguments, **keywords)
        except Refused as refused:
            code = "NotFound" if refused.code == "ObjectNotFoundException" else "InvalidRequest"
            raise HandlerError(
                f"{refused.message} (Service: ApplicationAutoScaling, Status Code: 400, Request ID: {uuid.uuid4()})", code
            ) from None

    return handler


def _split(physical_id):
    resource, dimension, namespace = physical_id.split("|")[:3]
    return {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}


@_handled
def _create_target(logical_id, properties, stack_name):
    register(properties)
    for action in properties.get("ScheduledActions") or []:
        put_action({**_split(_key(properties)), **action})
    return _key(properties), {"Id": _key(properties)}


@_handled
def _update_target(physical_id, old, new, stack_name):
    register(new)
    for action in old.get("ScheduledActions") or []:
        STORES["actions"].pop(f"{physical_id}|{action['ScheduledActionName']}", None)
    for action in new.get("ScheduledActions") or []:
        put_action({**_split(physical_id), **action})
    return physical_id, {"Id": physical_id}


def _delete_target(physical_id, properties):
    with contextlib.suppress(Refused):  # gone already, with its service
        deregister(_split(physical_id))


def _policy_request(properties):
    place = _split(properties["ScalingTargetId"]) if properties.get("ScalingTargetId") else {}
    request = {**{k: v for k, v in properties.items() if k != "ScalingTargetId"}, **place}
    for name in ("TargetTrackingScalingPolicyConfiguration", "StepScalingPolicyConfiguration"):
        if name in request:  # the API's name has no "Scaling…" repeated: TargetTrackingScalingPolicyConfiguration is the same there
            request[name] = json.loads(json.dumps(request[name]))
    return request


@_handled
def _create_policy(logical_id, properties, stack_name):
    arn = put_policy(_policy_request(properties))["PolicyARN"]
    return arn, {"Arn": arn}


@_handled
def _update_policy(physical_id, old, new, stack_name):
    return put_policy(_policy_request(new))["PolicyARN"], {"Arn": physical_id}


def _delete_policy(physical_id, properties):
    for key, policy in list(STORES["policies"].items()):
        if policy["PolicyARN"] == physical_id:
            del STORES["policies"][key]


def reset():
    for store in STORES.values():
        store.clear()


def install():
    from ministack.core.responses import AccountRegionScopedDict
    from ministack.services.cloudformation import provisioners

    STORES.update(targets=AccountRegionScopedDict(), policies=AccountRegionScopedDict(), actions=AccountRegionScopedDict())
    provisioners._RESOURCE_HANDLERS.update({
        "AWS::ApplicationAutoScaling::ScalableTarget": {"create": _create_target, "update": _update_target, "delete": _delete_target},
        "AWS::ApplicationAutoScaling::ScalingPolicy": {"create": _create_policy, "update": _update_policy, "delete": _delete_policy},
    })  # fmt: skip
