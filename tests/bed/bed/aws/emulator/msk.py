"""Users of Amazon MSK from secrets: BatchAssociateScramSecret, and AWS::MSK::BatchScramSecret in CloudFormation.

- A secret whose name doesn't begin with AmazonMSK_, that isn't there, or that is encrypted with the key which AWS keeps for Secrets
  Manager is not taken ("Working with SCRAM secrets", Amazon MSK Developer Guide); the answer is a success that names it under
  `unprocessedScramSecrets` (API reference, clusters-clusterarn-scram-secrets).
- A resource of CloudFormation fails where any of its secrets is not taken; its Ref is the cluster's ARN (Template Reference).
- Keys of JSON are written in lower camel case, as everywhere in the API reference.

Not imitated: the resource policy that MSK puts on a secret, the limit of ten secrets a call, and what happens to a user whose secret is gone.
"""

import json

from .operations import HandlerError


def _refusal(arn):
    from ministack.services import kms, secretsmanager

    secret = next((s for s in secretsmanager._secrets.values() if s["ARN"] == arn), None)
    if secret is None:
        return "The provided secret ARN doesn't exist."
    if not secret["Name"].startswith("AmazonMSK_"):
        return "The provided secret's name must begin with the prefix AmazonMSK_."
    key = secret.get("KmsKeyId")
    if not key or key.endswith("alias/aws/secretsmanager"):
        return "The provided secret is encrypted using the default AWS KMS key. You can't use it with Amazon MSK."
    if kms._resolve_key(key) is None:
        return "The KMS key of the provided secret doesn't exist."
    return None


def _associate(original):
    def associate(arn, body):
        wanted = json.loads(body or b"{}").get("secretArnList") or []
        why = {secret: _refusal(secret) for secret in wanted}
        status, headers, answer = original(arn, json.dumps({"secretArnList": [secret for secret in wanted if not why[secret]]}))
        if status == 200:
            answer = json.loads(answer)
            answer["unprocessedScramSecrets"] += [
                {"errorCode": "InvalidParameter", "errorMessage": said, "secretArn": secret} for secret, said in why.items() if said
            ]
            answer = json.dumps(answer).encode()
        return status, headers, answer

    return associate


def _batch_handlers():
    def associate(cluster, secrets):
        from ministack.services import msk

        status, _, answer = msk._batch_associate_scram(cluster, json.dumps({"secretArnList": secrets}))
        answer = json.loads(answer)
        if status != 200:
            raise HandlerError(answer["Message"], "NotFound")
        if answer["unprocessedScramSecrets"]:
            raise HandlerError(str(answer["unprocessedScramSecrets"]), "InvalidRequest")

    def create(logical_id, properties, stack_name):
        associate(properties["ClusterArn"], properties.get("SecretArnList") or [])
        return properties["ClusterArn"], {}

    def update(physical_id, old, new, stack_name):
        from ministack.services import msk

        gone = [secret for secret in old.get("SecretArnList") or [] if secret not in (new.get("SecretArnList") or [])]
        msk._batch_disassociate_scram(physical_id, json.dumps({"secretArnList": gone}))
        added = [secret for secret in new.get("SecretArnList") or [] if secret not in (old.get("SecretArnList") or [])]
        associate(physical_id, added)
        return physical_id, {}

    def delete(physical_id, properties):
        from ministack.services import msk

        msk._batch_disassociate_scram(physical_id, json.dumps({"secretArnList": properties.get("SecretArnList") or []}))

    return {"create": create, "update": update, "delete": delete}


def install():
    from ministack.services import msk
    from ministack.services.cloudformation import provisioners

    msk._batch_associate_scram = _associate(msk._batch_associate_scram)
    provisioners._RESOURCE_HANDLERS["AWS::MSK::BatchScramSecret"] = _batch_handlers()
