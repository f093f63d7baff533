//! Hostile and huge inputs: refused or read, in bounded time and memory, never with a crash.
#![allow(clippy::format_push_string, clippy::format_collect, reason = "the inputs are made once, and read best as they are")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a run gave and what it took.
struct Taken {
    code: Option<i32>,
    stdout: usize,
    stderr: String,
    /// Seconds of processor time: what a busy machine does not change.
    seconds: f64,
    /// The most memory that it held, in MiB.
    peak: u64,
}

/// The most memory that a running process has held, in MiB.
fn peak(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kibibytes| kibibytes / 1024)
}

/// The processor time that a running process has used, in seconds: fields 14 and 15 of its stat, in hundredths.
fn processor_seconds(process: u32) -> Option<f64> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks: f64 = fields.split_whitespace().skip(11).take(2).filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
    Some(ticks / 100.0)
}

fn config(folder: &Path, arguments: &[&str]) -> Taken {
    let start = Instant::now();
    let mut child = Command::new(assert_cmd::cargo::cargo_bin("confluent-ecs"))
        .current_dir(folder)
        .env_clear()
        .args(["-p", "p"])
        .args(arguments)
        .args(["config", "--format", "json"])
        .stdin(Stdio::null())
        .stdout(fs::File::create(folder.join("stdout")).unwrap())
        .stderr(fs::File::create(folder.join("stderr")).unwrap())
        .spawn()
        .unwrap();
    let (mut most, mut seconds) = (0, 0.0);
    let code = loop {
        most = peak(child.id()).map_or(most, |now| now.max(most));
        seconds = processor_seconds(child.id()).unwrap_or(seconds);
        if let Some(status) = child.try_wait().unwrap() {
            break status.code();
        }
        if start.elapsed() > Duration::from_mins(5) {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("it runs for more than 5 minutes");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Taken {
        code,
        stdout: usize::try_from(fs::metadata(folder.join("stdout")).unwrap().len()).unwrap(),
        stderr: String::from_utf8(fs::read(folder.join("stderr")).unwrap()).unwrap(),
        seconds,
        peak: most,
    }
}

/// Refused with these texts, within seconds of processor time and MiB. The tests run side by side and unoptimised: the bounds are wide, but
/// far below what the input would take if nothing bounded it.
fn refused(files: &[(&str, &str)], texts: &[&str], seconds: u32, mebibytes: u64) {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let taken = config(folder.path(), &["-f", "compose.yml"]);
    assert_eq!(taken.code, Some(2), "{}", taken.stderr);
    for text in texts {
        assert!(taken.stderr.contains(text), "{text} is not in {}", taken.stderr.chars().take(2000).collect::<String>());
    }
    bounded(&taken, seconds, mebibytes);
}

fn bounded(taken: &Taken, seconds: u32, mebibytes: u64) {
    assert!(taken.seconds < f64::from(seconds), "{} s", taken.seconds);
    assert!(taken.peak < mebibytes, "{} MiB", taken.peak);
}

/// Read, within seconds and MiB; how much was printed.
fn read(compose: &str, seconds: u32, mebibytes: u64) -> usize {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("compose.yml"), compose).unwrap();
    let taken = config(folder.path(), &["-f", "compose.yml"]);
    assert_eq!(taken.code, Some(0), "{}", taken.stderr.chars().take(2000).collect::<String>());
    bounded(&taken, seconds, mebibytes);
    taken.stdout
}

#[test]
fn an_alias_bomb() {
    let mut text = "x-0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 9].join(", ");
        text += &format!("x-{level}: &a{level} [{aliases}]\n");
    }
    refused(&[("compose.yml", &(text + "services: {web: {image: web}}\n"))], &["CE105", "compose.yml:"], 20, 400);
}

#[test]
fn an_alias_bomb_of_one_long_string() {
    let text =
        format!("x-s: &s {}\nx-l: [{}]\nservices: {{web: {{image: w}}}}\n", "y".repeat(500_000), vec!["*s"; 20_000].join(", "));
    refused(&[("compose.yml", &text)], &["CE105"], 20, 400);
}

#[test]
fn an_alias_in_its_own_anchor() {
    refused(&[("compose.yml", "x-a: &a {b: {c: *a}}\nservices: {w: {image: w}}\n")], &["CE120", "compose.yml:1:17"], 10, 100);
}

#[test]
fn cycles_of_files() {
    let services = "services: {w: {image: w}}\n";
    let a = format!("include: [b.yml]\n{services}");
    let b = "include: [compose.yml]\n";
    refused(&[("compose.yml", &a), ("b.yml", b)], &["CE120", "compose.yml -> b.yml -> compose.yml"], 10, 100);
    let own = "services: {a: {extends: {file: b.yml, service: b}}}\n";
    let other = "services: {b: {extends: {file: compose.yml, service: a}}}\n";
    refused(&[("compose.yml", own), ("b.yml", other)], &["CE120", "circular reference"], 10, 100);
}

#[test]
fn includes_that_multiply() {
    let mut files: Vec<(String, String)> = Vec::new();
    for level in 0..30 {
        let name = if level == 0 { "compose.yml".to_owned() } else { format!("i{level}.yml") };
        files.push((name, format!("include: [i{0}.yml, {{path: i{0}.yml}}]\nservices: {{s{level}: {{image: i}}}}\n", level + 1)));
    }
    files.push(("i30.yml".to_owned(), "services: {s: {image: i}}\n".to_owned()));
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    refused(&files, &["CE105", "more than 2000 files"], 60, 400);
}

#[test]
fn services_that_multiply_by_extends() {
    let mut text = "services:\n  s0: {image: i, labels: {".to_owned();
    text += &(0..1000).map(|label| format!("l{label}: \"{}\"", "v".repeat(100))).collect::<Vec<_>>().join(", ");
    text += "}}\n";
    for service in 1..3_000 {
        text += &format!("  s{service}: {{extends: s0}}\n");
    }
    refused(&[("compose.yml", &text)], &["CE105"], 60, 700);
}

#[test]
fn ten_thousand_services() {
    let mut text = "services:\n".to_owned();
    for service in 0..10_000 {
        text += &format!(
            "  s{service}:\n    image: i:{service}\n    environment: {{A: \"{service}\", B: b}}\n    ports: [\"{}:80\"]\n",
            service + 1
        );
        if service > 0 {
            text += &format!("    depends_on: [s{}]\n", service - 1);
        }
    }
    assert!(read(&text, 60, 500) > 2_000_000);
}

#[test]
fn a_circle_of_ten_thousand() {
    let mut text = "services:\n".to_owned();
    for service in 0..10_000 {
        text += &format!("  s{service}: {{image: i, depends_on: [s{}]}}\n", (service + 1) % 10_000);
    }
    refused(&[("compose.yml", &text)], &["CE120", "dependency cycle"], 60, 400);
}

#[test]
fn ten_thousand_documents() {
    let text: String = (0..10_000).map(|service| format!("---\nservices: {{s{service}: {{image: i}}}}\n")).collect();
    read(&text, 60, 400);
}

#[test]
fn a_file_of_50_mb() {
    refused(&[("compose.yml", &"# filler\n".repeat(6_000_000))], &["CE105", "16 MiB"], 10, 150);
    let env = "A=b\n".repeat(13_000_000);
    refused(&[("compose.yml", "services: {w: {image: w}}\n"), (".env", &env)], &["CE105", ".env"], 10, 150);
}

#[test]
fn a_file_just_below_the_limit() {
    let mut text = "services:\n".to_owned();
    let mut service = 0;
    while text.len() < 4 << 20 {
        text += &format!("  s{service}: {{image: i, labels: {{a: \"{}\"}}}}\n", "x".repeat(200));
        service += 1;
    }
    read(&text, 80, 900);
}

#[test]
fn a_line_of_a_megabyte() {
    let long = "x".repeat(1 << 20);
    assert!(read(&format!("services: {{w: {{image: w, labels: {{a: \"{long}\"}}}}}}\n"), 10, 200) > 1 << 20);
    let variables = "${A:-x}".repeat(150_000);
    read(&format!("services: {{w: {{image: w, labels: {{a: \"{variables}\"}}}}}}\n"), 20, 200);
    let keys: String = (0..60_000).map(|key| format!("k{key}: v, ")).collect();
    read(&format!("services: {{w: {{image: w, labels: {{{keys}}}}}}}\n"), 20, 300);
}

#[test]
fn deep_nesting() {
    refused(&[("compose.yml", &format!("x-a: {}\n", "[".repeat(100_000)))], &["CE105", "levels deep"], 20, 200);
    refused(&[("compose.yml", &format!("x-a: {}1{}\n", "{a: ".repeat(50_000), "}".repeat(50_000)))], &["CE105"], 20, 200);
    let block: String = (0..2_000).map(|level| format!("{}a:\n", " ".repeat(level))).collect();
    refused(&[("compose.yml", &block)], &["CE105", "levels deep"], 20, 200);
    // Aliases can nest deeper than what is written.
    let mut text = "x-0: &a0 {k: [[[[[[[[[[v]]]]]]]]]]}\n".to_owned();
    for level in 1..60 {
        text += &format!("x-{level}: &a{level} {{k: [[[[[[*a{}]]]]]]}}\n", level - 1);
    }
    refused(&[("compose.yml", &text)], &["CE105"], 30, 400);
    let defaults = format!("services: {{w: {{image: \"{}x{}\"}}}}\n", "${A:-".repeat(20_000), "}".repeat(20_000));
    refused(&[("compose.yml", &defaults)], &["CE106", "nested too deep"], 20, 200);
}

#[test]
fn bytes_that_are_not_text() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("compose.yml"), b"services:\n  w:\n    image: \"\xff\xfe\"\n").unwrap();
    let taken = config(folder.path(), &["-f", "compose.yml"]);
    assert_eq!(taken.code, Some(2));
    assert!(taken.stderr.contains("compose.yml:3:13: error[CE101]"), "{}", taken.stderr);
    fs::write(folder.path().join("compose.yml"), b"services:\n  w: {image: \"a\x00b\"}\n").unwrap();
    assert!(config(folder.path(), &["-f", "compose.yml"]).stderr.contains("compose.yml:2:16: error[CE101]"));
}

#[test]
fn what_is_not_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::create_dir(path.join("folder.yml")).unwrap();
    fs::write(path.join("good.yml"), "services: {w: {image: w}}\n").unwrap();
    assert!(Command::new("mkfifo").arg(path.join("pipe.yml")).status().unwrap().success());
    let cases: [(&[&str], &str); 6] = [
        (&["-f", "folder.yml"], "folder.yml can't be read: it is a directory"),
        (&["-f", "pipe.yml"], "pipe.yml can't be read: it is a pipe, socket or device"),
        (&["-f", "/dev/zero"], "/dev/zero can't be read: it is a pipe, socket or device"),
        (&["-f", "nothing.yml"], "there is no file nothing.yml"),
        (&["-f", "good.yml", "--env-file", "pipe.yml"], "pipe.yml can't be read: it is a pipe"),
        (&["-f", "good.yml", "--env-file", "nothing.env"], "couldn't find env file nothing.env"),
    ];
    for (arguments, text) in cases {
        let taken = config(path, arguments);
        assert_eq!(taken.code, Some(2), "{arguments:?}");
        assert!(taken.stderr.contains(text), "{arguments:?}: {}", taken.stderr);
        bounded(&taken, 10, 100);
    }
    // The good file of two is still read: what is wrong in it is said as well.
    fs::write(path.join("bad.yml"), "services: {w: {imag: w}}\n").unwrap();
    let taken = config(path, &["-f", "folder.yml", "-f", "bad.yml"]);
    assert!(taken.stderr.contains("it is a directory") && taken.stderr.contains("unknown key \"imag\""), "{}", taken.stderr);
}

#[test]
fn variables_that_multiply_in_an_env_file() {
    let line = |i: usize| format!("A{}=${{A{i}}}${{A{i}}}\n", i + 1);
    let env = "A0=0123456789abcdef\n".to_owned() + &(0..60).map(line).collect::<String>();
    refused(&[("compose.yml", "services: {w: {image: w}}\n"), (".env", &env)], &["CE123", ".env:"], 20, 200);
}

#[test]
fn variables_that_fill_the_memory() {
    let folder = tempfile::tempdir().unwrap();
    let labels: String = (0..2_000).map(|label| format!("l{label}: \"$A$A$A$A\", ")).collect();
    fs::write(folder.path().join("compose.yml"), format!("services: {{w: {{image: w, labels: {{{labels}}}}}}}\n")).unwrap();
    fs::write(folder.path().join(".env"), format!("A={}\n", "x".repeat(1 << 19))).unwrap();
    let taken = config(folder.path(), &["-f", "compose.yml"]);
    assert_eq!(taken.code, Some(2));
    assert!(taken.stderr.contains("CE105"), "{}", taken.stderr.chars().take(500).collect::<String>());
    bounded(&taken, 20, 500);
}
