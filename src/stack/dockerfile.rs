//! The Dockerfile that makes of a base and plugins what `images push` makes of them. Comes in: the image with all its pieces. Goes out: the
//! text. Every download is proven by its hash before it is used; the digest is not the same, for Docker writes times.

use std::fmt::Write as _;

use super::{ClassPath, Layered, Piece};
use crate::extensions::PluginSource;

/// Unpacks in the build's first stage: newer images of Confluent have neither unzip nor curl.
const TOOLS: &str = "busybox:1.37";

/// The text, for one processor.
pub fn dockerfile(layered: &Layered, architecture: &str) -> String {
    let base = layered.base.to_string();
    let mut text = String::from("# syntax=docker/dockerfile:1\n# Made by: confluent-ecs images dockerfile\n");
    for variable in ["AWS_ACCOUNT_ID", "AWS_REGION"] {
        if base.contains(&format!("${{{variable}}}")) {
            let _ = writeln!(text, "ARG {variable}");
        }
    }
    let _ = writeln!(text, "\nFROM {TOOLS} AS plugins");
    for (index, piece) in layered.pieces.iter().enumerate() {
        stage(&mut text, index, piece);
    }
    text.push_str("RUN find /laid -type d -exec chmod 755 {} + && find /laid -type f -perm -100 -exec chmod 755 {} + \\\n");
    text.push_str("    && find /laid -type f ! -perm -100 -exec chmod 644 {} +\n");
    let _ = writeln!(text, "\nFROM --platform=linux/{architecture} {base}");
    let mut folders: Vec<&str> = layered.pieces.iter().map(|piece| piece.folder.as_str()).collect();
    folders.sort_unstable();
    folders.dedup();
    for folder in folders {
        let _ = writeln!(text, "COPY --from=plugins --chown=0:0 /laid/{folder}/ /{folder}/");
    }
    // In one instruction, for all of them read what the base says, and none what another one became.
    let variables: Vec<String> = layered.class_paths.iter().map(variable).collect();
    if !variables.is_empty() {
        let _ = writeln!(text, "ENV {}", variables.join(" \\\n    "));
    }
    text
}

fn variable(path: &ClassPath) -> String {
    // Older images quote the path, for the shell that reads it there.
    let held = path.of.iter().rev().fold(path.or.clone(), |or, name| format!("${{{name}:-{or}}}"));
    format!("{}={held}:{}", path.name, path.by)
}

/// One plugin: fetched, proven, and put where it goes.
fn stage(text: &mut String, index: usize, Piece { plugin, folder }: &Piece) {
    let file = format!("/fetched/{index}/{}", plugin.file);
    let _ = match &plugin.from {
        PluginSource::Url(url) => writeln!(text, "ADD {url} {file}"),
        PluginSource::File(path) => writeln!(text, "COPY {path} {file}"),
    };
    let _ = writeln!(text, "RUN echo \"{}  {file}\" | sha256sum -c - && mkdir -p /laid/{folder} \\", plugin.sha256);
    let unpack = if plugin.file.strip_suffix(".jar").is_some() {
        let _ = writeln!(text, "    && cp {file} /laid/{folder}/");
        return;
    } else if plugin.file.strip_suffix(".zip").is_some() {
        format!("unzip -q {file} -d /taken/{index}")
    } else {
        format!("tar -xzf {file} -C /taken/{index}")
    };
    let _ = writeln!(text, "    && mkdir -p /taken/{index} && {unpack} && cd /taken/{index} \\");
    // Folders without files are nothing to who loads classes.
    text.push_str("    && find . -mindepth 1 -depth -type d -empty -exec rmdir {} \\; \\\n");
    // The one folder that everything stands in is left out.
    let _ = writeln!(
        text,
        "    && if [ \"$(ls -A | wc -l)\" = 1 ] && [ -d \"$(ls -A)\" ]; then cd \"$(ls -A)\"; fi && cp -R . /laid/{folder}/"
    );
}
