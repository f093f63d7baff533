//! `completions` and `man`: what they print is taken by those who read it.

use std::process::{Command, Stdio};

use crate::support::program::run;

#[test]
fn completions_are_valid_for_their_shell_and_know_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let bash = run(folder.path(), &["completions", "bash"]);
    assert_eq!(bash.code, 0, "{bash:?}");
    let mut checked = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut checked.stdin.take().unwrap(), bash.stdout.as_bytes()).unwrap();
    assert!(checked.wait().unwrap().success());
    for verb in ["preflight", "images", "secrets", "completions"] {
        assert!(bash.stdout.contains(verb), "{verb}");
    }
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let printed = run(folder.path(), &["completions", shell]);
        assert!(printed.code == 0 && printed.stdout.contains("preflight"), "{shell}");
    }
    assert_eq!(run(folder.path(), &["completions", "tcsh"]).code, 2);
}

#[test]
fn the_manual_page_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let man = run(folder.path(), &["man"]);
    assert_eq!(man.code, 0, "{man:?}");
    assert!(
        man.stdout.starts_with(".ie") && man.stdout.contains(".TH confluent-ecs 1") && man.stdout.contains("preflight"),
        "{man:?}"
    );
}
