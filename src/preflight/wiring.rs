//! An address that this very stack deploys: it can't be asked yet, so the template is: does the name lead to a service, is the port
//! open, is the client let in?

use super::fix::Fix;
use super::input::OwnHost;
use super::report::{Check, Status};
use crate::net::Endpoint;

/// Why nothing of it is asked.
pub(super) const DEPLOYED_HERE: &str =
    "deployed by this stack; that the name, the port and the security group lead there is checked in the template";

/// Judges the wiring of one client's address.
pub(super) fn check(check: Check, client: &str, to: &Endpoint, host: &OwnHost) -> Check {
    let (service, port) = (&host.service, to.port);
    let ports: Vec<String> = host.ports.iter().map(ToString::to_string).collect();
    let (wrong, fix) = if !host.found {
        let fix =
            format!("give {service} a name in Cloud Map (x-network.x-cloudmap), and write that name instead of {}", to.host);
        (format!("{} is {service}'s name in the compose files, and no other task finds it", to.host), fix)
    } else if host.known_to.as_ref().is_some_and(|known| !known.contains(client)) {
        let fix = format!("take {client} into Service Connect too (x-network.x-ecs_connect), in the namespace of {service}");
        (format!("{} is a name in Service Connect, of which {client} knows nothing", to.host), fix)
    } else if !host.ports.contains(&port) {
        let open = if ports.is_empty() { "no port".to_owned() } else { ports.join(", ") };
        (format!("{service} opens {open}, not {port}"), format!("write a port that {service} opens, or add {port} to its ports"))
    } else if !host.lets_in.contains(&(client.to_owned(), port)) {
        let fix = format!("let {client} depend on {service}, or add it to x-network.Ingress.Services of {service}");
        (format!("the security group of {service} does not let {client} in on {port}"), fix)
    } else {
        return check.passed(format!("{to} is {service}'s, which opens {port} and lets {client} in"));
    };
    let mut check = check.ended(Status::Failed, wrong);
    check.why = Some("the tasks would start, and wait for each other in vain".to_owned());
    check.fixes = vec![Fix::advice(fix)];
    check
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::base::Code;
    use crate::net::Endpoint;
    use crate::preflight::input::OwnHost;
    use crate::preflight::report::{Category, Check, Status};

    #[test]
    fn each_part_of_the_wiring_is_looked_at() {
        let host = OwnHost {
            service: "registry".into(),
            found: true,
            known_to: None,
            ports: [8081].into(),
            lets_in: [("connect".to_owned(), 8081)].into(),
        };
        let to = |client: &str, port: u16, host: &OwnHost| {
            let new = Check::new(Code::OWN_ADDRESS, Category::SchemaRegistry, "own", "own");
            check(new, client, &Endpoint::new("registry.orders.internal", port), host)
        };
        assert_eq!(to("connect", 8081, &host).status, Status::Passed);
        for (check, part) in [
            (to("connect", 8082, &host), "opens 8081, not 8082"),
            (to("control-center", 8081, &host), "does not let control-center in on 8081"),
            (to("connect", 8081, &OwnHost { found: false, ..host.clone() }), "no other task finds it"),
            (
                to("connect", 8081, &OwnHost { known_to: Some(["registry".to_owned()].into()), ..host.clone() }),
                "a name in Service Connect, of which connect knows nothing",
            ),
        ] {
            assert!(check.status == Status::Failed && check.message.contains(part), "{}", check.message);
        }
    }
}
