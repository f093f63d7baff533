//! The live view in a real terminal, and what a person can do there while a deploy goes on.

use std::fmt::Write as _;
use std::fs;

use serde_json::json;

use crate::support::deployment::{Deployment, UP, ended, held};
use crate::support::tmux::Tmux;

/// Eight services: more than forty resources.
fn many(shop: &Deployment) {
    let mut project = String::from("name: shop\nservices:\n");
    for number in 1..=8 {
        let _ = writeln!(
            project,
            "  worker{number}:\n    image: acme/worker:1\n    environment: {{ LEVEL: \"${{LEVEL:-1}}\" }}\n    ports: [\"8080\"]"
        );
    }
    fs::write(shop.path().join("docker-compose.yml"), project).unwrap();
}

fn start(shop: &Deployment, arguments: &[&str], columns: u16, rows: u16) -> Tmux {
    let program = assert_cmd::cargo::cargo_bin("confluent-ecs");
    let command = format!("{} --env dev {}", program.display(), arguments.join(" "));
    Tmux::start(shop.path(), &command, &shop.variables(), columns, rows)
}

/// One frame and no rest of another one; nothing wider than the terminal; and what goes on is never left out for what is done.
fn is_one_frame(screen: &str, columns: usize) -> bool {
    screen.matches("shop-dev  creating  ").count() == 1
        && screen.lines().all(|line| line.chars().count() <= columns)
        && (1..=8).all(|number| screen.matches(&format!(" worker{number}  ")).count() == 1)
}

#[test]
fn forty_resources_are_one_frame_on_a_terminal_of_any_width_also_when_it_changes() {
    let shop = Deployment::new();
    many(&shop);
    shop.script(&held());
    let terminal = start(&shop, UP, 200, 50);
    let wide = terminal.until("under way");
    assert!(wide.contains("shop-dev creating in eu-west-1"), "{wide}");
    // Every service has begun: 8 of 48 resources are under way.
    let begun = |screen: &str| screen.contains("40 done, 8 under way") && screen.contains("tasks  0 of 1 running, 1 pending");
    terminal.until_that("a frame of 200 columns", |screen| begun(screen) && is_one_frame(screen, 200));
    terminal.resize(80, 24);
    terminal.until_that("a frame of 80 columns", |screen| screen.contains(" more lines") && is_one_frame(screen, 80));
    terminal.resize(120, 40);
    terminal.resize(200, 60);
    shop.release();
    let end = terminal.until("exit status 0.");
    assert!(end.contains("shop-dev created in "), "{end}");
    let all = terminal.history();
    // The last frame stays as a whole, once, and the end below it.
    assert!(all.contains("✓ worker8"), "{all}");
    assert_eq!(all.matches("shop-dev created in ").count(), 1, "{all}");
}

#[test]
fn a_second_ctrl_c_offers_to_cancel_and_the_update_is_watched_back() {
    let shop = Deployment::new();
    ended(&shop.run(UP), 0);
    shop.script(&json!({ "provisioning": 600, "task_definition": "*:2" }));
    let file = shop.path().join("docker-compose.yml");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("LEVEL:-1", "LEVEL:-2")).unwrap();
    let terminal = start(&shop, &["up", "--skip-preflight"], 100, 40);
    terminal.until("deploy this? [y/N]");
    terminal.press(&["y", "Enter"]);
    terminal.until("shop-dev  updating");
    terminal.press(&["C-c"]);
    terminal.until("press Ctrl-C again now to cancel");
    terminal.press(&["C-c"]);
    terminal.until("cancel the update, and have what it did rolled back? [y/N]");
    terminal.press(&["n", "Enter"]);
    // A no leaves it to itself, as the first one does.
    terminal.until("exit status 130.");

    let terminal = start(&shop, &["watch"], 100, 40);
    terminal.until("shop-dev  updating");
    terminal.press(&["C-c"]);
    terminal.until("press Ctrl-C again now to cancel");
    terminal.press(&["C-c"]);
    terminal.until("rolled back? [y/N]");
    terminal.press(&["y", "Enter"]);
    let end = terminal.until("exit status 6.");
    assert!(end.contains("CloudFormation has taken it back"), "{end}");
    assert!(shop.run(&["status"]).stdout.contains("UPDATE_ROLLBACK_COMPLETE"));
}

#[test]
fn a_single_ctrl_c_leaves_the_deploy_to_itself() {
    let shop = Deployment::new();
    shop.script(&held());
    let terminal = start(&shop, UP, 100, 40);
    terminal.until("worker  5 of 6");
    terminal.press(&["C-c"]);
    terminal.until("press Ctrl-C again now to cancel");
    let end = terminal.until("exit status 130.");
    assert!(end.contains("next: confluent-ecs watch --env dev"), "{end}");
    // Taken up again, on the same terminal's width, from where it was left.
    let again = start(&shop, &["watch"], 100, 40);
    again.until("shop-dev  creating");
    shop.release();
    again.until("exit status 0.");
}
