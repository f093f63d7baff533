//! What `config --format yaml` prints is read back by a reader of YAML 1.1 (PyYAML) as what `--format json` prints, for
//! strings that are meant to go wrong.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use confluent_ecs::compose::{Format, LoadOptions, load};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// Words, numbers and dates of YAML 1.1 and 1.2, and characters that mean something in YAML.
const HOSTILE: &[&str] = &[
    "yes",
    "Yes",
    "no",
    "on",
    "OFF",
    "y",
    "Y",
    "n",
    "true",
    "True",
    "false",
    "null",
    "Null",
    "~",
    "",
    " ",
    "1:30",
    "1:30:15.5",
    "190:20:30",
    "2012-10-17",
    "2001-12-14t21:59:43.10-05:00",
    "2001-1-1 1:1:1",
    "1_000",
    "0777",
    "0o17",
    "0x1f",
    "0b101",
    "1e3",
    "1.5e+3",
    "1.",
    ".5",
    "-.5",
    "+1",
    "-0",
    ".inf",
    "-.INF",
    ".nan",
    "=",
    "<<",
    "!",
    "!!str x",
    "&a",
    "*a",
    "%",
    "@a",
    "`",
    "|",
    ">",
    "- a",
    "-",
    "--",
    "---",
    "...",
    "? a",
    "?",
    ": a",
    ":",
    "a:",
    "a: b",
    "a #b",
    "#",
    "# a",
    "'",
    "\"",
    "''",
    "\\",
    "\\n",
    "{",
    "}",
    "[",
    "]",
    "{a: b}",
    "[a]",
    ",",
    "a,b",
    "a\n",
    "\na",
    "a\n\nb",
    "a\nb\n",
    "a\nb\n\n",
    " a\nb",
    "a\n b",
    "\ta\nb",
    "a\t",
    "\t",
    "a \nb",
    "a\r\nb",
    "\r",
    "a\u{85}b",
    "\u{2028}",
    "\u{feff}",
    "\u{feff}a",
    "\u{0}",
    "\u{1b}[31m",
    "\u{7f}",
    "é",
    "日本",
    "😀",
    "\u{fffe}",
    "\u{e000}",
    "$",
    "$$",
    "${A}",
    "a$b",
    "$a\nb$",
    "None",
    "nan",
    "inf",
    "0.",
    "1__0",
    "12e03",
    "0x",
    "0o8",
    "08",
    "09:30",
    "1,000",
    "12:30",
    "a: ",
    "key: |",
    "\u{a0}",
    "a\u{a0}",
    "<html>&",
    "\n",
    "\n\n",
    " \n",
    "x\n\u{85}y",
];

/// A text as a double-quoted YAML string with every odd character escaped, `$` doubled unless it is a key.
fn quoted(text: &str, double: bool) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(out, "\\{c}").unwrap(),
            '$' if double => out.push_str("$$"),
            ' '..='~' => out.push(c),
            c => write!(out, "\\U{:08x}", u32::from(c)).unwrap(),
        }
    }
    out + "\""
}

fn project(texts: &[String]) -> String {
    let mut labels = String::new();
    let mut environment = String::new();
    for (index, text) in texts.iter().enumerate() {
        let value = quoted(text, true);
        write!(labels, "l{index}: {value}, {}: {value}, ", quoted(&format!("{text}{index}").replace('$', "S"), false)).unwrap();
        write!(environment, "E{index}: {value}, ").unwrap();
    }
    let list = texts.iter().map(|text| quoted(text, true)).collect::<Vec<_>>().join(", ");
    let single = texts.last().map(|text| quoted(text, true)).unwrap_or_default();
    format!(
        "services:\n  web:\n    image: web\n    labels: {{{labels}}}\n    environment: {{{environment}}}\n    command: [{list}]\n    \
         configs: [c]\n    healthcheck: {{test: {single}}}\nconfigs: {{c: {{content: {single}}}}}\nx-list: [{list}, {{a: [{list}], b: {{{labels}}}}}]\n"
    )
}

const READER: &str = r"
import json, sys, yaml
class Reader(yaml.SafeLoader): pass
wrong = 0
def bare(value):
    # What only one of the two forms shows: absent values.
    if isinstance(value, dict):
        return {k: bare(v) for k, v in value.items() if not (v is None and k in ('command', 'entrypoint')) and not (v == {} and k == 'ipam')}
    return [bare(v) for v in value] if isinstance(value, list) else value
for number in range(int(sys.argv[2])):
    expected = bare(json.load(open(f'{sys.argv[1]}/{number}.json', encoding='utf8', newline='')))
    found = yaml.load(open(f'{sys.argv[1]}/{number}.yaml', encoding='utf8', newline=''), Reader)
    if bare(found) != expected:
        wrong += 1
        print(f'{number}: {found!r}\n   in place of {expected!r}')
sys.exit(1 if wrong else 0)
";

#[test]
fn a_reader_of_yaml_1_1_reads_what_was_meant() {
    let venv = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bed/venv")).output();
    let python = match venv {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout).unwrap().trim().to_owned(),
        _ => {
            eprintln!("skipped: there is no Python environment (tests/bed/venv)");
            return;
        }
    };
    let mut runner = TestRunner::deterministic();
    let word = prop_oneof![
        4 => proptest::sample::select(HOSTILE).prop_map(str::to_owned),
        2 => proptest::collection::vec(proptest::sample::select(HOSTILE), 1..4).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
        1 => "[-+.:0-9eExobT_ ]{1,8}",
    ];
    let texts = proptest::collection::vec(word, 1..6);
    let mut projects = vec![project(&HOSTILE.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())];
    projects.extend((0..300).map(|_| project(&texts.new_tree(&mut runner).unwrap().current())));
    // Keys that no reader takes for a key on one line.
    projects.push(project(&["k".repeat(1_200)]));

    let folder = tempfile::tempdir().unwrap();
    for (number, text) in projects.iter().enumerate() {
        fs::write(folder.path().join("compose.yml"), text).unwrap();
        let loaded = load(&LoadOptions {
            files: vec!["compose.yml".into()],
            project_name: Some("p".to_owned()),
            current_dir: folder.path().to_owned(),
            ..LoadOptions::default()
        });
        let Some(loaded) = loaded.project else { panic!("{:?}\n{text}", loaded.findings) };
        fs::write(folder.path().join(format!("{number}.json")), loaded.print(Format::Json)).unwrap();
        fs::write(folder.path().join(format!("{number}.yaml")), loaded.print(Format::Yaml)).unwrap();
    }
    let output =
        Command::new(python).args(["-B", "-c", READER]).arg(folder.path()).arg(projects.len().to_string()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).chars().take(4_000).collect::<String>();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn what_is_printed_loads_as_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let read = |text: &str| {
        fs::write(folder.path().join("compose.yml"), text).unwrap();
        let loaded = load(&LoadOptions {
            files: vec!["compose.yml".into()],
            current_dir: folder.path().to_owned(),
            project_name: Some("p".to_owned()),
            ..LoadOptions::default()
        });
        loaded.project.unwrap_or_else(|| panic!("{:?}", loaded.findings))
    };
    let first = read(&project(&HOSTILE.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()));
    for format in [Format::Yaml, Format::Json] {
        let again = read(&first.print(format));
        assert_eq!(again.print(Format::Json), first.print(Format::Json));
    }
}
