"""ECR: the address of the account's registry, and its scans.

- `proxyEndpoint` of GetAuthorizationToken and `repositoryUri` name a registry that is really there, where a test gave one
  (API_AuthorizationData: "The registry URL to use for this authorization token"). On AWS it is the account's own host name.
- DescribeImageScanFindings: what a test gave for a digest; ScanNotFoundException for an image that was never scanned
  (API_DescribeImageScanFindings, "Errors").
- GetRepositoryPolicy of another registry (`registryId`): its owner's policy decides who reads it ("Private repository policies in Amazon
  ECR"); whoever isn't let in gets AccessDeniedException. Of a policy only the principals are looked at.
"""

_registries, _scans = {}, {}


def set_registry(address):
    from ministack.core.responses import get_account_id

    _registries[get_account_id()] = address


def set_scans(scans):
    from ministack.core.responses import get_account_id

    _scans[get_account_id()] = scans


def _wrap_requests(original):
    import json

    from ministack.core.responses import error_response_json, get_account_id, json_response

    async def handle(method, path, headers, body, query_params):
        if not headers.get("x-amz-target", "").endswith(".DescribeImageScanFindings"):
            return await original(method, path, headers, body, query_params)
        data = json.loads(body)
        digest = data.get("imageId", {}).get("imageDigest")
        counts = _scans.get(get_account_id(), {}).get(digest)
        if counts is None:
            return error_response_json("ScanNotFoundException", f"Image scan does not exist for {digest}", 400)
        return json_response({
            "repositoryName": data["repositoryName"], "imageId": {"imageDigest": digest}, "imageScanStatus": {"status": "COMPLETE"},
            "imageScanFindings": {"findings": [], "findingSeverityCounts": counts},
        })  # fmt: skip

    return handle


def _wrap_token(original):
    import json

    from ministack.core.responses import get_account_id

    def token(data):
        status, headers, body = original(data)
        address = _registries.get(get_account_id())
        if address:
            answer = json.loads(body)
            for entry in answer["authorizationData"]:
                entry["proxyEndpoint"] = f"http://{address}"
            body = json.dumps(answer)
        return status, headers, body

    return token


def _wrap_policy(original):
    import json

    from ministack.core.responses import error_response_json, get_account_id, get_region, request_scope

    def policy(data):
        caller, owner = get_account_id(), data.get("registryId") or get_account_id()
        with request_scope(owner, get_region()):
            status, headers, body = original(data)
        if owner == caller:
            return status, headers, body
        text = json.loads(json.loads(body)["policyText"]) if status == 200 else {"Statement": []}
        reads = [s for s in text["Statement"] if "ecr:GetRepositoryPolicy" in s["Action"] and caller in json.dumps(s["Principal"])]
        if not reads:
            name = data.get("repositoryName", "")
            words = f"User: arn:aws:iam::{caller}:user/bed is not authorized to perform: ecr:GetRepositoryPolicy on resource: {name} because no resource-based policy allows the ecr:GetRepositoryPolicy action"
            return error_response_json("AccessDeniedException", words, 400)
        return status, headers, body

    return policy


def _wrap_uri(original):
    from ministack.core.responses import get_account_id

    def uri(name):
        address = _registries.get(get_account_id())
        return f"{address}/{name}" if address else original(name)

    return uri


def install():
    from ministack.services import ecr

    ecr._get_authorization_token = _wrap_token(ecr._get_authorization_token)
    ecr._get_repository_policy = _wrap_policy(ecr._get_repository_policy)
    ecr._repo_uri = _wrap_uri(ecr._repo_uri)
    ecr.handle_request = _wrap_requests(ecr.handle_request)
