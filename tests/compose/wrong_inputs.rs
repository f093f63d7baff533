//! `wrong-inputs.md`: what we say to a wrong file beside what Docker says. Made from the corpus; this keeps it true.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use super::case;

#[test]
fn the_table_is_true() {
    let mut table = String::from(concat!(
        "# Wrong inputs: Docker's message and ours\n\n",
        "Each row is a case of [cases/](cases), where its files are. Docker's column is what `docker compose config` printed; ours is what\n",
        "`confluent-ecs config` prints without a terminal (on one, the line of the file stands under it). Written by\n",
        "`UPDATE_GOLDEN=1 cargo test wrong_inputs`, and compared by every run of the tests.\n",
    ));
    let mut rows = 0;
    for group in case::groups() {
        let wrong: Vec<_> = case::group(&group).into_iter().filter(|case| !case.errors.is_empty()).collect();
        if wrong.is_empty() {
            continue;
        }
        write!(table, "\n## {group}\n\n| case | Docker Compose | confluent-ecs |\n|---|---|---|\n").unwrap();
        let says: Vec<String> = std::thread::scope(|scope| {
            let runs: Vec<_> = wrong.iter().map(|case| scope.spawn(|| case.run("json").stderr)).collect();
            runs.into_iter().map(|run| run.join().unwrap()).collect()
        });
        for (case, ours) in wrong.iter().zip(&says) {
            rows += 1;
            let ours: Vec<String> = ours.lines().map(cell).collect();
            writeln!(table, "| {} | {} | {} |", case.name, cell(&case.docker_says), ours.join("<br>")).unwrap();
        }
    }
    assert!(rows >= 40, "{rows} rows");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compose/wrong-inputs.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &table).unwrap();
        return;
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    let different = kept.lines().zip(table.lines()).find(|(kept, now)| kept != now);
    assert!(kept == table, "wrong-inputs.md is not true any more: {different:#?}; UPDATE_GOLDEN=1 writes it anew");
}

/// Text as code in a cell of a table.
fn cell(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let text = if text.chars().count() > 400 { text.chars().take(400).collect::<String>() + "…" } else { text };
    format!("<code>{}</code>", text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('|', "&#124;"))
}
