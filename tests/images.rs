//! `images check` and `push`, from the command line in: real registries on loopback, with a front before them for what real ones and
//! real networks do. Skopeo makes the images and says what arrived.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use confluent_ecs::images::Digest;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::bed::bed;
use crate::support::deployment::Deployment;
use crate::support::program::Ran;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// An image for these processors as a folder of the OCI layout: one small layer that all share, one of `size` bytes for each.
fn layout(folder: &Path, architectures: &[&str], size: usize) {
    let blob = |bytes: &[u8]| {
        let digest = Digest::of(bytes);
        let path = folder.join("blobs/sha256");
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join(digest.as_str().trim_start_matches("sha256:")), bytes).unwrap();
        (digest.to_string(), bytes.len())
    };
    let layer = |seed: u64, size: usize| {
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let bytes: Vec<u8> = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[0]
        })
        .take(size)
        .collect();
        let mut packed = GzEncoder::new(Vec::new(), Compression::none());
        packed.write_all(&bytes).unwrap();
        (blob(&packed.finish().unwrap()), Digest::of(&bytes))
    };
    let (shared, shared_plain) = layer(1, 2000);
    let mut manifests = Vec::new();
    for (index, architecture) in architectures.iter().enumerate() {
        let (own, own_plain) = layer(2 + index as u64, size);
        let config = json!({ "os": "linux", "architecture": architecture, "created": "2026-08-24T10:00:00Z",
            "rootfs": { "type": "layers", "diff_ids": [shared_plain, own_plain] },
            "config": { "Env": ["PATH=/usr/bin", "CUB_CLASSPATH=\"/usr/share/java/cp-base-new/*\""], "Cmd": ["/etc/confluent/docker/run"] } });
        let config = blob(config.to_string().as_bytes());
        let piece = |kind: &str, (digest, size): &(String, usize)| json!({ "mediaType": kind, "digest": digest, "size": size });
        let manifest = json!({ "schemaVersion": 2, "mediaType": MANIFEST, "config": piece(CONFIG, &config),
            "layers": [piece(LAYER, &shared), piece(LAYER, &own)] });
        let manifest = blob(manifest.to_string().as_bytes());
        let mut entry = piece(MANIFEST, &manifest);
        entry["platform"] = json!({ "os": "linux", "architecture": architecture });
        manifests.push(entry);
    }
    let index = blob(json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }).to_string().as_bytes());
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let top = json!({ "schemaVersion": 2, "manifests": [{ "mediaType": INDEX, "digest": index.0, "size": index.1,
        "annotations": { "org.opencontainers.image.ref.name": "made" } }] });
    fs::write(folder.join("index.json"), top.to_string()).unwrap();
}

pub(crate) fn skopeo(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new("skopeo").args(arguments).output().unwrap();
    assert!(output.status.success(), "skopeo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Puts an image into an open registry, once: the registry's files are not for two who write the same one, nor for one who reads it
/// meanwhile.
pub(crate) fn make(registry: &str, name: &str, architectures: &[&str], size: usize) {
    static MADE: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if !made.insert(format!("{registry}/{name}")) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    layout(folder.path(), architectures, size);
    let from = format!("oci:{}:made", folder.path().display());
    skopeo(&["copy", "--all", "--preserve-digests", "--dest-tls-verify=false", &from, &format!("docker://{registry}/{name}")]);
}

/// The digest of a name, as Skopeo reads the manifest.
pub(crate) fn digest(registry: &str, name: &str, login: Option<&str>) -> String {
    let image = format!("docker://{registry}/{name}");
    let mut arguments = vec!["inspect", "--raw", "--tls-verify=false"];
    arguments.extend(login.map(|_| "--creds"));
    arguments.extend(login);
    arguments.push(&image);
    Digest::of(&skopeo(&arguments)).to_string()
}

pub(crate) fn open() -> String {
    bed().facts("registry")["open"].as_str().unwrap().to_owned()
}

/// A registry with a login, in the part of ECR, behind a front; its address and the one behind it.
pub(crate) struct EcrPart {
    pub(crate) shop: Deployment,
    pub(crate) front: String,
    pub(crate) id: Value,
    pub(crate) behind: String,
    pub(crate) login: String,
}

pub(crate) fn ecr(faults: &Value) -> EcrPart {
    let made = bed().call("registry/new", &json!({ "auth": true }));
    let behind = made["registry"].as_str().unwrap().to_owned();
    let mut wanted = faults.clone();
    wanted["registry"] = behind.clone().into();
    wanted["no_location"] = true.into();
    let front = bed().call("registry/front", &wanted);
    let shop = Deployment::empty();
    let address = front["registry"].as_str().unwrap().to_owned();
    shop.seed(&json!({ "registry": address }));
    let login = format!("{}:{}", made["user"].as_str().unwrap(), made["password"].as_str().unwrap());
    EcrPart { shop, front: address, id: front["id"].clone(), behind, login }
}

fn front(registry: &str, faults: &Value) -> (String, Value) {
    let mut wanted = faults.clone();
    wanted["registry"] = registry.into();
    let made = bed().call("registry/front", &wanted);
    (made["registry"].as_str().unwrap().to_owned(), made["id"].clone())
}

pub(crate) fn seen(id: &Value) -> Vec<Value> {
    bed().call("registry/seen", &json!({ "id": id }))["requests"].as_array().unwrap().clone()
}

/// A project with one service of this image.
fn project(shop: &Deployment, image: &str, more: &str) {
    let text = format!(
        "name: shop\nservices:\n  worker:\n    image: {image}\n{more}    deploy: {{ resources: {{ limits: {{ cpus: \"0.5\", memory: 1G }} }} }}\n"
    );
    fs::write(shop.path().join("docker-compose.yml"), text).unwrap();
}

fn push(shop: &Deployment, more: &[&str]) -> Ran {
    shop.run(&[["images", "push", "--yes"].as_slice(), more].concat())
}

#[test]
fn an_index_of_two_architectures_arrives_with_its_digest() {
    let source = open();
    make(&source, "team/two:1.0", &["amd64", "arm64"], 300_000);
    let ecr = ecr(&json!({}));
    project(&ecr.shop, &format!("{source}/team/two:1.0"), "");
    let asked = ecr.shop.run(&["images", "push"]);
    assert_eq!(asked.code, 2, "{asked:?}");
    assert!(seen(&ecr.id).is_empty(), "something was done without consent");
    let ran = push(&ecr.shop, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let expected = digest(&source, "team/two:1.0", None);
    assert_eq!(digest(&ecr.behind, "team/two:1.0", Some(&ecr.login)), expected);
    let line = format!("image: {}/team/two:1.0@{expected}  (docker-compose.yml:4:12)", ecr.front);
    assert!(ran.stdout.contains(&line), "{ran:?}");
    assert!(ran.stderr.contains("new  repository team/two"), "{ran:?}");
    // Everything is there: nothing is sent, and nothing is asked for that could be.
    let again = push(&ecr.shop, &["--output", "json"]);
    let document: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(document["schema"], "confluent-ecs/images-push/v1");
    let image = &document["images"][0];
    assert_eq!((&image["was_there"], &image["digest"]), (&true.into(), &expected.into()), "{document}");
}

#[test]
fn a_layer_that_another_repository_has_is_not_sent_again() {
    let source = open();
    make(&source, "team/mounted:1.0", &["amd64"], 200_000);
    let ecr = ecr(&json!({}));
    project(&ecr.shop, &format!("{source}/team/mounted:1.0"), "");
    assert_eq!(push(&ecr.shop, &["--prefix", "one"]).code, 0);
    let before = seen(&ecr.id).len();

    // From ECR to ECR: the repository that it comes from is asked first.
    project(&ecr.shop, &format!("{}/one/team/copy:1.0", ecr.front), "");
    let from = format!("{}/one/team/mounted:1.0", ecr.front);
    let ran = push(&ecr.shop, &["--from", &from]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("0 blobs sent") && ran.stdout.contains("3 taken over inside of ECR"), "{ran:?}");
    let patches = seen(&ecr.id).into_iter().skip(before).filter(|request| request["method"] == "PATCH").count();
    assert_eq!(patches, 0);
}

#[test]
fn a_connection_that_breaks_is_taken_up_where_it_broke() {
    const SIZE: usize = 3_000_000;
    let source = open();
    make(&source, "team/cut:1.0", &["amd64"], SIZE);
    let expected = digest(&source, "team/cut:1.0", None);
    let cut = json!({ "bytes": 1_000_000, "times": 2 });
    let kept = json!({ "bytes": 1_000_000, "times": 2, "kept": true });
    for (from, to, most) in [
        (json!({ "cut_get": cut }), json!({}), SIZE * 2),
        (json!({ "cut_get": cut, "no_ranges": true }), json!({}), SIZE * 4),
        (json!({}), json!({ "cut_patch": kept }), SIZE * 3),
        // This registry gives a broken upload up: the layer is sent anew.
        (json!({}), json!({ "cut_patch": cut }), SIZE * 4),
        (json!({}), json!({ "cut_patch": kept, "relative": true }), SIZE * 3),
        // All of it is there, and only the answer got lost: nothing is sent a second time.
        (json!({}), json!({ "lost_patch": { "times": 1 } }), SIZE + 10_000),
        // A range is refused: it is read from the start.
        (
            json!({ "cut_get": cut, "refuse": [{ "method": "GET", "path": "/blobs/", "range": true, "status": 416 }] }),
            json!({}),
            SIZE * 4,
        ),
    ] {
        let (address, id) = front(&source, &from);
        let ecr = ecr(&to);
        project(&ecr.shop, &format!("{address}/team/cut:1.0"), "");
        let ran = push(&ecr.shop, &[]);
        assert_eq!(ran.code, 0, "{from} {to}: {ran:?}");
        assert!(ran.stderr.contains("the connection broke"), "{from} {to}: {ran:?}");
        assert_eq!(digest(&ecr.behind, "team/cut:1.0", Some(&ecr.login)), expected);
        let asked = seen(&id).into_iter().filter(|request| request["path"].as_str().unwrap().contains("/blobs/"));
        let sent: u64 = asked.map(|request| request["sent"].as_u64().unwrap()).sum();
        assert!(sent < most as u64, "{from} {to}: {sent} bytes for a layer of {SIZE}");
    }
}

#[test]
fn a_login_that_ends_while_a_layer_is_sent_is_renewed() {
    let source = open();
    make(&source, "team/ended:1.0", &["amd64"], 300_000);
    // ECR's own words, and those of a registry that asks for the login anew.
    let ended = json!({ "errors": [{ "code": "DENIED", "message": "Your authorization token has expired. Reauthenticate and try again." }] });
    for (status, headers, body) in [
        (403, json!({}), ended),
        (401, json!({ "WWW-Authenticate": "Basic realm=\"bed\"" }), json!({ "errors": [{ "code": "UNAUTHORIZED" }] })),
    ] {
        let refusal =
            json!({ "method": "PATCH", "path": "/uploads/", "status": status, "times": 2, "headers": headers, "body": body });
        let ecr = ecr(&json!({ "refuse": [refusal] }));
        project(&ecr.shop, &format!("{source}/team/ended:1.0"), "");
        let ran = push(&ecr.shop, &[]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.stderr.contains("the login ended; sha256:"), "{ran:?}");
        assert_eq!(digest(&ecr.behind, "team/ended:1.0", Some(&ecr.login)), digest(&source, "team/ended:1.0", None));
    }
    // What the caller may not do is no login that ended.
    let denied = json!({ "errors": [{ "code": "DENIED", "message": "not authorized to perform: ecr:UploadLayerPart" }] });
    let ecr = ecr(&json!({ "refuse": [{ "method": "PATCH", "path": "/uploads/", "status": 403, "body": denied }] }));
    project(&ecr.shop, &format!("{source}/team/ended:1.0"), "");
    let ran = push(&ecr.shop, &[]);
    assert_eq!(ran.code, 2, "{ran:?}");
    let said = format!("{} doesn't take a layer for team/ended", ecr.front);
    assert!(ran.stderr.contains(&said) && ran.stderr.contains("ecr:UploadLayerPart"), "{ran:?}");
    let sent = seen(&ecr.id).into_iter().filter(|request| request["method"] == "PATCH").count();
    assert!(sent <= 6, "{sent} attempts at what is not allowed");
}

#[test]
fn a_login_stays_with_its_registry() {
    let source = open();
    make(&source, "team/elsewhere:1.0", &["amd64"], 100_000);
    let (elsewhere, there) = front(&source, &json!({}));
    let token = json!({ "token": { "user": "ana", "password": "secret" }, "elsewhere": elsewhere });
    let (address, here) = front(&source, &token);
    let ecr = ecr(&json!({}));
    project(&ecr.shop, &format!("{address}/team/elsewhere:1.0"), "");
    let config = json!({ "auths": { &address: { "username": "ana", "password": "secret" } } });
    let docker = tempfile::tempdir().unwrap();
    fs::write(docker.path().join("config.json"), config.to_string()).unwrap();
    let variables = [("DOCKER_CONFIG", docker.path().to_str().unwrap())];
    let ran = ecr.shop.run_with(&["images", "push", "--yes"], "", &variables);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(digest(&ecr.behind, "team/elsewhere:1.0", Some(&ecr.login)), digest(&source, "team/elsewhere:1.0", None));
    let with = |id| seen(id).into_iter().map(|request| request["login"].as_bool().unwrap()).collect::<Vec<_>>();
    assert!(with(&here).contains(&true));
    assert!(!with(&there).is_empty() && !with(&there).contains(&true), "a login went to where the layers are kept");
}

#[test]
fn a_layer_that_may_not_be_taken_over_is_sent() {
    let source = open();
    make(&source, "team/favour:1.0", &["amd64"], 100_000);
    let refusal = json!({ "method": "POST", "path": "mount=", "status": 403, "body": { "errors": [{ "code": "DENIED" }] } });
    let ecr = ecr(&json!({ "refuse": [refusal] }));
    project(&ecr.shop, &format!("{source}/team/favour:1.0"), "");
    assert_eq!(push(&ecr.shop, &["--prefix", "one"]).code, 0);
    project(&ecr.shop, &format!("{}/one/team/copy:1.0", ecr.front), "");
    let ran = push(&ecr.shop, &["--from", &format!("{}/one/team/favour:1.0", ecr.front)]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("3 blobs sent"), "{ran:?}");
    assert_eq!(digest(&ecr.behind, "one/team/copy:1.0", Some(&ecr.login)), digest(&source, "team/favour:1.0", None));
}

#[test]
fn a_tag_that_stands_for_another_image_is_not_taken_unsaid() {
    let source = open();
    make(&source, "team/taken:1.0", &["amd64"], 10_000);
    make(&source, "team/other:1.0", &["amd64"], 20_000);
    let ecr = ecr(&json!({ "immutable": true }));
    project(&ecr.shop, &format!("{source}/team/taken:1.0"), "");
    assert_eq!(push(&ecr.shop, &[]).code, 0);
    // Nothing to do is said beforehand.
    let again = push(&ecr.shop, &[]);
    assert!(again.code == 0 && again.stderr.contains("where it is already"), "{again:?}");
    let (address, _) = front(&source, &json!({}));
    skopeo(&[
        "copy",
        "--all",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        &format!("docker://{source}/team/other:1.0"),
        &format!("docker://{address}/other/taken:1.0"),
    ]);
    let before = seen(&ecr.id).len();
    project(&ecr.shop, &format!("{}/team/taken:1.0", ecr.front), "");
    let ran = push(&ecr.shop, &["--from", &format!("{address}/other/taken:1.0")]);
    assert_eq!(ran.code, 2, "{ran:?}");
    for said in
        ["is there, and is another image than", "the repository keeps its tags", "--prefix PREFIX", "aws ecr batch-delete-image"]
    {
        assert!(ran.stderr.contains(said), "{said}: {ran:?}");
    }
    let sent = seen(&ecr.id).into_iter().skip(before).filter(|request| request["method"] != "HEAD" && request["method"] != "GET");
    assert_eq!(sent.count(), 0, "something was sent that could not be stored");
}

#[test]
fn bytes_that_are_not_those_of_the_digest_are_refused() {
    let source = open();
    make(&source, "team/spoilt:1.0", &["amd64"], 100_000);
    let (address, _) = front(&source, &json!({ "spoil": true }));
    let ecr = ecr(&json!({}));
    project(&ecr.shop, &format!("{address}/team/spoilt:1.0"), "");
    let ran = push(&ecr.shop, &[]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("its bytes have the digest sha256:") && ran.stderr.contains("don't use the image"), "{ran:?}");
    let manifests = seen(&ecr.id)
        .into_iter()
        .filter(|request| request["method"] == "PUT" && request["path"].as_str().unwrap().contains("/manifests/"));
    assert_eq!(manifests.count(), 0, "a manifest was stored for layers that aren't there");
}

#[test]
fn a_token_service_is_answered_and_tokens_are_renewed() {
    let source = open();
    make(&source, "team/token:1.0", &["amd64", "arm64"], 50_000);
    let token = json!({ "token": { "user": "ana", "password": "pa:ss wörd", "uses": 2 } });
    let (address, id) = front(&source, &token);
    let ecr = ecr(&json!({}));
    project(&ecr.shop, &format!("{address}/team/token:1.0"), "");
    let without = ecr.shop.run(&["images", "check"]);
    assert_eq!(without.code, 3, "{without:?}");
    assert!(without.stdout.contains(&format!("fix  log in: docker login {address}")), "{without:?}");
    let config = json!({ "auths": { &address: { "auth": "YW5hOnBhOnNzIHfDtnJk" } } });
    let docker = tempfile::tempdir().unwrap();
    fs::write(docker.path().join("config.json"), config.to_string()).unwrap();
    let variables = [("DOCKER_CONFIG", docker.path().to_str().unwrap())];
    let ran = ecr.shop.run_with(&["images", "push", "--yes"], "", &variables);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.stderr.contains("wörd") && !ran.stdout.contains("wörd"));
    let tokens = seen(&id).into_iter().filter(|request| request["path"].as_str().unwrap().starts_with("/token")).count();
    assert!(tokens > 2, "{tokens} tokens for requests that needed more");
    assert_eq!(digest(&ecr.behind, "team/token:1.0", Some(&ecr.login)), digest(&source, "team/token:1.0", None));
}

#[test]
fn throttling_is_waited_out_and_told() {
    let source = open();
    make(&source, "team/slow:1.0", &["amd64"], 10_000);
    let busy = |times: Value| {
        json!({ "refuse": [{ "path": "/manifests/", "status": 429, "times": times, "headers": { "Retry-After": "0" },
        "body": { "errors": [{ "code": "TOOMANYREQUESTS", "message": "slow down" }] } }] })
    };
    let shop = Deployment::empty();
    let (address, _) = front(&source, &busy(json!(2)));
    project(&shop, &format!("{address}/team/slow:1.0"), "");
    let ran = shop.run(&["images", "check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let (address, _) = front(&source, &busy(json!(1000)));
    project(&shop, &format!("{address}/team/slow:1.0"), "");
    let ran = shop.run(&["images", "check"]);
    assert_eq!(ran.code, 9, "{ran:?}");
    assert!(ran.stdout.contains("429 Too Many Requests: slow down"), "{ran:?}");
}

#[test]
fn check_says_what_is_there_and_what_is_not() {
    let source = open();
    make(&source, "team/seen:1.0", &["amd64"], 10_000);
    let shop = Deployment::empty();
    let check = |image: &str, more: &str| {
        project(&shop, image, more);
        shop.run(&["images", "check"])
    };
    let found = check(&format!("{source}/team/seen:1.0"), "");
    assert_eq!(found.code, 0, "{found:?}");
    let pinned =
        format!("pin  image: {source}/team/seen:1.0@{}  (docker-compose.yml:4:12)", digest(&source, "team/seen:1.0", None));
    assert!(
        found.stdout.contains(&pinned) && found.stdout.contains("linux/amd64") && found.stdout.contains("days old"),
        "{found:?}"
    );
    let before = fs::read_to_string(shop.path().join("docker-compose.yml")).unwrap();
    let ran = shop.run(&["images", "check", "--pin"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let tag = format!("{source}/team/seen:1.0");
    let expected = before.replace(&tag, &format!("{tag}@{}", digest(&source, "team/seen:1.0", None)));
    assert_eq!(fs::read_to_string(shop.path().join("docker-compose.yml")).unwrap(), expected);
    assert!(ran.stderr.contains("pinned    docker-compose.yml:4  "), "{ran:?}");
    // Two services of one image are pinned both, wherever they say it.
    let two = format!(
        "{before}  other:\n    image: '{tag}'\n    deploy: {{ resources: {{ limits: {{ cpus: \"0.5\", memory: 1G }} }} }}\n"
    );
    fs::write(shop.path().join("docker-compose.yml"), &two).unwrap();
    let ran = shop.run(&["images", "check", "--pin"]);
    assert!(ran.stdout.contains("(docker-compose.yml:4:12, docker-compose.yml:7:12)"), "{ran:?}");
    let expected = two.replace(&tag, &format!("{tag}@{}", digest(&source, "team/seen:1.0", None)));
    assert_eq!(fs::read_to_string(shop.path().join("docker-compose.yml")).unwrap(), expected);
    // By its digest it is found as well, and there is nothing more to write.
    let again = shop.run(&["images", "check", "--pin"]);
    assert!(again.code == 0 && !again.stderr.contains("pinned") && !again.stdout.contains("pin  image"), "{again:?}");
    let refused = bed().facts("faults")["refused"].as_str().unwrap().to_owned();
    let page = bed().facts("faults")["http"].as_str().unwrap().to_owned();
    for (image, more, code, said) in [
        (format!("{source}/team/seen:2.0"), "", 3, "the registry has no such image"),
        (format!("{source}/team/seen:1.0"), "    x-ecs: { CpuArchitecture: ARM64 }\n", 3, "nothing for linux/arm64"),
        (format!("{refused}/team/seen:1.0"), "", 9, "Connection refused"),
        (format!("{page}/team/seen:1.0"), "", 3, "its manifest can't be read"),
        (format!("{source}/team/built:1.0"), "    build: .\n", 3, "docker compose build worker && docker compose push worker"),
    ] {
        let ran = check(&image, more);
        assert_eq!(ran.code, code, "{image}: {ran:?}");
        assert!(ran.stdout.contains(said), "{image}: {ran:?}");
    }
    let unknown = shop.run(&["images", "check", "workr"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("did you mean worker?"), "{unknown:?}");
    let wrong = check(&format!("{source}/Team/seen:1.0"), "");
    assert_eq!(wrong.code, 2, "{wrong:?}");
    assert!(wrong.stderr.starts_with("docker-compose.yml:4:5: error[CE154]"), "{wrong:?}");
}

#[test]
fn scans_of_ecr_are_shown() {
    let source = open();
    make(&source, "team/scanned:1.0", &["arm64", "amd64"], 10_000);
    let ecr = ecr(&json!({}));
    // ECR scans what runs on a platform, and no index.
    let index = skopeo(&["inspect", "--raw", "--tls-verify=false", &format!("docker://{source}/team/scanned:1.0")]);
    let index: Value = serde_json::from_slice(&index).unwrap();
    let found = index["manifests"][1]["digest"].as_str().unwrap().to_owned();
    ecr.shop.seed(&json!({ "scans": { &found: { "CRITICAL": 1, "LOW": 7 } } }));
    project(&ecr.shop, &format!("{source}/team/scanned:1.0"), "");
    assert_eq!(push(&ecr.shop, &[]).code, 0);
    project(&ecr.shop, &format!("{}/team/scanned:1.0", ecr.front), "");
    let ran = ecr.shop.run(&["images", "check"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stdout.contains("scan 1 critical, 7 low"), "{ran:?}");
}
