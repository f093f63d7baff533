"""AWS::EC2::SecurityGroupIngress and AWS::EC2::SecurityGroupEgress (Template Reference): rules of a group that are resources.

Ref is the rule's id, `sgr-…`. A rule that the group has already is refused (API_AuthorizeSecurityGroupIngress,
InvalidPermission.Duplicate), as is an unknown group (InvalidGroup.NotFound). Everything but Description replaces, by the schema.
Not imitated: groups named by GroupName (EC2-Classic), security group quotas.
"""

import secrets
import uuid

from .operations import HandlerError

SIDES = {"Ingress": "IpPermissions", "Egress": "IpPermissionsEgress"}


def _refuse(message, code):
    raise HandlerError(f"{message} (Service: Ec2, Status Code: 400, Request ID: {uuid.uuid4()}) (SDK Attempt Count: 1)", code)


def _group(group_id):
    from ministack.services import ec2

    group = ec2._security_groups.get(group_id)
    if group is None:
        _refuse(f"The security group '{group_id}' does not exist", "NotFound")
    return group


def _permission(properties):
    from ministack.services.cloudformation import provisioners

    return provisioners._ec2_sg_permissions([properties])[0]


def _bare(permission):
    """What makes a rule the same as another: everything but descriptions and an owner that goes without saying."""
    keys = ("IpProtocol", "FromPort", "ToPort")
    peers = {"IpRanges": "CidrIp", "Ipv6Ranges": "CidrIpv6", "PrefixListIds": "PrefixListId", "UserIdGroupPairs": "GroupId"}
    bare = {key: str(permission[key]) for key in keys if permission.get(key) is not None}
    return bare | {place: sorted(str(peer.get(key)) for peer in permission.get(place) or []) for place, key in peers.items()}


def _handlers(side):
    place = SIDES[side]

    def create(logical_id, properties, stack_name):
        for source in ("SourceSecurityGroupId", "DestinationSecurityGroupId"):
            if properties.get(source):
                _group(properties[source])
        rules, permission = _group(properties["GroupId"])[place], _permission(properties)
        if any(_bare(rule) == _bare(permission) for rule in rules):
            _refuse(f'the specified rule "{_said(properties)}" already exists', "AlreadyExists")
        rules.append(permission)
        number = f"sgr-{secrets.token_hex(9)[:17]}"
        return number, {"Id": number}

    def update(physical_id, old, new, stack_name):  # the description only
        rules, before, after = _group(new["GroupId"])[place], _permission(old), _permission(new)
        rules[:] = [after if rule == before else rule for rule in rules]
        return physical_id, {"Id": physical_id}

    def delete(physical_id, properties):
        from ministack.services import ec2

        group = ec2._security_groups.get(properties["GroupId"])
        if group:
            gone = _bare(_permission(properties))
            group[place][:] = [rule for rule in group[place] if _bare(rule) != gone]

    return {"create": create, "update": update, "delete": delete}


def _said(properties):
    peer = next(
        (
            properties[key]
            for key in ("CidrIp", "CidrIpv6", "SourceSecurityGroupId", "DestinationSecurityGroupId")
            if properties.get(key)
        ),
        "",
    )
    return f"peer: {peer}, {properties['IpProtocol'].upper()}, from port: {properties.get('FromPort')}, to port: {properties.get('ToPort')}, ALLOW"


def install():
    from ministack.services import ec2
    from ministack.services.cloudformation import provisioners

    ec2._strip_descriptions = _bare  # so that a rule with a description can be revoked without saying it
    for side in SIDES:
        provisioners._RESOURCE_HANDLERS[f"AWS::EC2::SecurityGroup{side}"] = _handlers(side)
