//! `images dockerfile`: what it writes, and that its instructions leave the very files that `images push` lays on the image.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::json;
use zip::write::SimpleFileOptions;

use crate::images::{ecr, make, open};
use crate::plugins::{FOLDER, Files, JARS, jar, made, project, pulled, push, sha256};
use crate::support::deployment::{Deployment, ended, holds};

#[test]
fn a_dockerfile_does_the_same() {
    let shop = Deployment::empty();
    let hash = "a".repeat(64);
    let plugins = format!(
        "        - {{ hub: confluentinc/kafka-connect-s3:10.5.17, sha256: {hash} }}
        - {{ maven: 'software.amazon.msk:aws-msk-iam-auth:2.3.6:all', sha256: {hash}, into: worker }}
        - {{ file: plugins/own.tar.gz, sha256: {hash} }}"
    );
    project(&shop, "confluentinc/cp-kafka-connect:8.0.7", &plugins, "");
    let ran = shop.run(&["images", "dockerfile", "connect"]);
    ended(&ran, 0);
    holds(
        &ran.stdout,
        &[
            "ADD https://hub-downloads.confluent.io/api/plugins/confluentinc/kafka-connect-s3/versions/10.5.17/confluentinc-kafka-connect-s3-10.5.17.zip /fetched/0/",
            "ADD https://repo1.maven.org/maven2/software/amazon/msk/aws-msk-iam-auth/2.3.6/aws-msk-iam-auth-2.3.6-all.jar /fetched/1/",
            "COPY plugins/own.tar.gz /fetched/2/own.tar.gz",
            &format!("RUN echo \"{hash}  /fetched/2/own.tar.gz\" | sha256sum -c -"),
            "FROM --platform=linux/amd64 confluentinc/cp-kafka-connect:8.0.7",
            "COPY --from=plugins --chown=0:0 /laid/usr/share/confluent-hub-components/confluentinc-kafka-connect-s3/",
            "COPY --from=plugins --chown=0:0 /laid/etc/kafka-connect/jars/ /etc/kafka-connect/jars/",
            ":/etc/kafka-connect/jars/*",
        ],
    );
    let out = shop.path().join("Dockerfile");
    ended(&shop.run(&["images", "dockerfile", "connect", "-o", "Dockerfile"]), 0);
    assert_eq!(fs::read_to_string(&out).unwrap(), ran.stdout);
    let again = shop.run(&["images", "dockerfile", "connect", "--output-file", "Dockerfile"]);
    ended(&again, 2);
    holds(&again.stderr, &["is there, and is not overwritten"]);
    ended(&shop.run(&["images", "dockerfile", "conect"]), 2);
}

/// What the instructions of a Dockerfile leave behind in `root`, without Docker: the commands are run as they are, on folders of the test.
fn carried_out(text: &str, project: &Path, root: &Path, served: &BTreeMap<String, Vec<u8>>) {
    let tools = root.join("tools");
    fs::create_dir_all(&tools).unwrap();
    // This machine may lack it; as the one of busybox it keeps rights and links.
    let unzip = "#!/usr/bin/env python3\nimport os, sys, zipfile\n_, _, archive, _, folder = sys.argv\nfor entry in (held := \
                 zipfile.ZipFile(archive)).infolist():\n    mode = entry.external_attr >> 16\n    path = os.path.join(folder, entry.filename)\n    \
                 os.makedirs(path if entry.is_dir() else os.path.dirname(path), exist_ok=True)\n    if mode & 0o170000 == 0o120000:\n        \
                 os.symlink(held.read(entry), path)\n    elif not entry.is_dir():\n        open(path, 'wb').write(held.read(entry))\n        \
                 os.chmod(path, mode & 0o777)\n";
    fs::write(tools.join("unzip"), unzip).unwrap();
    fs::set_permissions(tools.join("unzip"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let at = |path: &str| root.join(path.trim_start_matches('/'));
    for line in text.replace("\\\n", " ").lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words.as_slice() {
            [add @ ("ADD" | "COPY"), from, to] => {
                let bytes = if *add == "ADD" { served[*from].clone() } else { fs::read(project.join(from)).unwrap() };
                fs::create_dir_all(at(to).parent().unwrap()).unwrap();
                fs::write(at(to), bytes).unwrap();
                // So does Docker with what it fetches.
                fs::set_permissions(at(to), fs::Permissions::from_mode(0o600)).unwrap();
            }
            ["RUN", ..] => {
                let mut command = line.trim_start_matches("RUN ").to_owned();
                for folder in ["/fetched", "/laid", "/taken"] {
                    command = command.replace(folder, &at(folder).display().to_string());
                }
                let ran = Command::new("sh").arg("-c").arg(&command).env("PATH", &path).output().unwrap();
                assert!(ran.status.success(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
            }
            ["COPY", "--from=plugins", "--chown=0:0", from, to] => {
                let to = root.join("made").join(to.trim_matches('/'));
                fs::create_dir_all(&to).unwrap();
                assert!(Command::new("cp").arg("-a").arg(at(from).join(".")).arg(to).status().unwrap().success());
            }
            _ => {}
        }
    }
}

/// Right, path and content of all that is below the folders that plugins go to.
fn below(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root.join(FOLDER), root.join(JARS)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let facts = fs::symlink_metadata(&path).unwrap();
            let content = if facts.is_symlink() {
                format!("-> {}", fs::read_link(&path).unwrap().display())
            } else if facts.is_dir() {
                open.push(path.clone());
                "/".to_owned()
            } else {
                sha256(&fs::read(&path).unwrap())
            };
            found.push(format!(
                "{:o} {} {content}",
                facts.permissions().mode() & 0o777,
                path.strip_prefix(root).unwrap().display()
            ));
        }
    }
    found.sort();
    found
}

#[test]
fn what_a_dockerfile_says_leaves_the_same_files() {
    let source = open();
    make(&source, "confluentinc/cp-kafka-connect:8.0.9", &["amd64"], 10_000);
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mode = |mode| SimpleFileOptions::default().unix_permissions(mode);
    zip.add_directory("beside/", mode(0o755)).unwrap();
    zip.add_directory("acme-1.0/empty/", mode(0o700)).unwrap();
    for (name, rights) in [("acme-1.0/lib/a.jar", 0o600), ("acme-1.0/bin/run", 0o700), ("acme-1.0/doc/with blank", 0o664)] {
        zip.start_file(name, mode(rights)).unwrap();
        zip.write_all(name.as_bytes()).unwrap();
    }
    zip.add_symlink("acme-1.0/lib/same.jar", "a.jar", SimpleFileOptions::default()).unwrap();
    let zip = zip.finish().unwrap().into_inner();
    let mut tar = tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (name, rights) in [("one.jar", 0o600), ("sub/two.jar", 0o755)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(name.len() as u64);
        header.set_mode(rights);
        header.set_mtime(1_700_000_000);
        tar.append_data(&mut header, name, name.as_bytes()).unwrap();
    }
    let tar = tar.into_inner().unwrap().finish().unwrap();
    let login = jar("login");
    let files = Files::start(vec![("/login.jar".to_owned(), login.clone())]);
    let url = format!("http://127.0.0.1:{}/login.jar", files.port);
    let ecr = ecr(&json!({}));
    let shop = &ecr.shop;
    fs::create_dir(shop.path().join("plugins")).unwrap();
    fs::write(shop.path().join("plugins/acme.zip"), &zip).unwrap();
    fs::write(shop.path().join("plugins/more.tar.gz"), &tar).unwrap();
    let plugins = format!(
        "        - {{ file: plugins/acme.zip, sha256: {}, name: acme }}
        - {{ file: plugins/more.tar.gz, sha256: {} }}
        - {{ url: '{url}', sha256: {}, into: worker }}
        - {{ url: '{url}', sha256: {} }}",
        sha256(&zip),
        sha256(&tar),
        sha256(&login),
        sha256(&login),
    );
    project(shop, &format!("{source}/confluentinc/cp-kafka-connect:8.0.9"), &plugins, "");
    let text = shop.run(&["images", "dockerfile", "connect"]).stdout;
    let folder = tempfile::tempdir().unwrap();
    carried_out(&text, shop.path(), folder.path(), &BTreeMap::from([(url, login)]));

    let (image, _) = made(&push(shop));
    let pulled = pulled(&ecr, &image);
    let root = folder.path().join("pulled");
    tar::Archive::new(pulled.plain.as_slice()).unpack(&root).unwrap();
    let found = below(&root);
    assert_eq!(below(&folder.path().join("made")), found, "{text}");
    assert_eq!(found.len(), 15, "{found:#?}");

    // The variables, as a shell takes them apart; the quotes that an older image has around its path may stay.
    let lines = text.replace("\\\n", " ");
    let variables = lines.lines().find_map(|line| line.strip_prefix("ENV ")).unwrap().split_whitespace();
    let base = "\"/usr/share/java/cp-base-new/*\"";
    let shell = |value: &str| {
        let ran = Command::new("sh").args(["-c", &format!("printf %s \"{value}\"")]).env("CUB_CLASSPATH", base).output().unwrap();
        String::from_utf8(ran.stdout).unwrap().replace('"', "")
    };
    let mut said: Vec<String> =
        variables.map(|line| line.split_once('=').unwrap()).map(|(name, value)| format!("{name}={}", shell(value))).collect();
    said.push("PATH=/usr/bin".to_owned());
    said.sort();
    let mut held: Vec<String> = serde_json::from_value(pulled.config["config"]["Env"].clone()).unwrap();
    held.sort();
    assert_eq!(said, held);
}
