//! The program as an image: is it one that needs nothing of a system, then as the only layer of an empty image, in the repository.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::support::Support;
use crate::aws::Account;
use crate::base::{Code, Failure, Result};
use crate::cli::InVpcArgs;
use crate::commands::registries::Ecr;
use crate::images::{self, Content, Entry, Image, Layer, Reference, Registry, Settings};
use crate::net::tls;
use crate::ui::Ui;

/// Where the program is in the image.
const PROGRAM: &str = "confluent-ecs";
/// Where programs of every kind look for authorities.
const AUTHORITIES: &str = "etc/ssl/certs/ca-certificates.crt";

/// An image that the task can run.
pub(in crate::commands) struct Program {
    pub(super) image: String,
    pub(super) arm: bool,
}

/// What the task is to run.
pub(super) enum Source {
    /// An image that somebody else has made. Of which processor it is, only its registry knows; the program's own is taken until then.
    Image(Program),
    /// A program that needs nothing of a system.
    File { file: PathBuf, arm: bool },
}

/// Looks at what there is to run, before anything is made for it.
pub(super) fn source(args: &InVpcArgs) -> Result<Source> {
    if let Some(image) = &args.parts.in_vpc_image {
        Reference::parse(image).map_err(|why| Failure::usage("--in-vpc-image: the image's name is wrong").cause(why))?;
        return Ok(Source::Image(Program { image: image.clone(), arm: cfg!(target_arch = "aarch64") }));
    }
    let file = match &args.in_vpc_binary {
        Some(file) => file.clone(),
        None => own_program()?,
    };
    match static_program(&file) {
        Ok(arm) => Ok(Source::File { file, arm }),
        Err(why) => Err(no_program(&file, &why, args.in_vpc_binary.is_some()).into()),
    }
}

/// Makes the image and brings it into the repository, unless it is there.
pub(super) async fn push(account: &Account, support: &Support, source: Source, ui: &Ui) -> Result<Program> {
    let (file, arm) = match source {
        Source::Image(program) => return Ok(program),
        Source::File { file, arm } => (file, arm),
    };
    let Some(repository) = &support.repository else {
        return Err(Failure::fault("the repository for the program is not known").into());
    };
    let folder = tempfile::tempdir().map_err(|error| Failure::usage("no folder for temporary files").cause(error))?;
    let entries = vec![
        Entry { path: PROGRAM.to_owned(), mode: 0o755, content: Content::File(file.clone()) },
        Entry { path: AUTHORITIES.to_owned(), mode: 0o644, content: Content::Bytes(tls::authorities_pem().into_bytes()) },
        Entry { path: "tmp".to_owned(), mode: 0o777, content: Content::Folder },
    ];
    let place = folder.path().to_owned();
    let written = tokio::task::spawn_blocking(move || Layer::write(entries, &place)).await;
    let layer = written
        .map_err(|error| Failure::fault("the layer can't be written").cause(error))?
        .map_err(|error| Failure::usage(format!("{} can't be made a layer", file.display())).cause(error))?;
    let tag = format!("{}-{}", env!("CARGO_PKG_VERSION"), layer.diff_id.short().replace(':', "-"));
    let settings = Settings {
        entrypoint: Some(vec![format!("/{PROGRAM}")]),
        command: Some(vec!["preflight".to_owned(), "--inside".to_owned()]),
        made_by: "confluent-ecs preflight --in-vpc".to_owned(),
        ..Settings::default()
    };
    let image = Image::new(None, if arm { "arm64" } else { "amd64" }, vec![layer], &settings);
    let ecr = Ecr::of(account).await?;
    let target = Reference { registry: ecr.registry().to_owned(), repository: repository.clone(), tag: Some(tag), digest: None };
    let to = Arc::new(Registry::of(&target, ecr.source(&target))?);
    let view = Arc::new(ui.copy_progress(&target));
    let report = {
        let view = Arc::clone(&view);
        Arc::new(move |event| view.show(&event))
    };
    let pushed = images::put(&image, &to, &target, &[], report).await;
    view.finish();
    // By its digest alone, as ECS resolves it.
    let image = Reference { tag: None, digest: Some(pushed?.digest), ..target };
    Ok(Program { image: image.to_string(), arm })
}

fn own_program() -> Result<PathBuf> {
    env::current_exe().map_err(|error| Failure::fault("this program's own file is not known").cause(error).into())
}

fn no_program(file: &Path, why: &str, named: bool) -> Failure {
    let headline = if named {
        format!("{} can't run in an empty image", file.display())
    } else {
        "this program can't run in an empty image".to_owned()
    };
    Failure::usage(headline)
        .code(Code::IN_VPC_PROGRAM)
        .cause(why)
        .help("give a statically linked confluent-ecs of this version with --in-vpc-binary FILE")
        .help("or an image that holds one with --in-vpc-image IMAGE")
}

/// Whether a program needs no loader and no library; then whether it is for ARM.
fn static_program(file: &Path) -> std::result::Result<bool, String> {
    let head = fs::File::open(file)
        .and_then(|file| {
            let mut head = Vec::new();
            std::io::Read::read_to_end(&mut std::io::Read::take(file, 64 * 1024), &mut head)?;
            Ok(head)
        })
        .map_err(|error| error.to_string())?;
    elf(&head)
}

/// Reads the head of an ELF file of 64 bits, little end first.
fn elf(head: &[u8]) -> std::result::Result<bool, String> {
    const INTERPRETER: u32 = 3;
    let short = || "it ends in its own head".to_owned();
    let word = |at: usize| head.get(at..at + 2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]])).ok_or_else(short);
    let double = |at: usize| {
        let bytes = head.get(at..at + 4).ok_or_else(short)?;
        Ok::<u32, String>(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    };
    if !head.starts_with(b"\x7fELF") || head.get(4) != Some(&2) || head.get(5) != Some(&1) {
        return Err("it is no program for Linux with 64 bits".to_owned());
    }
    let arm = match word(18)? {
        62 => false,
        183 => true,
        other => return Err(format!("it is for a processor that Fargate has not (ELF machine {other})")),
    };
    // The offset has 64 bits; no head is longer than 32 bits can say.
    let (table, size, count) = (double(32)? as usize, usize::from(word(54)?), usize::from(word(56)?));
    for index in 0..count {
        if double(table + index * size)? == INTERPRETER {
            return Err("it is linked with shared libraries, which an empty image has not".to_owned());
        }
    }
    Ok(arm)
}

#[cfg(test)]
mod tests {
    use super::elf;

    fn head(machine: u16, kinds: &[u32]) -> Vec<u8> {
        let mut head = vec![0; 64 + 56 * kinds.len()];
        head[..6].copy_from_slice(b"\x7fELF\x02\x01");
        head[18..20].copy_from_slice(&machine.to_le_bytes());
        head[32..36].copy_from_slice(&64_u32.to_le_bytes());
        head[54..56].copy_from_slice(&56_u16.to_le_bytes());
        head[56..58].copy_from_slice(&u16::try_from(kinds.len()).unwrap().to_le_bytes());
        for (index, kind) in kinds.iter().enumerate() {
            head[64 + 56 * index..68 + 56 * index].copy_from_slice(&kind.to_le_bytes());
        }
        head
    }

    #[test]
    fn a_program_that_wants_a_loader_is_none_for_an_empty_image() {
        assert_eq!(elf(&head(62, &[6, 1, 1])), Ok(false));
        assert_eq!(elf(&head(183, &[1])), Ok(true));
        assert!(elf(&head(62, &[6, 3, 1])).unwrap_err().contains("shared libraries"));
        assert!(elf(&head(243, &[1])).unwrap_err().contains("243"));
        assert!(elf(b"#!/bin/sh\n").unwrap_err().contains("no program for Linux"));
        assert!(elf(&head(62, &[1, 1])[..100]).unwrap_err().contains("its own head"));
    }
}
