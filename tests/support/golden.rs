//! Golden files: what a verb made, kept under tests/golden. `UPDATE_GOLDEN=1` writes them anew; the diff is then reviewed like code.

use std::fs;
use std::path::Path;

/// Compares a text with `tests/golden/<name>`.
pub(crate) fn compare(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        return;
    }
    let golden =
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}; UPDATE_GOLDEN=1 writes it", path.display()));
    if golden != text {
        let line = golden.lines().zip(text.lines()).position(|(golden, found)| golden != found);
        let line = line.unwrap_or_else(|| golden.lines().count().min(text.lines().count()));
        panic!(
            "{} differs from line {}:\n- {}\n+ {}\nUPDATE_GOLDEN=1 writes it anew",
            path.display(),
            line + 1,
            golden.lines().nth(line).unwrap_or("(end)"),
            text.lines().nth(line).unwrap_or("(end)")
        );
    }
}
