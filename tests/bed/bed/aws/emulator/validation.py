"""CloudFormation's pre-deployment validation of a change set ("Validate stack deployments", User Guide; API_DescribeEvents).

A change set whose template breaks a resource schema, or would make a thing under a name that is taken, ends FAILED; what is wrong is told
by DescribeEvents for that change set, each with ValidationName, ValidationPath, ValidationStatusReason and the mode FAIL. Seen: the status
reason "The following hook(s)/validation failed: [AWS::EarlyValidation::PropertyValidation]. To troubleshoot Early Validation errors, use
the DescribeEvents API …", and ResourceExistenceCheck there for a name. The texts of property errors are ours, in the registry's manner.
Checked: unknown, missing and mistyped properties and enums, at any depth, of what is written as a literal. Not imitated: patterns and
combinations (oneOf, …), warnings about buckets, quotas and image repositories, nested stacks.
"""

import uuid

from . import schemas

FAILED = (
    "The following hook(s)/validation failed: [{}]. To troubleshoot Early Validation errors, use the DescribeEvents API for detailed "
    "failure information."
)
CHECKS = {
    "PROPERTY_VALIDATION": "AWS::EarlyValidation::PropertyValidation",
    "NAME_CONFLICT_VALIDATION": "AWS::EarlyValidation::ResourceExistenceCheck",
}


NAMES = {
    "AWS::Logs::LogGroup": "LogGroupName",
    "AWS::IAM::Role": "RoleName",
    "AWS::ECS::Cluster": "ClusterName",
    "AWS::S3::Bucket": "BucketName",
}


def errors(template, changes):
    """(logical id, type, validation name, path, reason) for what a change set adds or changes."""
    touched = {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"]["Action"] for c in changes}
    found = []
    for logical_id, resource in (template.get("Resources") or {}).items():
        if touched.get(logical_id) not in ("Add", "Modify"):
            continue
        kind, properties = resource.get("Type", ""), resource.get("Properties") or {}
        place = f"/Resources/{logical_id}"
        found += [
            (logical_id, kind, "PROPERTY_VALIDATION", f"{place}/Properties{path}", reason)
            for path, reason in schemas.deep_problems(kind, properties)
        ]
        name = properties.get(NAMES.get(kind, ""))
        if touched[logical_id] == "Add" and isinstance(name, str) and _taken(kind, name):
            reason = f"Resource of type '{kind}' with identifier '{name}' already exists."
            found.append((logical_id, kind, "NAME_CONFLICT_VALIDATION", place, reason))
    return found


def _taken(kind, name):
    from ministack.services import cloudwatch_logs, ecs, iam, s3

    stores = {
        "AWS::Logs::LogGroup": lambda: name in cloudwatch_logs._log_groups,
        "AWS::IAM::Role": lambda: name in iam._roles,
        "AWS::ECS::Cluster": lambda: name in ecs._clusters,
        "AWS::S3::Bucket": lambda: s3._bucket_owner_account(name) is not None,
    }
    return stores[kind]()


def judge(stack, change_set):
    """Fails a change set that doesn't pass, and keeps the events of its validation with the stack."""
    from ministack.core.responses import now_iso

    if change_set.get("_disable_validation") or change_set["Status"] != "CREATE_COMPLETE":
        return
    found = errors(change_set["_template"], change_set["Changes"])
    if not found:
        return
    operation = str(uuid.uuid4())
    change_set["_operation"] = operation
    names = sorted({CHECKS[name] for _, _, name, _, _ in found})
    change_set.update(Status="FAILED", ExecutionStatus="UNAVAILABLE", StatusReason=FAILED.format(", ".join(names)))
    stack.setdefault("_operation_events", []).extend(
        {
            "EventId": str(uuid.uuid4()),
            "StackId": stack["StackId"],
            "OperationId": operation,
            "OperationType": "CREATE_CHANGESET",
            "OperationStatus": "FAILED",
            "EventType": "VALIDATION_ERROR",
            "LogicalResourceId": logical_id,
            "ResourceType": kind,
            "Timestamp": now_iso(),
            "ValidationFailureMode": "FAIL",
            "ValidationName": name,
            "ValidationStatus": "FAILED",
            "ValidationStatusReason": reason,
            "ValidationPath": path,
        }
        for logical_id, kind, name, path, reason in found
    )


def _wrap_describe_events(original):
    def describe(params):
        from ministack.services.cloudformation.changesets import _find_change_set
        from ministack.services.cloudformation.helpers import _error, _p

        name = _p(params, "ChangeSetName")
        if not name:
            return original(params)
        _, change_set = _find_change_set(name, _p(params, "StackName"))
        if change_set is None:
            return _error("ChangeSetNotFound", f"ChangeSet [{name}] does not exist", 404)
        narrowed = {key: value for key, value in params.items() if key != "ChangeSetName"}
        operation = change_set.get("_operation", "none")
        return original({**narrowed, "StackName": [change_set["StackId"]], "OperationId": [operation]})

    return describe


def install():
    from ministack.services.cloudformation import handlers

    actions = handlers._ACTION_HANDLERS
    actions["DescribeEvents"] = _wrap_describe_events(actions["DescribeEvents"])
