//! `status`: one line with the verdict, then services with their tasks, what failed, and the outputs.

use std::fmt::Write as _;

use serde::Serialize;

use super::{Ui, words};
use crate::base::Moment;
use crate::deploy::{BACK, GONE, ServiceStatus, Status, Verdict};

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    exit_code: u8,
    #[serde(flatten)]
    status: &'a Status,
}

impl Ui {
    pub fn status(&mut self, status: &Status, again: &str) {
        if self.wants_json() {
            self.json(&Document { schema: "confluent-ecs/status/v1", exit_code: status.verdict.exit() as u8, status });
            return;
        }
        let text = self.status_text(status, again);
        self.result(&text);
    }

    fn status_text(&self, status: &Status, again: &str) -> String {
        let mut text = String::new();
        let since =
            status.changed.map(|at| format!(", changed {} ago", words::duration(Moment::now().since(at)))).unwrap_or_default();
        let word = status.status.as_deref().map(|word| format!(" ({word}{since})")).unwrap_or_default();
        let verdict = match status.verdict {
            Verdict::Healthy => "healthy".to_owned(),
            Verdict::Working => self.style.doubtful("working"),
            Verdict::RolledBack => self.style.bad("rolled back"),
            Verdict::Broken => self.style.bad("broken"),
            Verdict::Absent => "not deployed".to_owned(),
        };
        let _ =
            writeln!(text, "{}: {verdict}{word}   AWS {} {}", self.style.strong(&status.stack), status.account, status.region);
        for service in &status.services {
            self.service_text(&mut text, service);
        }
        if status.services.iter().any(|service| service.gone) {
            let _ = writeln!(text, "    to do  {BACK}");
        }
        for failure in &status.failures {
            let reason = failure.reason.as_deref().unwrap_or("CloudFormation gives no reason");
            let _ = writeln!(text, "  × {}: {reason}", words::resource(&failure.logical));
        }
        let width = status.outputs.iter().map(|output| output.key.len()).max().unwrap_or_default();
        for (index, output) in status.outputs.iter().enumerate() {
            if index == 0 {
                let _ = writeln!(text, "outputs");
            }
            let _ = writeln!(text, "  {:<width$}  {}", output.key, output.value);
        }
        for secret in &status.secrets {
            let age =
                secret.changed.map(|at| format!(", stored {} ago", words::duration(Moment::now().since(at)))).unwrap_or_default();
            let said = if secret.stale {
                self.style.doubtful(format!("a newer version than the deployed one{age}; confluent-ecs restart{again}"))
            } else {
                format!("its newest version is deployed{age}")
            };
            let _ = writeln!(text, "  secret {}  {said}", secret.secret);
        }
        if let Some(drift) = &status.drift {
            if drift.found.is_empty() && drift.incomplete.is_none() {
                text.push_str("  nothing was changed past CloudFormation\n");
            }
            for found in &drift.found {
                let what = if found.deleted { "deleted".to_owned() } else { found.properties.join(", ") };
                let line = format!("{} was changed past CloudFormation ({what})", words::resource(&found.logical));
                let _ = writeln!(text, "  {}", self.style.doubtful(line));
            }
            if let Some(why) = &drift.incomplete {
                let _ = writeln!(text, "  – drift: {why}");
            }
        }
        if status.verdict == Verdict::Absent {
            let _ = writeln!(text, "next: confluent-ecs up{again}");
        }
        text
    }

    fn service_text(&self, text: &mut String, service: &ServiceStatus) {
        if service.gone {
            let _ = writeln!(text, "  {}  {}", self.style.strong(&service.service), self.style.bad(GONE));
            return;
        }
        let pending = if service.pending > 0 { format!(", {} pending", service.pending) } else { String::new() };
        let rollout = match service.rollout.as_deref() {
            Some("IN_PROGRESS") => self.style.doubtful(", rollout under way"),
            Some("FAILED") => self.style.bad(", rollout failed"),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "  {}  {} of {} running{pending}{rollout}  {}",
            self.style.strong(&service.service),
            service.running,
            service.desired,
            self.style.quiet(&service.revision)
        );
        for image in &service.images {
            let _ = writeln!(text, "    image {}", words::printable(image));
        }
        for task in &service.tasks {
            let health = task.health.as_deref().map(|health| format!(", {}", health.to_lowercase())).unwrap_or_default();
            let age = task.started.map(|at| format!(", up {}", words::duration(Moment::now().since(at)))).unwrap_or_default();
            let _ = writeln!(text, "    task {}  {}{health}{age}", words::short(&task.task), task.status.to_lowercase());
        }
        if let Some(last) = service.failed.last() {
            let why = [last.stop_code.as_deref(), last.reason.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(": ");
            let count = words::count(service.failed.len(), "task");
            let _ = writeln!(text, "    × {count} failed lately; the last one, {}: {why}", words::short(&last.task));
            if let Some(diagnosis) = &last.diagnosis {
                for line in words::diagnosis(diagnosis) {
                    let _ = writeln!(text, "      {line}");
                }
            }
        }
        if let Some(message) = service.message.as_ref().filter(|_| service.running < service.desired) {
            let _ = writeln!(text, "    ECS: {}", message.text);
        }
    }
}
