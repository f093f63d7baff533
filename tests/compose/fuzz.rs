//! Mutated projects: the loader must neither crash nor take long, and every finding must point into a file that it read.
//!
//! Stable Rust has no coverage-guided fuzzing, so the seeds do its work: every case of the corpus. `FUZZ_SECONDS` sets how
//! long it runs (tests/long/20-fuzz-compose); `FUZZ_SEED` repeats a run. What it finds becomes a case or a test.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use confluent_ecs::compose::{Format, LoadOptions, load};

use super::case::{self, Case};

/// A small generator of pseudo-random numbers (xorshift).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// Bits of syntax that mean something somewhere.
const TOKENS: &[&str] = &[
    "${",
    "}",
    "$$",
    "${A:-",
    "${A:?x}",
    "${A+",
    "<<: *a",
    "&a ",
    "*a",
    "!reset ",
    "!override ",
    "!!int ",
    "!!binary ",
    "---\n",
    "...\n",
    "[",
    "]",
    "{",
    "}",
    ": ",
    "- ",
    "? ",
    "|\n",
    ">-\n",
    "\"",
    "'",
    "#",
    "\t",
    "\n",
    "\r\n",
    " ",
    "null",
    "~",
    "true",
    "0x1F",
    "1_000",
    ".inf",
    "2012-10-17",
    "-1",
    "99999999999999999999",
    "extends: ",
    "include: [",
    "service: ",
    "file: compose.yml",
    "env_file: .env",
    "ports: [",
    "8000-9000:80",
    "1-65535",
    "volumes: [",
    "depends_on: [",
    "networks: {",
    "x-a: ",
    "profiles: [a]",
    "a=b",
    "=",
    "\\",
    "\u{feff}",
    "é",
    "\u{2028}",
];

fn mutate(text: &str, others: &[String], random: &mut Random) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(characters.len() + 1);
        match random.below(7) {
            0 => drop(characters.splice(at..at, random.pick(TOKENS).chars().collect::<Vec<_>>())),
            1 if at < characters.len() => drop(characters.remove(at)),
            2 => {
                let end = (at + random.below(40)).min(characters.len());
                drop(characters.drain(at..end));
            }
            3 => {
                let end = (at + random.below(80)).min(characters.len());
                let copy: Vec<char> = characters[at..end].to_vec();
                let to = random.below(characters.len() + 1);
                drop(characters.splice(to..to, copy));
            }
            4 => {
                let other: Vec<char> = random.pick(others).chars().collect();
                let from = random.below(other.len());
                let end = (from + random.below(120)).min(other.len());
                drop(characters.splice(at..at, other[from..end].to_vec()));
            }
            5 if at < characters.len() => characters[at] = char::from(u8::try_from(32 + random.below(95)).unwrap()),
            _ => {
                let lines: Vec<String> = characters.iter().collect::<String>().lines().map(str::to_owned).collect();
                if lines.len() > 1 {
                    let mut lines = lines;
                    let (one, other) = (random.below(lines.len()), random.below(lines.len()));
                    lines.swap(one, other);
                    characters = lines.join("\n").chars().collect();
                }
            }
        }
        characters.truncate(20_000);
    }
    characters.into_iter().collect()
}

/// Loads what lies in a folder, or says what is wrong with how that went.
fn survives(folder: &Path, case: &Case) -> Result<(), String> {
    let value =
        |flag: &str| case.arguments.iter().position(|argument| argument == flag).and_then(|at| case.arguments.get(at + 1));
    let files: Vec<_> = case.arguments.iter().zip(case.arguments.iter().skip(1)).filter(|(flag, _)| *flag == "-f").collect();
    let options = LoadOptions {
        files: files
            .iter()
            .map(|(_, file)| file.as_str().into())
            .filter(|file: &std::path::PathBuf| file != Path::new("-"))
            .collect(),
        project_name: value("-p").cloned(),
        profiles: value("--profile").cloned().into_iter().collect(),
        services: case.services.clone(),
        environment: case.environment.clone(),
        current_dir: folder.to_owned(),
        unset_is_blank: true,
        ..LoadOptions::default()
    };
    let start = Instant::now();
    let loaded = catch_unwind(AssertUnwindSafe(|| load(&options))).map_err(|_| "it panics".to_owned())?;
    if start.elapsed() > Duration::from_mins(1) {
        return Err(format!("it takes {:?}", start.elapsed()));
    }
    for finding in loaded.findings.iter() {
        let Some(place) = &finding.place else { continue };
        if place.line > 0 && loaded.sources.line(place).is_none() && place.line > 1 {
            // A finding at the end of a file stands on the line after its last.
            let before = confluent_ecs::base::Place { line: place.line - 1, ..place.clone() };
            if loaded.sources.line(&before).is_none() {
                return Err(format!("no such line: {place} of {}", finding.message));
            }
        }
    }
    match (&loaded.project, loaded.findings.has_errors()) {
        (Some(project), false) => {
            let text = project.print(Format::Json);
            serde_json::from_str::<serde_json::Value>(&text).map_err(|error| format!("it prints no JSON: {error}"))?;
            project.print(Format::Yaml);
            Ok(())
        }
        (None, true) => Ok(()),
        _ => Err("a project with errors, or none without".to_owned()),
    }
}

fn fuzz(seconds: u64, seed: u64) -> u64 {
    let seeds: Vec<Case> = case::groups().iter().flat_map(|group| case::group(group)).filter(|case| case.cwd == ".").collect();
    let texts: Vec<String> = seeds.iter().flat_map(|case| case.files.iter().map(|(_, text)| text.clone())).collect();
    let mut random = Random(seed | 1);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut runs = 0;
    while Instant::now() < end {
        let mut case = random.pick(&seeds).clone();
        if case.files.is_empty() {
            continue;
        }
        let changed = random.below(case.files.len());
        case.files[changed].1 = mutate(&case.files[changed].1, &texts, &mut random);
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        case.write(&root);
        if let Err(wrong) = survives(&root, &case) {
            let kept = root.to_str().unwrap().to_owned();
            let shown = fs::read_to_string(root.join(&case.files[changed].0)).unwrap_or_default();
            panic!(
                "{wrong}\ncase {} with {} changed (seed {seed}, run {runs}, {kept}):\n{shown}",
                case.name, case.files[changed].0
            );
        }
        runs += 1;
    }
    runs
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn mutated_projects_for_a_moment() {
    fuzz(3, 0x5EED);
}

#[test]
#[ignore = "runs for FUZZ_SECONDS; tests/run --long does"]
fn mutated_projects() {
    let seconds = variable("FUZZ_SECONDS").unwrap_or(60);
    let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos();
    let seed = variable("FUZZ_SEED").unwrap_or(u64::try_from(clock % u128::from(u64::MAX)).unwrap());
    let runs = fuzz(seconds, seed);
    eprintln!("{runs} projects in {seconds} s, seed {seed}");
}
