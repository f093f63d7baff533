//! What `config --format yaml` prints is read back by a reader of YAML 1.1 (PyYAML) as what `--format json` prints, for
//! strings that are meant to go wrong.

use std::collections::BTreeSet;
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

/// Numbers that are written in another way than they were typed.
const NUMBERS: &str =
    "1e21, 1e-7, 123456789.125, 0.1, .5, 5., -0.0, 0777, 0x1F, 1_000, 18446744073709551615, -9223372036854775808, 1e300";

fn project(texts: &[String]) -> String {
    let mut labels = String::new();
    let mut environment = String::new();
    for (index, text) in texts.iter().enumerate() {
        let value = quoted(text, true);
        write!(labels, "l{index}: {value}, ").unwrap();
        write!(environment, "E{index}: {value}, ").unwrap();
    }
    // Keys, each once and exactly as they are; what follows a text must not save it. A `$` in a key is doubled, as Docker does,
    // and stays so, since keys are not interpolated: what is printed would be another project.
    for text in texts.iter().filter(|text| !text.contains('$')).collect::<BTreeSet<_>>() {
        write!(labels, "{}: {}, ", quoted(text, false), quoted(text, true)).unwrap();
    }
    let list = texts.iter().map(|text| quoted(text, true)).collect::<Vec<_>>().join(", ");
    let single = texts.last().map(|text| quoted(text, true)).unwrap_or_default();
    format!(
        "services:\n  web:\n    image: web\n    labels: {{{labels}}}\n    environment: {{{environment}}}\n    command: [{list}]\n    \
         configs: [c]\n    healthcheck: {{test: {single}}}\nconfigs: {{c: {{content: {single}}}}}\nx-list: [{list}, {{a: [{list}], b: {{{labels}}}}}]\nx-numbers: [{NUMBERS}]\n"
    )
}

/// Words in any case, sexagesimals, dates, numbers with signs, points, underscores and exponents, blanks and breaks around
/// and inside of words, control characters and the odd corners of Unicode, long lines.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => proptest::sample::select(HOSTILE).prop_map(str::to_owned),
        2 => proptest::collection::vec(proptest::sample::select(HOSTILE), 1..4).prop_map(|parts| parts.concat()),
        1 => any::<String>(),
        1 => "[-+.:0-9eExobT_ ]{1,8}",
        1 => "([yY]([eE][sS])?|[nN][oO]?|[oO]([nN]|[fF]{2})|[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[nN][uU][lL]{2}|[nN][oO][nN][eE])",
        1 => "[-+]?[0-9]{1,3}(:[0-6]?[0-9]){1,3}(\\.[0-9_]{0,3})?",
        1 => "[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ]{1,2}[0-9]{1,2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,3})?[ ]?(Z|[-+][0-9]{1,2}(:[0-9]{2})?)?)?",
        1 => "[-+]?(0[bBoOxX]?)?[0-9a-fA-F_]{1,6}(\\.[0-9_]{0,4})?([eE][-+]?[0-9]{1,3})?",
        1 => "[-+]?\\.([iI][nN][fF]|[nN][aA][nN])",
        2 => "[ \\t\\n]{0,3}[-a-z:#'\"&*!|>%@`?,{}\\[\\]]{0,6}[ \\t\\n]{0,3}[-a-z:#]{0,4}[ \\t\\n]{0,3}",
        1 => "[\u{0}-\u{1f}\u{7f}-\u{a0}\u{2028}\u{2029}\u{200b}\u{d7ff}\u{e000}\u{fdd0}\u{fdd2}\u{feff}\u{fffd}-\u{ffff}\u{1f600}\u{10ffff}]{1,4}",
        1 => "[a-z]{1,9}( [a-z:#]{1,9}){40,120}",
        1 => "([a-z ]{0,200}\\n){1,4}",
    ]
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
    let texts = proptest::collection::vec(text(), 1..8);
    let mut projects = vec![project(&HOSTILE.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())];
    projects.extend((0..400).map(|_| project(&texts.new_tree(&mut runner).unwrap().current())));
    // Keys that no reader takes for a key on one line, and those around that length; values of any length.
    for length in [120, 127, 128, 449, 450, 451, 1_023, 1_024, 1_200, 20_000] {
        projects.push(project(&["k".repeat(length), "k ".repeat(length), "é".repeat(length), ": #".repeat(length)]));
    }

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
