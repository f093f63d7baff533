"""What an account has before anybody deploys into it: `seed` makes it, through the handlers that CloudFormation uses.

A VPC with public, app and storage subnets in three zones (routes to an internet gateway from the public ones, to a NAT gateway from the
others), a cluster of ECS, a private Cloud Map namespace, a hosted zone and an issued certificate, a secret, a bucket: each under the names and tags that are asked for.
"""

import ipaddress
import json

from . import ecr


def _make(kind, properties):
    from ministack.services.cloudformation import provisioners

    return provisioners._RESOURCE_HANDLERS[kind]["create"]("Seed", properties, "seed")


def _tags(tags, **more):
    return [{"Key": key, "Value": value} for key, value in {**tags, **more}.items()]


def _count_addresses(subnet):
    """ministack says 251 of every subnet. AWS keeps the first four addresses and the last one ("Subnet sizing", VPC User Guide)."""
    from ministack.services import ec2

    block = ipaddress.ip_network(ec2._subnets[subnet]["CidrBlock"])
    ec2._subnets[subnet]["AvailableIpAddressCount"] = block.num_addresses - 5


def _lead_out(vpc, made, subnets, tags, name):
    """A NAT gateway in the first public subnet, and a route table that leads there. ministack's CloudFormation has no handler for it."""
    import secrets

    from ministack.services import ec2

    nat = made["nat"] = f"nat-{secrets.token_hex(9)[:17]}"
    ec2._nat_gateways[nat] = {
        "NatGatewayId": nat, "SubnetId": made["subnets"]["public"][0], "VpcId": vpc, "State": "available",
        "ConnectivityType": "public", "CreateTime": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    table, _ = _make("AWS::EC2::RouteTable", {"VpcId": vpc, "Tags": _tags(tags, Name=f"{name}-private")})
    _make("AWS::EC2::Route", {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": nat})
    for subnet in subnets:
        _make("AWS::EC2::SubnetRouteTableAssociation", {"RouteTableId": table, "SubnetId": subnet})


def _prefix_list(name, tags):
    """No type of CloudFormation makes one here, so it is made as EC2's own call does (API_CreateManagedPrefixList)."""
    from ministack.services import ec2

    parameters = {"PrefixListName": [name], "MaxEntries": ["5"], "AddressFamily": ["IPv4"]}
    for index, tag in enumerate(_tags(tags), 1):
        parameters |= {"TagSpecification.1.ResourceType": ["prefix-list"], f"TagSpecification.1.Tag.{index}.Key": [tag["Key"]],
                       f"TagSpecification.1.Tag.{index}.Value": [tag["Value"]]}  # fmt: skip
    known = set(ec2._prefix_lists)
    ec2._create_managed_prefix_list(parameters)
    number = next(number for number in ec2._prefix_lists if number not in known)
    ec2._tags[number] = _tags(tags)
    return number


def _namespace(name, vpc, tags):
    """One of a name that another VPC's namespace may have too: AWS refuses only two of a name in one VPC ("Creating namespaces", AWS Cloud
    Map Developer Guide), ministack any two."""
    from ministack.services import servicediscovery

    known = any(space["Name"] == name for space in servicediscovery._namespaces.values())
    number, _ = _make(
        "AWS::ServiceDiscovery::PrivateDnsNamespace", {"Name": f"{vpc}.{name}" if known else name, "Vpc": vpc, "Tags": _tags(tags)}
    )
    servicediscovery._namespaces[number]["Name"] = name
    return number


def _filled(value, names):
    """The properties of a resource with what its names stand for."""
    if isinstance(value, dict):
        return {key: _filled(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, names) for item in value]
    return names.get(value, value) if isinstance(value, str) else value


def seed(wanted):
    """Makes what is named and returns the ids. All keys may be left out:

    cidr (10.0.0.0/16), tags (of the VPC and its subnets), name ("vpc"), zones (3), tiers (["public", "app", "storage"]; each subnet gets
    the tags Name and vpc::usage), nat (true: where there are public subnets, the others lead out through one), cluster (name),
    cluster_tags, capacity_providers, namespace (name), hosted_zone (name), certificate (domain name), msk_cluster (name),
    bucket (name), secrets ({name: text}), security_group (name), log_groups ([name]),
    resources ({key: {type, properties}}: one more of any type that a stack can have; "$vpc" in a property is the VPC, "$subnets" those of
    the first tier, "$key" what was made before; the answer has the Ref of each under its key), order ([key]: in which these are made),
    prefix_lists ({name: tags}),
    registry (host:port of what plays the account's registry of ECR, see ecr.py), scans ({digest: {severity: count}})
    """
    from ministack.core.responses import get_account_id, get_region
    from ministack.services import msk

    region, account = get_region(), get_account_id()
    name, tags = wanted.get("name", "vpc"), wanted.get("tags") or {}
    network = ipaddress.ip_network(wanted.get("cidr", "10.0.0.0/16"))
    vpc, _ = _make("AWS::EC2::VPC", {"CidrBlock": str(network), "EnableDnsSupport": True, "EnableDnsHostnames": True,
                                     "Tags": _tags({"Name": name, **tags})})  # fmt: skip
    made = {"region": region, "account": account, "vpc": vpc, "subnets": {}}
    blocks = network.subnets(new_prefix=min(network.prefixlen + 8, 28))
    for tier in wanted.get("tiers", ["public", "app", "storage"]):
        made["subnets"][tier] = []
        for zone in "abc"[: wanted.get("zones", 3)]:
            subnet, _ = _make("AWS::EC2::Subnet", {
                "VpcId": vpc, "CidrBlock": str(next(blocks)), "AvailabilityZone": region + zone, "MapPublicIpOnLaunch": tier == "public",
                "Tags": _tags(tags, Name=f"{name}-{tier}-{zone}", **{"vpc::usage": tier}),
            })  # fmt: skip
            made["subnets"][tier].append(subnet)
            _count_addresses(subnet)
    gateway, _ = _make("AWS::EC2::InternetGateway", {"Tags": _tags(tags, Name=name)})
    _make("AWS::EC2::VPCGatewayAttachment", {"VpcId": vpc, "InternetGatewayId": gateway})
    if made["subnets"].get("public"):
        table, _ = _make("AWS::EC2::RouteTable", {"VpcId": vpc, "Tags": _tags(tags, Name=f"{name}-public")})
        _make("AWS::EC2::Route", {"RouteTableId": table, "DestinationCidrBlock": "0.0.0.0/0", "GatewayId": gateway})
        for subnet in made["subnets"]["public"]:
            _make("AWS::EC2::SubnetRouteTableAssociation", {"RouteTableId": table, "SubnetId": subnet})
        private = [subnet for tier, subnets in made["subnets"].items() if tier != "public" for subnet in subnets]
        if private and wanted.get("nat", True):
            _lead_out(vpc, made, private, tags, name)
    if wanted.get("security_group"):
        made["security_group"], _ = _make("AWS::EC2::SecurityGroup", {
            "GroupName": wanted["security_group"], "GroupDescription": wanted["security_group"], "VpcId": vpc,
            "Tags": _tags(tags, Name=wanted["security_group"]),
        })  # fmt: skip
    if wanted.get("cluster"):
        properties = {"ClusterName": wanted["cluster"], "Tags": _tags(wanted.get("cluster_tags") or tags)}
        properties["CapacityProviders"] = wanted.get("capacity_providers", ["FARGATE", "FARGATE_SPOT"])
        made["cluster"] = _make("AWS::ECS::Cluster", properties)[1]["Arn"]
    if wanted.get("namespace"):
        made["namespace"] = _namespace(wanted["namespace"], vpc, tags)
    if wanted.get("hosted_zone"):
        made["hosted_zone"], _ = _make("AWS::Route53::HostedZone", {"Name": wanted["hosted_zone"]})
    if wanted.get("certificate"):
        made["certificate"], _ = _make(
            "AWS::CertificateManager::Certificate", {"DomainName": wanted["certificate"], "ValidationMethod": "DNS"}
        )
    if wanted.get("msk_cluster"):
        made["msk_cluster"] = json.loads(msk._create_cluster(json.dumps({"clusterName": wanted["msk_cluster"]}))[2])["clusterArn"]
    if wanted.get("bucket"):
        made["bucket"], _ = _make("AWS::S3::Bucket", {"BucketName": wanted["bucket"]})
    for secret, text in (wanted.get("secrets") or {}).items():
        made.setdefault("secrets", {})[secret], _ = _make(
            "AWS::SecretsManager::Secret", {"Name": secret, "SecretString": text, "Tags": _tags(tags)}
        )
    resources = wanted.get("resources") or {}
    known = made.setdefault("resources", {}) if resources else {}
    subnets = next(iter(made["subnets"].values()), [])
    for key in wanted.get("order", resources):
        names = {"$vpc": vpc, "$subnets": subnets, **{f"${name}": ref for name, ref in known.items()}}
        known[key], _ = _make(resources[key]["type"], _filled(resources[key]["properties"], names))
    for key, tags_of_list in (wanted.get("prefix_lists") or {}).items():
        made.setdefault("prefix_lists", {})[key] = _prefix_list(key, tags_of_list)
    if wanted.get("registry"):
        ecr.set_registry(wanted["registry"])
    if wanted.get("scans"):
        ecr.set_scans(wanted["scans"])
    for group in wanted.get("log_groups") or []:
        _make("AWS::Logs::LogGroup", {"LogGroupName": group})
    return made
