"""Single answers put right.

- Ref of AWS::SecretsManager::Secret is the secret's ARN (Template Reference, "Return values").
- The Resource Groups Tagging API finds what EC2, Secrets Manager, Elastic Load Balancing, CloudWatch Logs, Cloud Map and ACM have
  (API_GetResources, "Services that support the Resource Groups Tagging API"), not only what was tagged through it.
- DescribeTargetHealth shows a target of ECS as `initial`, then healthy, or as its script says (API_TargetHealth).
- A change set is found, and change sets are listed, by the stack's id as well as by its name (API_DescribeChangeSet,
  API_ListChangeSets, StackName).
- The DNS name of a load balancer leads to 127.0.0.1, as AWS's leads to the balancer: what listens there on the listener's port is asked
  in its place.
- A bucket with something in it is not deleted (API_DeleteBucket; the words are S3's, BucketNotEmpty).
- A target group, a Cloud Map service and a log group keep ministack's handling.
"""

EC2_KINDS = {
    "vpc": "vpc", "subnet": "subnet", "sg": "security-group", "rtb": "route-table", "igw": "internet-gateway", "vpce": "vpc-endpoint",
    "nat": "natgateway", "acl": "network-acl", "eni": "network-interface", "pl": "prefix-list",
}  # fmt: skip


def secret_name(physical_id):
    """ministack's key for the secret with this ARN."""
    from ministack.services import secretsmanager

    return next((name for name, secret in secretsmanager._secrets.items() if secret["ARN"] == physical_id), physical_id)


def _secret_handlers(handlers):
    def create(logical_id, properties, stack_name):
        _, attributes = handlers["create"](logical_id, properties, stack_name)
        return attributes["Arn"], attributes

    def update(physical_id, old, new, stack_name, logical_id=None):
        _, attributes = handlers["update"](secret_name(physical_id), old, new, stack_name, logical_id)
        return attributes["Arn"], attributes

    def delete(physical_id, properties):
        handlers["delete"](secret_name(physical_id), properties)

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def _kept_while_not_empty(handlers):
    def delete(physical_id, properties):
        from ministack.services import s3

        from .operations import HandlerError

        if (s3._buckets.get(physical_id) or {}).get("objects"):
            message = "The bucket you tried to delete is not empty (Service: S3, Status Code: 409, Request ID: 4442587FB7D0A2F9)"
            raise HandlerError(message, "GeneralServiceException")
        handlers["delete"](physical_id, properties)

    return {**handlers, "delete": delete}


def _named_here(handlers):
    def create(logical_id, properties, stack_name):
        from ministack.services import alb

        arn, attributes = handlers["create"](logical_id, properties, stack_name)
        alb._lbs[arn]["DNSName"] = "localhost"
        return arn, {**attributes, "DNSName": "localhost"}

    return {**handlers, "create": create}


def _arn(service, resource):
    from ministack.core.responses import get_account_id, get_region

    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


def _collect_ec2():
    from ministack.services import ec2

    for number, tags in list(ec2._tags.items()):
        kind = EC2_KINDS.get(number.rsplit("-", 1)[0])
        if kind and tags:
            yield _arn("ec2", f"{kind}/{number}"), list(tags)


def _collect_load_balancers():
    from ministack.services import alb

    for arn, tags in list(alb._tags.items()):
        if tags:
            yield arn, list(tags)


def _collect_logs():
    from ministack.services import cloudwatch_logs

    for name, group in list(cloudwatch_logs._log_groups.items()):
        tags = group.get("tags") or {}
        if tags:
            yield _arn("logs", f"log-group:{name}"), [{"Key": key, "Value": value} for key, value in tags.items()]


def _collect_cloud_map():
    from ministack.services import servicediscovery

    for arn, tags in list(servicediscovery._resource_tags.items()):
        if tags:
            yield arn, list(tags)


def _collect_certificates():
    from ministack.services import acm

    for arn, certificate in list(acm._certificates.items()):
        if certificate.get("Tags"):
            yield arn, list(certificate["Tags"])


def _target_health(params):
    from ministack.services import alb

    from . import ecs_tasks

    group = alb._p(params, "TargetGroupArn")
    if group not in alb._tgs:
        return alb._error("TargetGroupNotFound", f"One or more target groups not found: '{group}'")
    wanted = {target["Id"] for target in alb._parse_targets_param(params)}
    members = ""
    for target in alb._targets.get(group, []):
        if wanted and target["Id"] not in wanted:
            continue
        state, reason, description = ecs_tasks.target_state(group, target["Id"])
        port = target.get("Port") or alb._tgs[group].get("Port", 80)
        why = f"<Reason>{reason}</Reason><Description>{description}</Description>" if reason else ""
        members += (f"<member><Target><Id>{target['Id']}</Id><Port>{port}</Port></Target><HealthCheckPort>{port}</HealthCheckPort>"
                    f"<TargetHealth><State>{state}</State>{why}</TargetHealth></member>")  # fmt: skip
    return alb._xml(200, "DescribeTargetHealth", f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>")


def _wrap_find_change_set(original):
    def find(name, stack_name=""):
        if stack_name.startswith("arn:"):
            stack_name = stack_name.split(":stack/")[-1].split("/")[0]
        return original(name, stack_name)

    return find


def _wrap_list_change_sets(original):
    def listed(params):
        name = params.get("StackName", "")
        name = name[0] if isinstance(name, list) else name
        if name.startswith("arn:"):
            params = {**params, "StackName": [name.split(":stack/")[-1].split("/")[0]]}
        return original(params)

    return listed


def install():
    from ministack.services import alb, tagging
    from ministack.services.cloudformation import changesets, handlers, provisioners

    secret = provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"]
    provisioners._RESOURCE_HANDLERS["AWS::SecretsManager::Secret"] = _secret_handlers(secret)
    bucket = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"] = _kept_while_not_empty(bucket)
    balancer = provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::LoadBalancer"]
    provisioners._RESOURCE_HANDLERS["AWS::ElasticLoadBalancingV2::LoadBalancer"] = _named_here(balancer)
    tagging._COLLECTORS.update({
        "ec2": _collect_ec2,
        "secretsmanager": tagging._collect_secretsmanager,
        "elasticloadbalancing": _collect_load_balancers,
        "logs": _collect_logs,
        "servicediscovery": _collect_cloud_map,
        "acm": _collect_certificates,
    })  # fmt: skip
    alb._ACTION_MAP["DescribeTargetHealth"] = _target_health
    changesets._find_change_set = _wrap_find_change_set(changesets._find_change_set)
    actions = handlers._ACTION_HANDLERS
    actions["ListChangeSets"] = _wrap_list_change_sets(actions["ListChangeSets"])
