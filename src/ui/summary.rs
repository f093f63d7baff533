//! The step summary of GitHub Actions: Markdown that a run leaves on its page. Elsewhere nothing happens.

use std::env;
use std::fs::OpenOptions;
use std::io::Write as _;

/// Adds a text of ours, as it is, under a heading. A summary that can't be written is no reason to fail a deploy.
pub(super) fn add(heading: &str, text: &str) {
    if env::var_os("GITHUB_ACTIONS").is_none_or(|value| value != "true") {
        return;
    }
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else { return };
    let Ok(mut file) = OpenOptions::new().create(true).append(true).open(path) else { return };
    let _unwritten = file.write_all(markdown(heading, text).as_bytes());
}

fn markdown(heading: &str, text: &str) -> String {
    // A fence longer than any in the text, so that nothing in it ends it.
    let longest = text.lines().map(|line| line.chars().take_while(|c| *c == '`').count()).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("### {heading}\n\n{fence}text\n{}\n{fence}\n\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::markdown;

    #[test]
    fn nothing_in_a_text_ends_its_fence() {
        assert_eq!(markdown("plan", "a\n"), "### plan\n\n```text\na\n```\n\n");
        assert!(markdown("plan", "````\nb").contains("`````text\n"));
    }
}
