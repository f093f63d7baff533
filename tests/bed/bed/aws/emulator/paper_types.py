"""Types that ministack lacks and that nothing but their stack looks at (Template Reference, "Return values" of each):

    AWS::CloudWatch::CompositeAlarm                  Ref is the alarm's name; Arn
    AWS::EC2::DHCPOptions                            Ref and DhcpOptionsId are its id, dopt-…
    AWS::EC2::EIP                                    Ref and PublicIp are the address; AllocationId, eipalloc-…
    AWS::EC2::FlowLog                                Ref and Id are its id, fl-…
    AWS::EC2::NatGateway                             Ref and NatGatewayId are its id, nat-…
    AWS::EC2::VPCDHCPOptionsAssociation              Ref is the options' id
    AWS::ElasticLoadBalancingV2::ListenerCertificate Ref and Id are its id

What one refers to must be there, as their services say: a subnet (InvalidSubnetID.NotFound), a VPC (InvalidVpcID.NotFound), an address or
options of this file, a listener (ListenerNotFound). They exist as long as their stack has them, and are in no API: nothing here reads them.
Which property replaces one is the schema's matter (schemas.py).
"""

import ipaddress
import itertools
import secrets
import uuid

from .operations import HandlerError

_addresses = itertools.count(int(ipaddress.ip_address("203.0.113.1")))
_allocations, _options = set(), set()


def _number(prefix):
    return f"{prefix}-{secrets.token_hex(9)[:17]}"


def _refuse(service, message, code="NotFound"):
    raise HandlerError(f"{message} (Service: {service}, Status Code: 400, Request ID: {uuid.uuid4()}) (SDK Attempt Count: 1)", code)


def _arn(service, resource):
    from ministack.core.responses import get_account_id, get_region

    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


def _subnet(number):
    from ministack.services import ec2

    if number not in ec2._subnets:
        _refuse("Ec2", f"The subnet ID '{number}' does not exist")


def _vpc(number):
    from ministack.services import ec2

    if number not in ec2._vpcs:
        _refuse("Ec2", f"The vpc ID '{number}' does not exist")


def _composite_alarm(properties, stack_name, logical_id):
    name = properties.get("AlarmName") or f"{stack_name}-{logical_id}-{secrets.token_hex(6).upper()}"
    return name, {"Arn": _arn("cloudwatch", f"alarm:{name}")}


def _dhcp_options(properties, stack_name, logical_id):
    number = _number("dopt")
    _options.add(number)
    return number, {"DhcpOptionsId": number}


def _address(properties, stack_name, logical_id):
    address, allocation = str(ipaddress.ip_address(next(_addresses))), _number("eipalloc")
    _allocations.add(allocation)
    return address, {"AllocationId": allocation, "PublicIp": address}


def _flow_log(properties, stack_name, logical_id):
    if properties["ResourceType"] == "VPC":
        _vpc(properties["ResourceId"])
    number = _number("fl")
    return number, {"Id": number}


def _nat_gateway(properties, stack_name, logical_id):
    _subnet(properties["SubnetId"])
    allocation = properties.get("AllocationId")
    if allocation not in _allocations:
        _refuse("Ec2", f"Elastic IP address {allocation} could not be associated with this nat gateway", "InvalidRequest")
    number = _number("nat")
    return number, {"NatGatewayId": number}


def _association(properties, stack_name, logical_id):
    _vpc(properties["VpcId"])
    options = properties["DhcpOptionsId"]
    if options not in _options:
        _refuse("Ec2", f"The dhcpOption ID '{options}' does not exist")
    return options, {}


def _listener_certificate(properties, stack_name, logical_id):
    from ministack.services import alb

    listener = properties["ListenerArn"]
    if listener not in alb._listeners:
        _refuse("ElasticLoadBalancingV2", f"One or more listeners not found: {listener}")
    number = f"{listener}|{properties['Certificates'][0]['CertificateArn']}"
    return number, {"Id": number}


TYPES = {
    "AWS::CloudWatch::CompositeAlarm": _composite_alarm,
    "AWS::EC2::DHCPOptions": _dhcp_options,
    "AWS::EC2::EIP": _address,
    "AWS::EC2::FlowLog": _flow_log,
    "AWS::EC2::NatGateway": _nat_gateway,
    "AWS::EC2::VPCDHCPOptionsAssociation": _association,
    "AWS::ElasticLoadBalancingV2::ListenerCertificate": _listener_certificate,
}


def _handlers(make):
    made = {}

    def create(logical_id, properties, stack_name):
        physical_id, attributes = make(properties, stack_name, logical_id)
        made[physical_id] = attributes
        return physical_id, attributes

    def update(physical_id, old, new, stack_name):  # what doesn't replace: tags, a rule, a description
        return physical_id, made.get(physical_id, {})

    def delete(physical_id, properties):
        for known in (_allocations, _options):
            known.difference_update(made.pop(physical_id, {}).values())

    return {"create": create, "update": update, "delete": delete}


def install():
    from ministack.services.cloudformation import provisioners

    for name, make in TYPES.items():
        provisioners._RESOURCE_HANDLERS[name] = _handlers(make)
