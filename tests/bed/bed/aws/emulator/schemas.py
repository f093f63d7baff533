"""The CloudFormation registry's resource schemas, as they come with cfn-lint, put to use for every type that has one.

- A changed property replaces the resource where the schema lists it in createOnlyProperties ("Resource type schema", CloudFormation
  CLI User Guide), so a change set's RequiresRecreation and the update itself follow AWS and not ministack's short table.
- Values are converted as CloudFormation does: a parameter is text, so `DesiredCount: !Ref Count` arrives as "2".
- A resource with an unknown or a missing property fails the way the registry's validation fails it (seen: "Properties validation
  failed for resource X with message: …"), where the validation of the change set (validation.py) hasn't told before.
"""

import functools
import json
from pathlib import Path

import cfnlint.data.schemas.providers as providers
import cfnlint.data.schemas.resources as resources

REGION = "eu-west-1"


@functools.cache
def _index():
    return json.loads((Path(providers.__path__[0]) / f"{REGION}.json").read_text())


@functools.cache
def schema(resource_type):
    """The type's schema, or None for a type that has none here (custom resources, a test's own)."""
    digest = _index().get(resource_type)
    return json.loads((Path(resources.__path__[0]) / f"{digest}.json").read_text()) if digest else None


def recreation(resource_type, name):
    """`Always`, `Conditionally` or `Never`: the values of ResourceTargetDefinition's RequiresRecreation."""
    spec = schema(resource_type)
    if spec is None:
        return "Conditionally"
    pointers = spec.get("createOnlyProperties", [])
    if f"/properties/{name}" in pointers:
        return "Always"
    conditional = spec.get("conditionalCreateOnlyProperties", [])
    if any(p == f"/properties/{name}" or p.startswith(f"/properties/{name}/") for p in pointers + conditional):
        return "Conditionally"
    return "Never"


def problems(logical_id, resource_type, properties):
    """The text of a failed validation, or None."""
    spec = schema(resource_type)
    if spec is None:
        return None
    found = []
    if not spec.get("additionalProperties", True):
        found += [f"#: extraneous key [{key}] is not permitted" for key in properties if key not in spec.get("properties", {})]
    found += [f"#: required key [{key}] not found" for key in spec.get("required", []) if key not in properties]
    if not found:
        return None
    return f"Properties validation failed for resource {logical_id} with message:\n" + "\n".join(found)


def deep_problems(resource_type, properties):
    """(path below Properties, reason) for literal values that the schema forbids, at any depth."""
    spec = schema(resource_type)
    return [] if spec is None else list(_deep(spec, spec, properties, ""))


def _resolved(root, spec):
    while "$ref" in spec:
        node = root
        for step in spec["$ref"].removeprefix("#/").split("/"):
            node = node.get(step, {})
        spec = node
    return spec


def _is_function(value):
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::", "Condition"))


KINDS = {
    "string": (str, int, float, bool),
    "integer": (int, str),
    "number": (int, float, str),
    "boolean": (bool, str),
    "array": (list,),
    "object": (dict,),
}


def _deep(root, spec, value, path):
    spec = _resolved(root, spec)
    if _is_function(value):
        return
    kinds = spec.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if kinds and not any(isinstance(value, KINDS.get(kind, object)) for kind in kinds):
        told = {dict: "JSONObject", list: "JSONArray"}.get(type(value), type(value).__name__)
        yield path, f"#{path}: expected type: {kinds[0].capitalize()}, found: {told}"
        return
    if "enum" in spec and isinstance(value, str) and value not in map(str, spec["enum"]):
        yield path, f"#{path}: {value} is not a valid enum value"
    if isinstance(value, dict) and spec.get("properties"):
        known = spec["properties"]
        if spec.get("additionalProperties") is False:
            yield from (
                (f"{path}/{key}", f"#{path}: extraneous key [{key}] is not permitted")
                for key in value
                if key not in known and not _is_function({key: 0})
            )
        yield from ((path, f"#{path}: required key [{key}] not found") for key in spec.get("required", []) if key not in value)
        for key, item in value.items():
            if key in known:
                yield from _deep(root, known[key], item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _deep(root, spec.get("items", {}), item, f"{path}/{index}")


def typed(resource_type, properties):
    """The properties with texts turned into the numbers and booleans that the schema asks for, and the other way round."""
    spec = schema(resource_type)
    return properties if spec is None else _typed(spec, spec, properties)


def _typed(root, spec, value):
    spec = _resolved(root, spec)
    if isinstance(value, dict):
        members = spec.get("properties", {})
        others = next(iter(spec.get("patternProperties", {}).values()), {})
        return {key: _typed(root, members.get(key, others), item) for key, item in value.items()}
    if isinstance(value, list):
        return [_typed(root, spec.get("items", {}), item) for item in value]
    kinds = spec.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if isinstance(value, str):
        if "string" not in kinds:
            if "boolean" in kinds and value.lower() in ("true", "false"):
                return value.lower() == "true"
            if "integer" in kinds and value.lstrip("-").isdigit():
                return int(value)
            if "number" in kinds:
                try:
                    return float(value)
                except ValueError:
                    return value
    elif "string" in kinds and kinds == ["string"]:
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def install():
    from ministack.services.cloudformation import provisioners, stacks

    for module in (provisioners, stacks):
        module._property_recreation = recreation
