"""A stack operation as AWS runs it. ministack provisions one resource after the other, at once and without waiting; here

- resources start as soon as those they refer to are there, so several are in progress at a time ("How CloudFormation works");
- each has the events IN_PROGRESS, IN_PROGRESS "Resource creation Initiated" with the physical id, COMPLETE, and its state shows in
  DescribeStackResources meanwhile; a resource that didn't change has no event in an update ("View stack events", User Guide);
- a resource with a stabiliser (a service of ECS) isn't COMPLETE before it is stable;
- when one fails the others that are in progress are cancelled (seen: "Resource creation cancelled"), and the rollback's reason names
  all of them (seen: "The following resource(s) failed to create: [A, B]. Rollback requested by user.");
- an update that succeeded deletes what it replaced or dropped in UPDATE_COMPLETE_CLEANUP_IN_PROGRESS ("Stack status codes");
- CancelUpdateStack and DeleteStack take hold while resources are in progress.

The rollback itself is ministack's (`_roll_back_operation`), which gets what was begun. Not imitated: imports of existing resources,
nested stacks' own parallelism, CreationPolicy and WaitCondition timeouts beyond what ministack does, DISABLED rollback's "retry".
"""

import asyncio
import contextlib
import copy
import threading
import time
import uuid

# How long a resource takes at least: in every account, and in those that have a pace of their own (`/_bed/pace`).
PACE = {"seconds": 0.05}
PACES = {}
STABILISERS = {}  # resource type → function(physical id) → True when stable, False while not; raises HandlerError
USER_INITIATED = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS", "REVIEW_IN_PROGRESS"}


class HandlerError(ValueError):
    """A refusal of a resource handler, in the words of the registry's handlers ("Handler error codes", CloudFormation CLI)."""

    def __init__(self, message, code="InvalidRequest"):
        super().__init__(f'Resource handler returned message: "{message}" (RequestToken: {uuid.uuid4()}, HandlerErrorCode: {code})')


class Operation:
    """One create or update: what ministack hands to `_deploy_stack_async`."""

    def __init__(self, stack_name, stack_id, template, values, update, previous, retain):
        from ministack.services.cloudformation import _stacks

        self.name, self.id, self.template, self.values = stack_name, stack_id, template, values
        self.stack, self.update, self.previous = _stacks[stack_name], update, previous or {}
        self.retain, self.verb = retain, "UPDATE" if update else "CREATE"
        self.definitions = template.get("Resources") or {}
        self.mappings = template.get("Mappings") or {}
        self.records = self.stack.setdefault("_resources", {})
        self.old = self.previous.get("_resources") or {}
        self.begun, self.failures, self.replaced = [], {}, []
        self.cancelled = False
        self.finished = threading.Event()

    # --- events and records

    def event(self, logical_id, status, reason="", physical_id="", kind=None):
        from ministack.services.cloudformation import stacks

        kind = kind or self.definitions[logical_id]["Type"]
        stacks._add_event(self.id, self.name, logical_id, kind, status, reason, physical_id)

    def stack_event(self, status, reason=""):
        self.stack["StackStatus"], self.stack["StackStatusReason"] = status, reason
        self.event(self.name, status, reason, self.id, "AWS::CloudFormation::Stack")

    def record(self, logical_id, status, physical_id="", properties=None, attributes=None, reason="", **more):
        from ministack.core.responses import now_iso

        self.records[logical_id] = {
            "PhysicalResourceId": physical_id,
            "ResourceType": self.definitions[logical_id]["Type"],
            "ResourceStatus": status,
            "ResourceStatusReason": reason,
            "LogicalResourceId": logical_id,
            "Properties": properties or {},
            "Attributes": attributes or {},
            "Timestamp": now_iso(),
            **more,
        }

    # --- one resource

    def _resolve(self, logical_id):
        """The resource's properties with every reference resolved, and the values of its dynamic references."""
        from ministack.services.cloudformation import stacks

        definition, before = self.definitions[logical_id], self.old.get(logical_id)
        properties = stacks._resolve_refs(
            copy.deepcopy(definition.get("Properties") or {}),
            self.records, self.values, self.conditions, self.mappings, self.name, self.id,
        )  # fmt: skip
        properties = _without_no_value(properties, stacks._NO_VALUE)
        same_stack = (
            self.update and self.template == self.previous.get("_template") and self.values == self.previous.get("_resolved_params")
        )
        same_resource = (
            before is not None and (self.previous.get("_template") or {}).get("Resources", {}).get(logical_id) == definition
        )
        return stacks._resolve_dynamic_references(
            properties, (before or {}).get("_dynamic"), reuse_ssm=same_stack, reuse_secrets=same_resource
        )

    def _tagged(self, logical_id, properties, tags):
        from ministack.services.cloudformation import stacks

        kind = self.definitions[logical_id]["Type"]
        return stacks._with_stack_tags(kind, properties, tags or [], self.name, self.id, logical_id)

    async def resource(self, logical_id):
        """Creates or updates one resource and waits until it is stable. Its failure is kept, not raised."""
        kind = self.definitions[logical_id]["Type"]
        try:
            await self._resource(logical_id, kind)
        except asyncio.CancelledError:
            verb = "update" if logical_id in self.old else "creation"
            self._failed(logical_id, kind, f"Resource {verb} cancelled")
        except Exception as error:
            self._failed(logical_id, kind, str(error))

    def _failed(self, logical_id, kind, reason):
        record = self.records.get(logical_id) or {}
        status = "UPDATE_FAILED" if logical_id in self.old else "CREATE_FAILED"
        if record:
            record.update(ResourceStatus=status, ResourceStatusReason=reason)
        self.failures[logical_id] = reason
        self.event(logical_id, status, reason, record.get("PhysicalResourceId", ""))

    async def _resource(self, logical_id, kind):
        from ministack.core.concurrency import run_reentrant
        from ministack.services.cloudformation import provisioners, stacks

        from . import schemas

        before = self.old.get(logical_id)
        verb = "UPDATE" if before else "CREATE"
        try:
            properties, dynamic = self._resolve(logical_id)
            properties = schemas.typed(kind, properties)
        except Exception:
            self.event(logical_id, f"{verb}_IN_PROGRESS", physical_id=(before or {}).get("PhysicalResourceId", ""))
            raise
        more = {"_dynamic": dynamic} if dynamic else {}
        new = self._tagged(logical_id, properties, self.stack.get("Tags"))
        physical_id = (before or {}).get("PhysicalResourceId", "")
        if before:
            old = self._tagged(logical_id, before["Properties"], self.previous.get("Tags"))
            if old == new:
                self.records[logical_id] = {**before, **more}
                return
            replacing = provisioners._replacing_change(kind, old, new)
            self.event(logical_id, "UPDATE_IN_PROGRESS",
                       "Requested update requires the creation of a new physical resource; hence creating one." if replacing else "",
                       physical_id)  # fmt: skip
            self.record(logical_id, "UPDATE_IN_PROGRESS", physical_id, before["Properties"], before["Attributes"], **more)
        else:
            self.event(logical_id, "CREATE_IN_PROGRESS")
            self.record(logical_id, "CREATE_IN_PROGRESS", **more)
        invalid = schemas.problems(logical_id, kind, properties)
        if invalid:
            raise ValueError(invalid)
        await asyncio.sleep(self._pace() / 2)

        cancelled = None
        if before:
            deletes = []
            retained = self._policy(logical_id, "UpdateReplacePolicy") in stacks._RETAINING_POLICIES
            provisioners._RETAIN_REPLACED.set(retained)
            provisioners._DEFERRED_PREDECESSOR_DELETES.set(deletes)
            provisioners._NAME_SEED.set(before.get("_name_seed", ""))
            work = run_reentrant(
                stacks._update_keeping_seed, kind, physical_id, old, new, self.name, logical_id, before["Attributes"]
            )
            ((new_id, attributes), seed), cancelled = await _whole(work)
            if new_id != physical_id or deletes:
                self.replaced.append((logical_id, kind, physical_id, new_id, before["Properties"], deletes, retained))
        else:
            work = run_reentrant(stacks._provision_keeping_seed, kind, logical_id, new, self.name)
            ((new_id, attributes), seed), cancelled = await _whole(work)
        self.begun.append(logical_id)
        if seed:
            more["_name_seed"] = seed
        self.record(logical_id, f"{verb}_IN_PROGRESS", new_id, properties, attributes, **more)
        if new_id != physical_id:
            self.event(logical_id, f"{verb}_IN_PROGRESS", "Resource creation Initiated", new_id)
        if cancelled:
            raise cancelled

        await asyncio.sleep(self._pace() / 2)
        stable = STABILISERS.get(kind)
        while stable and not stable(new_id):
            await asyncio.sleep(0.05)
        self.record(logical_id, f"{verb}_COMPLETE", new_id, properties, attributes, **more)
        self.event(logical_id, f"{verb}_COMPLETE", "", new_id)

    def _pace(self):
        return PACES.get(self.id.split(":")[4], PACE["seconds"])

    def _policy(self, logical_id, attribute, definitions=None, records=None, template=None, values=None, conditions=None):
        from ministack.services.cloudformation import stacks

        return stacks._resource_policy(
            (definitions or self.definitions).get(logical_id), attribute, records or self.records, values or self.values,
            self.conditions if conditions is None else conditions, (template or self.template).get("Mappings") or {}, self.name, self.id)  # fmt: skip

    # --- all of them

    async def run(self, disable_rollback):
        from ministack.services.cloudformation import engine, stacks

        self.conditions = engine._evaluate_conditions(self.template, self.values)
        order = engine._topological_sort(self.definitions, self.conditions)
        if not self.stack.get("_disable_validation") and stacks._fail_property_validation(
            self.stack, self.id, self.name, self.definitions, order, self.values, self.conditions, self.mappings,
            disable_rollback, previous_stack=self.previous if self.update else None,
        ):  # fmt: skip
            return
        self.stack.pop("_cancel_requested", None)
        await self._provision(order)
        if self.stack.get("_abandoned"):
            return
        outputs, exports, reason = [], {}, ""
        if not self.failures and not self.cancelled:
            try:
                surviving = {k: v for k, v in self.records.items() if k in order}
                outputs, exports = stacks._resolve_stack_outputs(
                    self.template.get("Outputs") or {}, self.conditions, surviving, self.values, self.mappings, self.name, self.id
                )
            except Exception as error:
                reason = str(error)
        if self.failures or self.cancelled or reason:
            await self._fail(reason, disable_rollback)
        else:
            await self._succeed(order, outputs, exports)

    async def _provision(self, order):
        needs = {name: {d for d in _dependencies(self.definitions[name], order) if d != name} for name in order}
        waiting, running, done = list(order), {}, set()
        while (waiting or running) and not self._stopped():
            for name in [n for n in waiting if needs[n] <= done]:
                waiting.remove(name)
                running[name] = asyncio.create_task(self.resource(name))
            finished, _ = await asyncio.wait(running.values(), timeout=0.1, return_when=asyncio.FIRST_COMPLETED)
            for name in [n for n, task in running.items() if task in finished]:
                del running[name]
                done.add(name)
        for task in running.values():
            task.cancel()
        if running:
            await asyncio.wait(running.values(), timeout=30)

    def _stopped(self):
        from ministack.services.cloudformation import stacks

        if self.update and self.stack.pop("_cancel_requested", False):
            stacks.CLIENT_REQUEST_TOKEN.set(self.stack.pop("_cancel_token", ""))
            self.cancelled = True
        return bool(self.failures) or self.cancelled or self.stack.get("_abandoned", False)

    def _reason(self, extra):
        if self.cancelled:
            return "User Initiated"
        if extra:
            return extra
        created = [name for name in self.failures if name not in self.old]
        updated = [name for name in self.failures if name in self.old]
        parts = [
            f"The following resource(s) failed to {verb}: [{', '.join(names)}]."
            for verb, names in (("create", created), ("update", updated))
            if names
        ]
        return " ".join(parts) + (" " if self.update else " Rollback requested by user.")

    async def _fail(self, extra, disable_rollback):
        from ministack.services.cloudformation import stacks

        reason = self._reason(extra)
        refused = [name for name in self.failures if name in self.old and name not in self.begun]
        for name in self.failures:
            if name not in self.begun:
                self.records.pop(name, None) if name not in self.old else self.records.update({name: self.old[name]})
        operation = stacks._failed_operation(
            self.update, self.previous, self.begun, None, None, [entry[0] for entry in self.replaced], self.cancelled,
            self.template, self.values, self.retain, self.stack.get("Tags") or [], self.previous.get("Tags") or [])  # fmt: skip
        if disable_rollback:
            self.stack["_failed_operation"] = operation
            self.stack_event(f"{self.verb}_FAILED", reason.removesuffix("Rollback requested by user."))
            return
        for name in refused:
            self.event(name, "UPDATE_COMPLETE", "", self.old[name]["PhysicalResourceId"])
        await stacks._roll_back_operation(self.name, self.id, self.stack, operation, reason_override=reason)

    async def _succeed(self, order, outputs, exports):
        from ministack.services.cloudformation import _exports

        self.stack.update(_template=self.template, _resolved_params=self.values, Outputs=outputs)
        _exports.update(exports)
        if self.update:
            self.stack_event("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
            for name, kind, old_id, new_id, properties, deletes, retained in reversed(self.replaced):
                if retained:
                    self.event(name, "DELETE_SKIPPED", "", old_id, kind)
                    continue
                await self._delete(name, kind, old_id if old_id != new_id else "", properties, deletes)
            await self._remove(order)
        self.stack["_resources"] = self.records
        self.stack_event(f"{self.verb}_COMPLETE")

    async def _remove(self, order):
        """What the new template no longer has, dependents first."""
        from ministack.services.cloudformation import engine, stacks

        template = self.previous.get("_template") or {}
        definitions = template.get("Resources") or {}
        gone = [name for name in self.old if name not in order]
        with contextlib.suppress(ValueError):
            ordered = engine._topological_sort(definitions, self.previous.get("_conditions") or {})
            gone.sort(key=lambda name: ordered.index(name) if name in ordered else len(ordered))
        for name in reversed(gone):
            old = self.old[name]
            policy = self._policy(
                name,
                "DeletionPolicy",
                definitions,
                self.old,
                template,
                self.previous.get("_resolved_params"),
                self.previous.get("_conditions") or {},
            )
            if policy in stacks._RETAINING_POLICIES:
                self.event(name, "DELETE_SKIPPED", "", old["PhysicalResourceId"], old["ResourceType"])
                self.records.pop(name, None)
            elif await self._delete(name, old["ResourceType"], old["PhysicalResourceId"], old["Properties"], []):
                self.records.pop(name, None)

    async def _delete(self, name, kind, physical_id, properties, deletes):
        from ministack.core.concurrency import run_reentrant
        from ministack.services.cloudformation import stacks

        self.event(name, "DELETE_IN_PROGRESS", "", physical_id, kind)
        try:
            for function, arguments, keywords in deletes:
                function(*arguments, **keywords)
            if physical_id:
                await run_reentrant(stacks._delete_resource, kind, physical_id, properties, self.name, name)
        except Exception as error:
            self.event(name, "DELETE_FAILED", str(error), physical_id, kind)
            return False
        self.event(name, "DELETE_COMPLETE", "", physical_id, kind)
        return True


async def _whole(work):
    """The result of a handler's call, and the cancellation that came meanwhile: what a handler made must be known, to be deleted."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task), None
    except asyncio.CancelledError as cancelled:
        return await task, cancelled


def _without_no_value(value, marker):
    if isinstance(value, dict):
        return {key: _without_no_value(item, marker) for key, item in value.items() if item is not marker}
    if isinstance(value, list):
        return [_without_no_value(item, marker) for item in value if item is not marker]
    return value


def _dependencies(definition, names):
    from ministack.services.cloudformation import engine

    return engine._extract_deps(definition, set(names))


async def _deploy(stack_name, stack_id, template, values, disable_rollback, tags, is_update=False, previous_stack=None,
                  retain_except_on_create=False, imports=None):  # fmt: skip
    operation = Operation(stack_name, stack_id, template, values, is_update, previous_stack, retain_except_on_create)
    stack = operation.stack
    stack["_operation"] = operation
    try:
        await operation.run(disable_rollback)
    except Exception as error:  # a fault of the bed: never leave a stack in progress for ever
        operation.stack_event(f"{operation.verb}_FAILED", f"Internal Failure: the emulator's own fault: {error!r}")
        raise
    finally:
        stack.pop("_operation", None)
        operation.finished.set()


def _wrap_delete(original):
    """DeleteStack during an operation ends it first ("Delete a stack", User Guide: a stack can be deleted while it's being created)."""

    async def delete(stack_name, stack_id, *arguments, **keywords):
        from ministack.services.cloudformation import _stacks

        stack = _stacks.get(stack_name)
        running = stack and stack.get("_operation")
        if running:
            stack["_abandoned"] = True
            until = time.monotonic() + 30
            while not running.finished.is_set() and time.monotonic() < until:
                await asyncio.sleep(0.05)
            stack.pop("_abandoned", None)
            stack["_template"] = running.template
            for name in list(running.records):
                if not running.records[name].get("PhysicalResourceId"):
                    del running.records[name]
        await original(stack_name, stack_id, *arguments, **keywords)

    return delete


def _wrap_event(original):
    def add(stack_id, stack_name, logical_id, resource_type, status, reason="", physical_id="", detailed_status=""):
        from ministack.services.cloudformation import _stacks

        if resource_type == "AWS::CloudFormation::Stack":
            physical_id = physical_id or stack_id
            if status in USER_INITIATED and not reason:
                reason = "User Initiated"
            if reason == "Rollback complete":
                reason = ""
            stack = _stacks.get(stack_name)
            if stack and stack.get("StackId") == stack_id:
                stack["StackStatusReason"] = reason
        original(stack_id, stack_name, logical_id, resource_type, status, reason, physical_id, detailed_status)

    return add


def _wrap_update(original):
    """For ministack's rollback, which calls the update handler and takes the resource to be done: waits until it is stable."""

    def update(kind, physical_id, old, new, *arguments, **keywords):
        result = original(kind, physical_id, old, new, *arguments, **keywords)
        stable = STABILISERS.get(kind)
        while stable and old != new and not stable(result[0]):
            time.sleep(0.05)
        return result

    return update


def install():
    from ministack.services.cloudformation import changesets, custom_resource, handlers, provisioners, stacks

    plain_update = provisioners._update_resource
    stacks._update_resource = _wrap_update(plain_update)

    def keeping_seed(*arguments):
        return plain_update(*arguments), provisioners._NAME_SEED.get()

    stacks._update_keeping_seed = keeping_seed
    worker = stacks._runs_on_worker_thread
    stacks._runs_on_worker_thread = lambda kind: kind in STABILISERS or worker(kind)
    event, delete = _wrap_event(stacks._add_event), _wrap_delete(stacks._delete_stack_async)
    for module in (stacks, handlers, changesets, custom_resource, provisioners):
        for name, replacement in (("_add_event", event), ("_delete_stack_async", delete), ("_deploy_stack_async", _deploy)):
            if hasattr(module, name):
                setattr(module, name, replacement)
