"""The container registries and the stand-in for the Schema Registry."""

import base64
import hashlib
import json
import ssl
import unittest
import urllib.error
import urllib.request

from .aws_support import bed
from .support import PATIENCE

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def basic(user, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def http(url, method="GET", data=None, headers=None, context=None):
    """Status, headers and body; an HTTP error is an answer too."""
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE, context=context) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


class Images(unittest.TestCase):
    def push(self, registry, headers):
        """A tiny image by the protocol: one layer, a configuration, a manifest. Returns the manifest's digest."""
        blobs = [
            json.dumps({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}).encode(),
            b"layer",
        ]
        described = []
        for blob in blobs:
            digest = "sha256:" + hashlib.sha256(blob).hexdigest()
            status, answer, _ = http(f"http://{registry}/v2/tiny/blobs/uploads/", "POST", b"", headers)
            self.assertEqual(status, 202)
            status, _, _ = http(
                f"{answer['Location']}&digest={digest}", "PUT", blob, {**headers, "Content-Type": "application/octet-stream"}
            )
            self.assertEqual(status, 201)
            described.append({"mediaType": "application/octet-stream", "digest": digest, "size": len(blob)})
        described[0]["mediaType"] = "application/vnd.oci.image.config.v1+json"
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": described[0], "layers": described[1:]}
        status, answer, _ = http(
            f"http://{registry}/v2/tiny/manifests/v1", "PUT", json.dumps(manifest).encode(), {**headers, "Content-Type": MANIFEST}
        )
        self.assertEqual(status, 201)
        return answer["Docker-Content-Digest"]

    def pull(self, registry, headers):
        status, answer, body = http(f"http://{registry}/v2/tiny/manifests/v1", headers={**headers, "Accept": MANIFEST})
        self.assertEqual(status, 200)
        layer = json.loads(body)["layers"][0]["digest"]
        self.assertEqual(http(f"http://{registry}/v2/tiny/blobs/{layer}", headers=headers)[2], b"layer")
        return answer["Docker-Content-Digest"]

    def test_push_and_pull_without_a_login(self):
        registry = bed().call("registry/start")["open"]
        self.assertEqual(self.push(registry, {}), self.pull(registry, {}))

    def test_push_and_pull_with_a_login(self):
        facts = bed().call("registry/start")
        status, headers, _ = http(f"http://{facts['auth']}/v2/")
        self.assertEqual((status, headers["WWW-Authenticate"]), (401, 'Basic realm="bed"'))
        self.assertEqual(http(f"http://{facts['auth']}/v2/", headers=basic(facts["user"], "wrong"))[0], 401)
        login = basic(facts["user"], facts["password"])
        self.assertEqual(self.push(facts["auth"], login), self.pull(facts["auth"], login))

    def test_one_of_the_tests_own_is_empty(self):
        made = bed().call("registry/new", auth=False)["registry"]
        self.assertEqual(json.loads(http(f"http://{made}/v2/_catalog")[2]), {"repositories": []})


class SchemaRegistry(unittest.TestCase):
    def get(self, made, path, context=None, password=None):
        status, _, body = http(made["url"] + path, headers=basic(made["user"], password or made["password"]), context=context)
        return status, json.loads(body)

    def test_what_it_answers(self):
        made = bed().call("schema_registry/new", subjects=["a-value"], compatibility="FULL", mode="READONLY")
        self.assertEqual(self.get(made, "/"), (200, {}))
        self.assertEqual(self.get(made, "/subjects"), (200, ["a-value"]))
        self.assertEqual(self.get(made, "/config"), (200, {"compatibilityLevel": "FULL"}))
        self.assertEqual(self.get(made, "/mode"), (200, {"mode": "READONLY"}))
        self.assertEqual(self.get(made, "/config/a-value")[1]["error_code"], 40408)
        self.assertEqual(self.get(made, "/schemas")[0], 404)

    def test_credentials(self):
        made = bed().call("schema_registry/new", user="sr", password="p:ä")
        status, headers, body = http(made["url"] + "/subjects")
        self.assertEqual((status, json.loads(body)), (401, {"error_code": 401, "message": "Unauthorized"}))
        self.assertIn("Basic", headers["WWW-Authenticate"])
        self.assertEqual(self.get(made, "/subjects", password="wrong")[0], 401)
        self.assertEqual(self.get(made, "/subjects")[0], 200)
        seen = bed().call("schema_registry/requests", id=made["id"])["requests"]
        self.assertEqual(
            [(r["path"], r["status"], r["user"]) for r in seen],
            [("/subjects", 401, None), ("/subjects", 401, "sr"), ("/subjects", 200, "sr")],
        )
        self.assertNotIn("authorization", [key.lower() for r in seen for key in r["headers"]])

    def test_forbidden_and_scripted_answers(self):
        made = bed().call(
            "schema_registry/new", forbidden=["/subjects"], answers={"/mode": [500, {"error_code": 50001, "message": "store"}]}
        )
        self.assertEqual(
            self.get(made, "/subjects"), (403, {"error_code": 40301, "message": "User is denied operation on this server."})
        )
        self.assertEqual(self.get(made, "/mode")[0], 500)
        self.assertEqual(self.get(made, "/config")[0], 200)
        opened = bed().call("schema_registry/new", open=True)
        self.assertEqual(http(opened["url"] + "/subjects")[0], 200)
        bed().call("schema_registry/close", id=opened["id"])
        with self.assertRaises(urllib.error.URLError):
            http(opened["url"] + "/subjects")

    def test_tls(self):
        made = bed().call("schema_registry/new", tls=True)
        trusted = ssl.create_default_context(cafile=made["ca"])
        self.assertEqual(self.get(made, "/subjects", trusted)[0], 200)
        for kind, told in (("expired", "certificate has expired"), ("other_host", "IP address mismatch")):
            wrong = bed().call("schema_registry/new", tls=kind)
            with self.assertRaisesRegex(urllib.error.URLError, told):
                self.get(wrong, "/subjects", ssl.create_default_context(cafile=wrong["ca"]))
        with self.assertRaisesRegex(urllib.error.URLError, "self-signed certificate"):
            self.get(made, "/subjects", ssl.create_default_context())


if __name__ == "__main__":
    unittest.main()
