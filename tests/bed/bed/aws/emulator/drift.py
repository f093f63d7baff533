"""Drift of the types that matter here ("Detect unmanaged configuration changes … with drift detection", User Guide; "Resource type
support", which has AWS::ECS::Service, AWS::ECS::TaskDefinition, AWS::EC2::SecurityGroup and its rules).

A service's counts, task definition, grace period and exec flag are compared; task definitions, groups and rules are there or not.
"""


def _service(physical_id, properties):
    from . import ecs_types

    service = ecs_types._stored(physical_id)
    if service is None or service["status"] != "ACTIVE":
        return None
    return {
        "DesiredCount": service["desiredCount"],
        "TaskDefinition": service["taskDefinition"],
        "HealthCheckGracePeriodSeconds": service["healthCheckGracePeriodSeconds"],
        "EnableExecuteCommand": service["enableExecuteCommand"],
    }


def _task_definition(physical_id, properties):
    from ministack.services import ecs

    definition = ecs._task_defs.get(ecs._resolve_td_key(physical_id))
    return {} if definition and definition["status"] == "ACTIVE" else None


def _group(physical_id, properties):
    from ministack.services import ec2

    return {} if physical_id in ec2._security_groups else None


def _rule(place):
    def read(physical_id, properties):
        from ministack.services import ec2

        from . import ec2_types

        group = ec2._security_groups.get(properties["GroupId"]) or {}
        wanted = ec2_types._bare(ec2_types._permission(properties))
        return {} if any(ec2_types._bare(rule) == wanted for rule in group.get(place, [])) else None

    return read


def _secret(original):
    def read(physical_id, properties):
        from . import small_fixes

        return original(small_fixes.secret_name(physical_id), properties)

    return read


def install():
    from ministack.services.cloudformation import drift

    from .ec2_types import SIDES

    readers = drift._DRIFT_READERS
    compared = frozenset({"DesiredCount", "TaskDefinition", "HealthCheckGracePeriodSeconds", "EnableExecuteCommand"})
    readers["AWS::ECS::Service"] = (_service, compared)
    readers["AWS::ECS::TaskDefinition"] = (_task_definition, frozenset())
    readers["AWS::EC2::SecurityGroup"] = (_group, frozenset())
    for side, place in SIDES.items():
        readers[f"AWS::EC2::SecurityGroup{side}"] = (_rule(place), frozenset())
    read, properties = readers["AWS::SecretsManager::Secret"]
    readers["AWS::SecretsManager::Secret"] = (_secret(read), properties)
