//! `profiles`: what is known of each component. A profile is shown as it is written, with its reasons and sources.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;

use super::Ui;
use crate::base::{Failure, Result};
use crate::profile::Component;

#[derive(Serialize)]
struct List<'a> {
    schema: &'static str,
    profiles: Vec<Listed<'a>>,
}

#[derive(Serialize)]
struct Listed<'a> {
    name: &'a str,
    title: &'a str,
    /// Last segments of the repositories that hold it.
    images: &'a [String],
    /// What `init` writes.
    image: String,
    versions: &'a [String],
}

#[derive(Serialize)]
struct Shown {
    schema: &'static str,
    profile: Value,
}

impl Ui {
    pub fn profiles(&mut self, components: &[Component]) {
        let listed = components.iter().map(|component| Listed {
            name: &component.name,
            title: &component.title,
            images: &component.images,
            image: format!("{}:{}", component.image.repository, component.image.tag),
            versions: &component.image.known,
        });
        if self.wants_json() {
            self.json(&List { schema: "confluent-ecs/profiles-list/v1", profiles: listed.collect() });
            return;
        }
        let width = components.iter().map(|component| component.name.chars().count()).max().unwrap_or_default();
        let mut text = String::new();
        for profile in listed {
            let name = self.result_style.strong(format!("{:<width$}", profile.name));
            let _ = writeln!(text, "{name}  {}", profile.title);
            let _ = writeln!(text, "{:width$}  init writes {}; known: {}", "", profile.image, profile.versions.join(", "));
            let _ = writeln!(text, "{:width$}  known by {}", "", profile.images.join(", "));
        }
        text.push_str("\nall that is known of one: confluent-ecs profiles show connect\n");
        self.result(&text);
    }

    /// A profile's own text, or its data.
    pub fn profile(&mut self, text: &str) -> Result<()> {
        if !self.wants_json() {
            self.result(text);
            return Ok(());
        }
        let profile = serde_yaml::from_str(text)
            .map_err(|error| Failure::fault("a profile that was read can't be shown").cause(error.to_string()))?;
        self.json(&Shown { schema: "confluent-ecs/profiles-show/v1", profile });
        Ok(())
    }
}
