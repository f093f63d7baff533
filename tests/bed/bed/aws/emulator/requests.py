"""What CloudFormation refuses before it touches anything, and how a change set comes about.

Sources: API_CreateStack, API_CreateChangeSet, API_ExecuteChangeSet (CloudFormation API Reference); "CloudFormation template
Parameters syntax" and "Specify existing resources at runtime with CloudFormation-supplied parameter types" (User Guide).
The wordings of the parameter and state errors are seen ones. Not imitated: stack policies, quotas of an account, and a parameter
of an AWS type other than VPC, subnet, security group, availability zone and hosted zone (any value passes).
"""

import functools
import re
import threading
import urllib.parse

from . import validation

CREATION = {"seconds": 0.2}  # AWS needs some seconds; the point is that a caller has to wait for CREATE_COMPLETE
UPDATABLE = {
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE",
    "CREATE_FAILED", "UPDATE_FAILED",
}  # fmt: skip
BUCKET_HOST = re.compile(r"^(?P<bucket>[a-z0-9][a-z0-9.-]+)\.s3[.-](?:[a-z0-9-]+\.)?(?:amazonaws\.com(?:\.cn)?|localhost)$")
PATH_HOST = re.compile(r"^(?:s3[.-](?:[a-z0-9-]+\.)?amazonaws\.com(?:\.cn)?|localhost|127\.0\.0\.1)$")


def _check_names(template, provided):
    """Seen: "Parameters: [A, B] do not exist in the template", "Parameters: [A] must have values"."""
    declared = template.get("Parameters") or {}
    unknown = [p["Key"] for p in provided if p["Key"] not in declared]
    if unknown:
        raise ValueError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    given = {p["Key"] for p in provided}
    missing = [name for name, spec in declared.items() if name not in given and "Default" not in spec]
    if missing:
        raise ValueError(f"Parameters: [{', '.join(missing)}] must have values")


def _check_values(template, values):
    for name, spec in (template.get("Parameters") or {}).items():
        kind, value = spec.get("Type", "String"), values[name]["Value"]
        is_list = kind.startswith("List<") or kind == "CommaDelimitedList"
        members = [part.strip() for part in value.split(",")] if is_list else [value]
        allowed = spec.get("AllowedValues")
        if allowed and any(member not in map(str, allowed) for member in members):
            raise ValueError(f"Parameter '{name}' {spec.get('ConstraintDescription') or 'must be one of AllowedValues'}")
        if kind in ("Number", "List<Number>"):
            for member in members:
                try:
                    float(member)
                except ValueError:
                    raise ValueError(f"Parameter '{name}' must be a number.") from None
        exists = _existing(kind.removeprefix("List<").removesuffix(">"))
        if exists is not None:
            for member in members:
                if member not in exists:
                    raise ValueError(
                        f"Parameter validation failed: parameter value {member} for parameter name {name} does not exist"
                    )


def _existing(kind):
    """The ids that a parameter of an AWS-specific type may have, or None where every value passes."""
    from ministack.core.responses import get_region
    from ministack.services import ec2, route53

    ec2._ensure_defaults_initialized()
    stores = {
        "AWS::EC2::VPC::Id": ec2._vpcs,
        "AWS::EC2::Subnet::Id": ec2._subnets,
        "AWS::EC2::SecurityGroup::Id": ec2._security_groups,
    }
    if kind in stores:
        return set(stores[kind].keys())
    if kind == "AWS::EC2::AvailabilityZone::Name":
        return {get_region() + zone for zone in "abc"}
    if kind == "AWS::Route53::HostedZone::Id":
        return {zone.split("/")[-1] for zone in route53._zones}
    return None


def _wrap_parameters(original):
    def resolve(template, provided, previous=None):
        _check_names(template, provided)
        # The values of AllowedValues and Number are checked here, for their wording: the original must not get that far.
        relaxed = {
            **template,
            "Parameters": {
                n: {k: v for k, v in spec.items() if k != "AllowedValues"} for n, spec in (template.get("Parameters") or {}).items()
            },
        }
        try:
            values = original(relaxed, provided, previous)
        except ValueError as error:
            number = re.match(r"Parameter '([^']+)' value '.*' is not a valid (?:Number|List<Number>)$", str(error), re.DOTALL)
            raise ValueError(f"Parameter '{number[1]}' must be a number.") if number else error from None
        _check_values(template, values)
        return values

    return resolve


def _wrap_document(original, error):
    """TemplateURL: "must point to a template that's located in an Amazon S3 bucket" and "must start with https://" (API_CreateStack);
    both address styles of "Methods for accessing a bucket" (S3 User Guide). Plain http is let through for the emulator itself."""

    def resolve(params, body_key, url_key, label):
        url = (params.get(url_key) or [""])[0] if isinstance(params.get(url_key), list) else params.get(url_key, "")
        if url and not params.get(body_key):
            parsed = urllib.parse.urlsplit(url)
            host, path = parsed.hostname or "", parsed.path
            if virtual := BUCKET_HOST.match(host):
                path = f"/{virtual['bucket']}{path}"
            elif not PATH_HOST.match(host):
                return None, error("ValidationError", f"{url_key} must be a supported URL.")
            params = {**params, url_key: [f"http://localhost{urllib.parse.unquote(path)}"]}
        body, problem = original(params, body_key, url_key, label)
        if problem and b"not found at" in problem[2]:
            problem = error("ValidationError", "S3 error: The specified key does not exist.\nFor more information check "
                            "http://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html")  # fmt: skip
        return body, problem

    return resolve


def _wrap_create_change_set(original, error):
    def create(params):
        from ministack.services import cloudformation as cfn
        from ministack.services.cloudformation.handlers import _resolve_stack

        name, kind = _first(params, "StackName"), _first(params, "ChangeSetType") or "UPDATE"
        stack = _resolve_stack(name)
        status = stack["StackStatus"] if stack else "DELETE_COMPLETE"
        review = None
        if kind == "UPDATE" and status not in UPDATABLE | {"DELETE_COMPLETE"}:
            return error("ValidationError", f"Stack:{stack['StackId']} is in {status} state and can not be updated.")
        if kind == "CREATE" and status not in ("DELETE_COMPLETE", "REVIEW_IN_PROGRESS"):
            return error("AlreadyExistsException",
                         f"Stack [{stack['StackName']}] already exists and cannot be created again with the changeSet [{_first(params, 'ChangeSetName')}].")  # fmt: skip
        if kind == "CREATE" and status == "REVIEW_IN_PROGRESS":
            # A stack under review stays the stack it was, with its id and its other change sets.
            review = stack, cfn._stack_events.get(stack["StackId"], [])
        answer = original(params)
        if review:
            _keep_review(cfn, *review, made=answer[0] == 200)
            if answer[0] == 200:
                made = cfn._stacks[review[0]["StackName"]]["_replaced_id"].encode()
                answer = answer[0], answer[1], answer[2].replace(made, review[0]["StackId"].encode())
        if answer[0] == 200:
            _finish_later(cfn, _first(params, "ChangeSetName"), review[0]["StackName"] if review else name)
        return answer

    return create


def _keep_review(cfn, before, events, made):
    name = before["StackName"]
    if made:
        after = cfn._stacks[name]
        before["_replaced_id"] = after["StackId"]
        cfn._stack_events.pop(after["StackId"], None)
        for change_set in cfn._change_sets.values():
            if change_set["StackId"] == after["StackId"]:
                change_set["StackId"] = before["StackId"]
    cfn._stacks[name] = before
    cfn._stack_events[before["StackId"]] = events


def _finish_later(cfn, name, stack_name):
    """CREATE_IN_PROGRESS and UNAVAILABLE first: API_DescribeChangeSet."""
    for change_set in cfn._change_sets.values():
        stack_names = (change_set["StackName"], change_set["StackId"])
        if change_set["ChangeSetName"] == name and stack_name in stack_names:
            validation.judge(cfn._stacks[change_set["StackName"]], change_set)
            final = {key: change_set[key] for key in ("Status", "ExecutionStatus", "StatusReason", "Changes")}
            change_set.update(Status="CREATE_IN_PROGRESS", ExecutionStatus="UNAVAILABLE", StatusReason="", Changes=[])
            timer = threading.Timer(CREATION["seconds"], functools.partial(change_set.update, final))
            timer.daemon = True
            timer.start()


def _wrap_execute(original, error):
    def execute(params):
        from ministack.services import cloudformation as cfn
        from ministack.services.cloudformation.changesets import _find_change_set

        _, change_set = _find_change_set(_first(params, "ChangeSetName"), _first(params, "StackName"))
        if change_set is not None:
            if change_set["ExecutionStatus"] != "AVAILABLE":
                return error("InvalidChangeSetStatus",
                             f"ChangeSet [{change_set['ChangeSetId']}] cannot be executed in its current execution status of "
                             f"[{change_set['ExecutionStatus']}]")  # fmt: skip
            stack = cfn._stacks.get(change_set["StackName"])
            if stack and stack["StackStatus"].endswith("_IN_PROGRESS") and stack["StackStatus"] != "REVIEW_IN_PROGRESS":
                return error("InvalidChangeSetStatus",
                             f"This stack is currently in a non-terminal [{stack['StackStatus']}] state. To update the stack from "
                             "this state, please use the disable-rollback parameter with update-stack API. To rollback to the last "
                             "known good state, use the rollback-stack API")  # fmt: skip
        return original(params)

    return execute


def _wrap_create_stack(original, error):
    def create(params):
        from ministack.services import cloudformation as cfn

        stack = cfn._stacks.get(_first(params, "StackName"))
        if stack and stack["StackStatus"] != "DELETE_COMPLETE":
            return error("AlreadyExistsException", f"Stack [{stack['StackName']}] already exists")
        return original(params)

    return create


def _wrap_update_stack(original, error):
    def update(params):
        from ministack.services.cloudformation.handlers import _resolve_stack

        stack = _resolve_stack(_first(params, "StackName"))
        if stack and stack["StackStatus"] not in UPDATABLE | {"DELETE_COMPLETE"}:
            return error("ValidationError", f"Stack:{stack['StackId']} is in {stack['StackStatus']} state and can not be updated.")
        return original(params)

    return update


def _first(params, key):
    value = params.get(key, "")
    return value[0] if isinstance(value, list) else value


def install():
    from ministack.services.cloudformation import changesets, engine, handlers, helpers

    error = helpers._error
    # InsufficientCapabilitiesException; ministack has the rule (API_CreateStack, Capabilities) but applies it under AUTH only.
    handlers._capabilities_enforced = lambda: True
    resolve = _wrap_parameters(engine._resolve_parameters)
    for module in (engine, handlers, changesets):
        module._resolve_parameters = resolve
    helpers._resolve_document = _wrap_document(helpers._resolve_document, error)
    actions = handlers._ACTION_HANDLERS
    actions["CreateChangeSet"] = _wrap_create_change_set(actions["CreateChangeSet"], error)
    actions["ExecuteChangeSet"] = _wrap_execute(actions["ExecuteChangeSet"], error)
    actions["CreateStack"] = _wrap_create_stack(actions["CreateStack"], error)
    actions["UpdateStack"] = _wrap_update_stack(actions["UpdateStack"], error)
