//! The conformance cases that lie beside the checkout, where they do. They come with their own form of comparison, which
//! leaves out what `config` may print in more than one way; here the whole answer is Docker's or the run fails.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::case::Case;

/// Reads one of the folders.
fn read(folder: &Path) -> Case {
    fn files(root: &Path, at: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(at).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                files(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let command: serde_json::Value = serde_json::from_str(&fs::read_to_string(folder.join("cmd.json")).unwrap()).unwrap();
    let texts = |key: &str| serde_json::from_value(command[key].clone()).unwrap_or_default();
    let mut case = Case {
        name: folder.file_name().unwrap().to_string_lossy().into_owned(),
        arguments: texts("args"),
        services: texts("services"),
        environment: serde_json::from_value(command["env"].clone()).unwrap_or_default(),
        cwd: command["cwd"].as_str().unwrap_or(".").to_owned(),
        ..Case::default()
    };
    files(folder, folder, &mut case.files);
    case.files.retain(|(name, text)| match name.as_str() {
        "expected_error.txt" => {
            case.errors = text.lines().map(str::to_owned).collect();
            false
        }
        name => !matches!(name, "cmd.json" | "expected.json" | "oracle.json"),
    });
    case
}

const NORMALIZE: &str = "
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location('normalize', sys.argv[1]); module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module)
found = module.normalize(json.load(sys.stdin), '/${ROOT}'); expected = json.load(open(sys.argv[2]))
if found != expected: sys.exit('found ' + json.dumps(found) + ' expected ' + json.dumps(expected))
";

#[test]
fn the_cases_beside_the_checkout() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/compose-cases");
    if !folder.is_dir() {
        eprintln!("skipped: there is no ../shared/compose-cases");
        return;
    }
    let mut wrong = Vec::new();
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.join("cmd.json").exists() {
            continue;
        }
        count += 1;
        let case = read(&path);
        let answer = case.run("json");
        if case.errors.is_empty() {
            let mut python = Command::new("python3")
                .args(["-B", "-c", NORMALIZE])
                .arg(folder.join("normalize.py"))
                .arg(path.join("expected.json"))
                .stdin(std::process::Stdio::piped())
                .stderr(std::process::Stdio::piped())
                .spawn()
                .unwrap();
            // A root that no value contains by itself; the answer already says ${ROOT}.
            let text = answer.stdout.replace("${ROOT}", "/${ROOT}");
            std::io::Write::write_all(&mut python.stdin.take().unwrap(), text.as_bytes()).unwrap();
            let output = python.wait_with_output().unwrap();
            if !output.status.success() {
                wrong.push(format!("{}: {}{}", case.name, answer.stderr, String::from_utf8_lossy(&output.stderr)));
            }
        } else {
            let said = answer.stderr.to_lowercase();
            if answer.code != Some(2) || case.errors.iter().any(|text| !said.contains(&text.to_lowercase())) {
                wrong.push(format!("{}: {:?} is not in {}", case.name, case.errors, answer.stderr));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}
