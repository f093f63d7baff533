//! `x-confluent.plugins`, from the command line in: on real registries, with a front of ECR's ways before one of them, read back by Skopeo;
//! and a real Connect worker that finds a connector in what was read back.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use confluent_ecs::images::Digest;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

use crate::images::{EcrPart, digest, ecr, make, open, seen, skopeo};
use crate::support::bed::{all_brokers, bed, unique};
use crate::support::deployment::{Deployment, UP, document, ended, holds};
use crate::support::program::Ran;
use crate::support::worker::{Worker, text};

pub(crate) const FOLDER: &str = "usr/share/confluent-hub-components";
pub(crate) const JARS: &str = "etc/kafka-connect/jars";

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Digest::of(bytes).as_str().trim_start_matches("sha256:").to_owned()
}

/// An archive of these files, as Confluent Hub packs them: below one folder.
fn zipped(files: &[(&str, &[u8], u32)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes, mode) in files {
        archive.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

pub(crate) fn jar(what: &str) -> Vec<u8> {
    zipped(&[("META-INF/MANIFEST.MF", what.as_bytes(), 0o644)])
}

/// A server of files. The first answer with each of them breaks off in the middle.
pub(crate) struct Files {
    pub(crate) port: u16,
    asked: Arc<Mutex<Vec<(String, u64)>>>,
}

impl Files {
    pub(crate) fn start(files: Vec<(String, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked: Arc<Mutex<Vec<(String, u64)>>> = Arc::default();
        let told = Arc::clone(&asked);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let lines: Vec<String> =
                    BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                let Some(path) = lines.first().and_then(|line| line.split(' ').nth(1)).map(str::to_owned) else { continue };
                let range =
                    lines.iter().find_map(|line| line.to_ascii_lowercase().strip_prefix("range: bytes=").map(str::to_owned));
                let from: usize = range.and_then(|range| range.trim_end_matches('-').parse().ok()).unwrap_or_default();
                let first = !told.lock().unwrap().iter().any(|(known, _)| *known == path);
                told.lock().unwrap().push((path.clone(), from as u64));
                let Some((_, bytes)) = files.iter().find(|(name, _)| *name == path) else {
                    let _gone = stream.write_all(b"HTTP/1.1 404 None\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                    continue;
                };
                let rest = &bytes[from..];
                let status = if from > 0 { "206 Partial Content" } else { "200 OK" };
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", rest.len());
                let sent = if first { rest.len() / 2 } else { rest.len() };
                let _gone = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&rest[..sent]));
            }
        });
        Self { port, asked }
    }
}

/// A project whose worker has these plugins.
pub(crate) fn project(shop: &Deployment, image: &str, plugins: &str, more: &str) {
    let text = format!(
        r#"name: shop
services:
  connect:
    image: {image}
{more}    x-confluent:
      plugins:
{plugins}
    environment:
      CONNECT_BOOTSTRAP_SERVERS: kafka.example.com:9092
      CONNECT_GROUP_ID: shop
      CONNECT_CONFIG_STORAGE_TOPIC: shop-configs
      CONNECT_OFFSET_STORAGE_TOPIC: shop-offsets
      CONNECT_STATUS_STORAGE_TOPIC: shop-status
      CONNECT_KEY_CONVERTER: org.apache.kafka.connect.storage.StringConverter
      CONNECT_VALUE_CONVERTER: org.apache.kafka.connect.storage.StringConverter
    deploy: {{ resources: {{ limits: {{ cpus: "0.5", memory: 1G }} }} }}
"#
    );
    fs::write(shop.path().join("docker-compose.yml"), text).unwrap();
}

pub(crate) fn push(shop: &Deployment) -> Ran {
    shop.run(&["images", "push", "--yes", "--output", "json"])
}

/// What a registry has of an image: the manifest, the configuration, and what its last layer holds.
pub(crate) struct Pulled {
    pub(crate) config: Value,
    layers: usize,
    /// Mode, owner, path, bytes.
    files: Vec<(u32, u64, String, Vec<u8>)>,
    diff_id: String,
    pub(crate) plain: Vec<u8>,
}

pub(crate) fn pulled(ecr: &EcrPart, image: &str) -> Pulled {
    let folder = tempfile::tempdir().unwrap();
    let to = format!("dir:{}", folder.path().display());
    skopeo(&["copy", "--src-tls-verify=false", "--src-creds", &ecr.login, &format!("docker://{}/{image}", ecr.behind), &to]);
    let read = |name: &str| fs::read(folder.path().join(name)).unwrap();
    let manifest: Value = serde_json::from_slice(&read("manifest.json")).unwrap();
    let file = |value: &Value| value["digest"].as_str().unwrap().trim_start_matches("sha256:").to_owned();
    let config = serde_json::from_slice(&read(&file(&manifest["config"]))).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    let mut plain = Vec::new();
    GzDecoder::new(read(&file(layers.last().unwrap())).as_slice()).read_to_end(&mut plain).unwrap();
    let mut files = Vec::new();
    for entry in tar::Archive::new(plain.as_slice()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let header = entry.header();
        let (mode, owner, time) = (header.mode().unwrap(), header.uid().unwrap(), header.mtime().unwrap());
        assert_eq!((time, header.gid().unwrap()), (0, 0));
        let path = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.push((mode, owner, path, bytes));
    }
    Pulled { config, layers: layers.len(), files, diff_id: Digest::of(&plain).to_string(), plain }
}

/// The image that a push made: its name behind the registry, and its digest.
pub(crate) fn made(ran: &Ran) -> (String, String) {
    ended(ran, 0);
    let image = document(ran)["images"][0].clone();
    let target = image["target"].as_str().unwrap().split_once('/').unwrap().1.to_owned();
    (target, image["digest"].as_str().unwrap().to_owned())
}

#[test]
fn plugins_are_laid_on_the_base_and_read_back() {
    let source = open();
    make(&source, "confluentinc/cp-kafka-connect:8.0.3", &["amd64", "arm64"], 50_000);
    let (own, login) = (jar("own"), jar("login"));
    let hub = zipped(&[("acme-1.0/lib/acme.jar", &own, 0o600), ("acme-1.0/bin/run", b"#!/bin/sh\n", 0o700)]);
    let path = "/maven/software/amazon/msk/aws-msk-iam-auth/2.3.6/aws-msk-iam-auth-2.3.6-all.jar".to_owned();
    let files = Files::start(vec![("/acme.zip".to_owned(), hub.clone()), (path.clone(), login.clone())]);
    let port = files.port;
    let plugins = |driver: &[u8]| {
        format!(
            "        - {{ url: 'http://127.0.0.1:{port}/acme.zip', sha256: {} }}
        - {{ maven: 'software.amazon.msk:aws-msk-iam-auth:2.3.6:all', repository: 'http://127.0.0.1:{port}/maven', sha256: '{}', into: worker }}
        - {{ file: plugins/driver.jar, sha256: 'sha256:{}', name: acme }}",
            sha256(&hub),
            sha256(&login),
            sha256(driver).to_uppercase(),
        )
    };
    let base = format!("{source}/confluentinc/cp-kafka-connect:8.0.3");
    let mut digests = Vec::new();
    // Two machines, two registries: the second has the base already.
    for round in 0..2 {
        let ecr = ecr(&json!({}));
        fs::create_dir(ecr.shop.path().join("plugins")).unwrap();
        fs::write(ecr.shop.path().join("plugins/driver.jar"), jar("driver")).unwrap();
        project(&ecr.shop, &base, &plugins(&jar("driver")), "    x-ecs: { CpuArchitecture: ARM64 }\n");
        let asked = ecr.shop.run(&["images", "push"]);
        assert!(asked.code == 2 && seen(&ecr.id).iter().all(|request| request["method"] != "PUT"), "{asked:?}");
        let (image, digest_made) = made(&push(&ecr.shop));
        assert!(image.starts_with("confluentinc/cp-kafka-connect:8.0.3-arm64-"), "{image}");
        assert_eq!(digest(&ecr.behind, &image, Some(&ecr.login)), digest_made);
        digests.push((image.clone(), digest_made));
        let before = seen(&ecr.id).len();
        let again = push(&ecr.shop);
        assert_eq!((document(&again)["images"][0]["was_there"].clone(), made(&again)), (true.into(), digests[round].clone()));
        let sent =
            seen(&ecr.id).into_iter().skip(before).filter(|request| request["method"] != "GET" && request["method"] != "HEAD");
        assert_eq!(sent.count(), 0, "an image that is there was sent again");
        if round == 0 {
            look_at(&pulled(&ecr, &image), &own, &login);
            // The files say another plugin: another image, and what was there stays.
            fs::write(ecr.shop.path().join("plugins/driver.jar"), jar("newer")).unwrap();
            project(&ecr.shop, &base, &plugins(&jar("newer")), "    x-ecs: { CpuArchitecture: ARM64 }\n");
            let (newer, _) = made(&push(&ecr.shop));
            assert_ne!(newer, image);
        }
    }
    assert_eq!(digests[0], digests[1]);
    let asked = files.asked.lock().unwrap();
    let resumed = |name: &str| asked.iter().any(|(path, from)| path == name && *from > 0);
    assert!(resumed("/acme.zip") && resumed(&path), "nothing was taken up where it broke: {asked:?}");
}

fn look_at(pulled: &Pulled, own: &[u8], login: &[u8]) {
    let shown: Vec<(u32, u64, &str)> = pulled.files.iter().map(|(mode, owner, path, _)| (*mode, *owner, path.as_str())).collect();
    let path = |name: &str| format!("{FOLDER}/acme{name}");
    let (worker, folder, bin, run, driver, lib, acme) = (
        format!("{JARS}/aws-msk-iam-auth-2.3.6-all.jar"),
        path("/"),
        path("/bin/"),
        path("/bin/run"),
        path("/driver.jar"),
        path("/lib/"),
        path("/lib/acme.jar"),
    );
    let expected: [(u32, u64, &str); 7] = [
        (0o644, 0, &worker),
        (0o755, 0, &folder),
        (0o755, 0, &bin),
        (0o755, 0, &run),
        (0o644, 0, &driver),
        (0o755, 0, &lib),
        (0o644, 0, &acme),
    ];
    assert_eq!(shown, expected);
    let bytes = |name: &str| &pulled.files.iter().find(|file| file.2 == name).unwrap().3;
    assert_eq!((bytes(&worker).as_slice(), bytes(&acme).as_slice()), (login, own));
    let config = &pulled.config;
    let hashes = config["rootfs"]["diff_ids"].as_array().unwrap();
    assert_eq!((hashes.len(), pulled.layers, hashes.last().unwrap()), (3, 3, &json!(pulled.diff_id)));
    assert_eq!((&config["architecture"], &config["created"]), (&json!("arm64"), &json!("2026-08-24T10:00:00Z")));
    assert_eq!(config["config"]["Cmd"], json!(["/etc/confluent/docker/run"]));
    let line = format!("/usr/share/java/cp-base-new/*:/{JARS}/*");
    let expected = json!(["PATH=/usr/bin", format!("CUB_CLASSPATH={line}"), format!("UB_CLASSPATH={line}")]);
    assert_eq!(config["config"]["Env"], expected);
    let labels = &config["config"]["Labels"];
    holds(labels["org.opencontainers.image.base.digest"].as_str().unwrap(), &["sha256:"]);
    assert_eq!(labels["confluent-ecs.plugins"].as_str().unwrap().len(), 64);
}

#[test]
fn a_file_that_is_fetched_has_a_bar_on_a_terminal() {
    let source = open();
    make(&source, "confluentinc/cp-kafka-connect:8.0.8", &["amd64"], 10_000);
    let big = zipped(&[("lib/big.bin", &vec![7; 3_000_000], 0o644)]);
    let files = Files::start(vec![("/big.jar".to_owned(), big.clone())]);
    let ecr = ecr(&json!({}));
    let plugins = format!("        - {{ url: 'http://127.0.0.1:{}/big.jar', sha256: {} }}", files.port, sha256(&big));
    project(&ecr.shop, &format!("{source}/confluentinc/cp-kafka-connect:8.0.8"), &plugins, "");
    let ran = ecr.shop.run_on_terminal(&["images", "push"], &["y"]);
    ended(&ran, 0);
    let bars = ran.stdout.split(['\r', '\n']).filter(|line| line.contains("big.jar") && line.contains(" of "));
    assert!(bars.count() > 0, "{}", ran.stdout);
    holds(&ran.stdout, &["big.jar, ", "its hash is right"]);
}

#[test]
fn what_is_not_as_the_files_say_is_refused_before_anything_is_pushed() {
    let source = open();
    make(&source, "confluentinc/cp-kafka-connect:8.0.6", &["amd64"], 10_000);
    let bad = zipped(&[("../../etc/passwd", b"root", 0o644)]);
    let files = Files::start(vec![("/acme.jar".to_owned(), jar("acme")), ("/bad.zip".to_owned(), bad.clone())]);
    let at = format!("http://127.0.0.1:{}", files.port);
    let ecr = ecr(&json!({}));
    let base = format!("{source}/confluentinc/cp-kafka-connect:8.0.6");
    let none = "0".repeat(64);
    let plugins = format!(
        "        - {{ url: '{at}/acme.jar', sha256: '{none}' }}
        - {{ url: '{at}/gone.jar', sha256: '{none}' }}
        - {{ file: plugins/none.jar, sha256: '{none}' }}"
    );
    project(&ecr.shop, &base, &plugins, "");
    let ran = ecr.shop.run(&["images", "push", "--yes"]);
    ended(&ran, 2);
    let found = sha256(&jar("acme"));
    holds(
        &ran.stderr,
        &[
            "docker-compose.yml:7:18: error[CE653]: services.connect.x-confluent.plugins[0].url: the bytes of acme.jar are others than its sha256 says",
            &found,
            "docker-compose.yml:8:18: error[CE652]",
            "there is no such file",
            "docker-compose.yml:9:19: error[CE652]",
            "plugins/none.jar",
        ],
    );
    project(&ecr.shop, &base, &format!("        - {{ url: '{at}/bad.zip', sha256: '{}' }}", sha256(&bad)), "");
    let ran = ecr.shop.run(&["images", "push", "--yes"]);
    ended(&ran, 2);
    holds(&ran.stderr, &["docker-compose.yml:7:18: error[CE654]", "../../etc/passwd, which leaves its folder"]);
    let stored = seen(&ecr.id).into_iter().filter(|request| request["method"] == "PUT" || request["method"] == "PATCH");
    assert_eq!(stored.count(), 0, "something was stored of an image that is not to be");
}

#[test]
fn up_and_preflight_know_when_the_image_is_another() {
    let source = open();
    make(&source, "confluentinc/cp-kafka-connect:8.0.5", &["amd64"], 10_000);
    let ecr = ecr(&json!({}));
    let shop = &ecr.shop;
    shop.seed(&json!({ "name": "main", "cluster": "shop" }));
    let add = |what: &str| {
        fs::create_dir_all(shop.path().join("plugins")).unwrap();
        fs::write(shop.path().join("plugins/own.jar"), jar(what)).unwrap();
        let plugins = format!("        - {{ file: plugins/own.jar, sha256: {} }}", sha256(&jar(what)));
        project(shop, &format!("{source}/confluentinc/cp-kafka-connect:8.0.5"), &plugins, "");
    };
    add("one");
    let refused = shop.run(UP);
    ended(&refused, 2);
    holds(&refused.stderr, &["CE655", "confluent-ecs images push --env dev connect", "nothing was deployed"]);
    let checked = shop.run(&["images", "check"]);
    ended(&checked, 3);
    holds(&checked.stdout, &["the registry has no such image", "confluent-ecs images push connect", "base of connect"]);
    let looked = shop.run(&["preflight", "--only", "aws"]);
    holds(&looked.stdout, &["the image with the plugins of connect is not in ECR"]);

    let (image, _) = made(&push(shop));
    let looked = shop.run(&["preflight", "--only", "aws"]);
    holds(&looked.stdout, &[&format!("{image}, for amd64, sha256:")]);
    ended(&shop.run(&["images", "check"]), 0);
    let up = shop.run(UP);
    ended(&up, 0);
    let task = shop.run(&["render"]).stdout;
    holds(&task, &[&format!("${{AWS::AccountId}}.dkr.ecr.${{AWS::Region}}.${{AWS::URLSuffix}}/{image}")]);

    // Somebody has put another image under the base's tag: what is deployed stays, and that is said.
    let base = format!("{source}/confluentinc/cp-kafka-connect:8.0.5");
    let newer = format!("{source}/confluentinc/cp-kafka-connect:8.0.5-newer");
    make(&source, "confluentinc/cp-kafka-connect:8.0.5-newer", &["amd64"], 20_000);
    skopeo(&[
        "copy",
        "--all",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        &format!("docker://{newer}"),
        &format!("docker://{base}"),
    ]);
    let pinned = format!("{base}@{}", digest(&source, "confluentinc/cp-kafka-connect:8.0.5", None));
    let up = shop.run(UP);
    ended(&up, 0);
    holds(
        &up.stderr,
        &[&format!("{base} is another image by now"), &format!("stays on the older one until the files name {pinned}")],
    );
    let checked = shop.run(&["images", "check"]);
    ended(&checked, 0);
    holds(&checked.stdout, &[&format!("base is another image by now; to take it: image: {pinned}")]);

    add("two");
    let refused = shop.run(UP);
    ended(&refused, 2);
    holds(&refused.stderr, &["CE655"]);
    let plan = shop.run(&["plan"]);
    holds(&plan.stderr, &["is not in ECR: the image with the plugins of connect", "images push"]);

    // Another image under the same name, which somebody else has put there.
    let (image, _) = made(&push(shop));
    let to = format!("docker://{}/{image}", ecr.behind);
    let from = format!("docker://{source}/confluentinc/cp-kafka-connect:8.0.5");
    skopeo(&["copy", "--src-tls-verify=false", "--dest-tls-verify=false", "--dest-creds", &ecr.login, &from, &to]);
    for ran in [shop.run(UP), push(shop)] {
        ended(&ran, 2);
        holds(&ran.stderr, &["CE655", "other plugins than the files name", "aws ecr batch-delete-image"]);
    }
}

/// A source connector of one class, compiled and packed.
fn connector(folder: &Path) -> Vec<u8> {
    let (class, package) = ("Probe", "bed/probe");
    let sources = folder.join(package);
    fs::create_dir_all(&sources).unwrap();
    let source = r#"package bed.probe;
import java.util.*;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.connect.connector.Task;
import org.apache.kafka.connect.source.*;
public class Probe extends SourceConnector {
    public void start(Map<String, String> settings) {}
    public Class<? extends Task> taskClass() { return Idle.class; }
    public List<Map<String, String>> taskConfigs(int most) { return List.of(); }
    public void stop() {}
    public ConfigDef config() { return new ConfigDef(); }
    public String version() { return "7.6.5"; }
    public static class Idle extends SourceTask {
        public void start(Map<String, String> settings) {}
        public List<SourceRecord> poll() { return null; }
        public void stop() {}
        public String version() { return "7.6.5"; }
    }
}
"#;
    fs::write(sources.join(format!("{class}.java")), source).unwrap();
    let tool = fs::read_to_string(Path::new(&text(&bed().facts("kafka")["bin"])).join("kafka-acls")).unwrap();
    let jars =
        tool.split(['\'', '"', ' ', '=', '\n']).find(|word| word.contains("connect-api")).expect("no class path in the tool");
    let done = Command::new("javac")
        .args(["-nowarn", "--release", "17", "-cp", jars, "-d"])
        .arg(folder.join("classes"))
        .arg(sources.join(format!("{class}.java")))
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let read = |name: &str| fs::read(folder.join("classes").join(package).join(name)).unwrap();
    let service = "META-INF/services/org.apache.kafka.connect.source.SourceConnector";
    zipped(&[
        (service, b"bed.probe.Probe\n", 0o644),
        ("bed/probe/Probe.class", &read("Probe.class"), 0o644),
        ("bed/probe/Probe$Idle.class", &read("Probe$Idle.class"), 0o644),
    ])
}

/// The super user's worker, with one folder of plugins.
fn environment(plugins: &Path) -> BTreeMap<String, String> {
    let (kafka, name) = (bed().facts("kafka"), unique("plugins"));
    let of = |key: &str| text(&kafka["admin"][key]);
    let module = "org.apache.kafka.common.security.plain.PlainLoginModule";
    let login = format!("{module} required username=\"{}\" password=\"{}\";", of("name"), of("password"));
    let converter = "org.apache.kafka.connect.storage.StringConverter";
    let topic = |kind: &str| (format!("{kind}_STORAGE_TOPIC"), format!("{name}-{kind}"));
    let settings = [
        ("BOOTSTRAP_SERVERS".to_owned(), text(&kafka["bootstrap"]["SASL_PLAINTEXT"])),
        ("SECURITY_PROTOCOL".to_owned(), "SASL_PLAINTEXT".to_owned()),
        ("SASL_MECHANISM".to_owned(), "PLAIN".to_owned()),
        ("SASL_JAAS_CONFIG".to_owned(), login),
        ("GROUP_ID".to_owned(), name.clone()),
        topic("CONFIG"),
        topic("OFFSET"),
        topic("STATUS"),
        ("KEY_CONVERTER".to_owned(), converter.to_owned()),
        ("VALUE_CONVERTER".to_owned(), converter.to_owned()),
        ("PLUGIN_PATH".to_owned(), plugins.display().to_string()),
    ];
    settings.map(|(name, value)| (format!("CONNECT_{name}"), value)).into()
}

#[test]
fn a_real_worker_finds_a_connector_in_the_layer() {
    let source = open();
    make(&source, "confluentinc/cp-kafka-connect:8.0.4", &["amd64"], 10_000);
    let folder = tempfile::tempdir().unwrap();
    let archive = zipped(&[("bed-probe-7.6.5/lib/probe.jar", &connector(folder.path()), 0o644)]);
    let ecr = ecr(&json!({}));
    fs::create_dir(ecr.shop.path().join("plugins")).unwrap();
    fs::write(ecr.shop.path().join("plugins/probe.zip"), &archive).unwrap();
    let plugins = format!("        - {{ file: plugins/probe.zip, sha256: {} }}", sha256(&archive));
    project(&ecr.shop, &format!("{source}/confluentinc/cp-kafka-connect:8.0.4"), &plugins, "");
    let (image, _) = made(&push(&ecr.shop));
    let root: PathBuf = folder.path().join("root");
    tar::Archive::new(pulled(&ecr, &image).plain.as_slice()).unpack(&root).unwrap();
    assert!(File::open(root.join(FOLDER).join("probe/lib/probe.jar")).is_ok());

    let _brokers = all_brokers();
    let worker = Worker::start(&environment(&root.join(FOLDER)));
    let (status, found) = worker.rest("GET", "/connector-plugins", &Value::Null);
    worker.stop();
    let probe = found.as_array().unwrap().iter().find(|plugin| plugin["class"] == "bed.probe.Probe");
    assert_eq!((status, probe.map(|probe| &probe["version"])), (200, Some(&json!("7.6.5"))), "{found}");
}
