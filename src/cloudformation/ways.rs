//! The ways from outside to the components of a family: for asking, after a deploy, whether they answer.
//!
//! Rules: only what leads there for sure is a way. A rule that looks at more than the name and the path, or a path that isn't the
//! component's own, is none.

use super::Builder;
use super::template::{DeployedApi, Way};
use crate::stack::{Answer, Api, Balancer, Conditions, Container, Family, Listener, pattern_fits};

impl Builder<'_> {
    /// What of a family can be asked.
    pub(super) fn apis(&self, family: &Family) -> Vec<DeployedApi> {
        let asked = |container: &Container| {
            let api = container.api.as_ref()?;
            Some(DeployedApi {
                container: container.name.clone(),
                title: api.title.clone(),
                port: api.port,
                path: api.path.clone(),
                ways: self.ways(family, container, api),
            })
        };
        family.containers.iter().filter_map(asked).collect()
    }

    fn ways(&self, family: &Family, container: &Container, api: &Api) -> Vec<Way> {
        let mut ways = Vec::new();
        for (balancer, target, member) in self.target_groups(family) {
            if member.container != container.name || member.port != api.port {
                continue;
            }
            ways.extend(balancer.listeners.iter().filter_map(|listener| way(balancer, listener, &target.name, &api.path)));
        }
        ways
    }
}

/// How a listener leads to a target group with a request for this path.
fn way(balancer: &Balancer, listener: &Listener, target: &str, path: &str) -> Option<Way> {
    let scheme = match listener.protocol.as_str() {
        "HTTP" | "TCP" => "http",
        "HTTPS" | "TLS" => "https",
        _ => return None,
    };
    let rule = listener.rules.iter().find(|rule| leads(&rule.answer, target) && takes(&rule.conditions, path));
    let (answer, hosts) = match (rule, &listener.default) {
        (Some(rule), _) => (&rule.answer, rule.conditions.hosts.clone()),
        (None, Some(default)) if leads(default, target) => (default, Vec::new()),
        _ => return None,
    };
    let only_hosts = !hosts.is_empty();
    let hosts = if only_hosts { hosts } else { balancer.aliases.iter().map(|alias| alias.name.to_string()).collect() };
    Some(Way {
        balancer: balancer.name.clone(),
        address: format!("{}DnsName", balancer.id),
        scheme: scheme.to_owned(),
        port: listener.port,
        // A pattern, or a name that only the account knows, is none that could be asked for.
        hosts: hosts.into_iter().filter(|host| host.chars().all(|c| c.is_ascii_alphanumeric() || "-.".contains(c))).collect(),
        only_hosts,
        login: matches!(answer, Answer::Forward { login: Some(_), .. }),
    })
}

fn leads(answer: &Answer, target: &str) -> bool {
    matches!(answer, Answer::Forward { targets, .. } if targets.as_slice() == [target])
}

/// Whether a rule takes a plain GET of this path, whoever sends it.
fn takes(conditions: &Conditions, path: &str) -> bool {
    let Conditions { hosts: _, paths, methods, sources, headers, queries } = conditions;
    sources.is_empty()
        && headers.is_empty()
        && queries.is_empty()
        && (methods.is_empty() || methods.iter().any(|method| method == "GET"))
        && (paths.is_empty() || paths.iter().any(|pattern| pattern_fits(pattern, path)))
}

#[cfg(test)]
mod tests {
    use super::takes;
    use crate::stack::Conditions;

    #[test]
    fn a_rule_that_looks_at_more_than_name_and_path_is_no_way() {
        let paths =
            |paths: &[&str]| Conditions { paths: paths.iter().map(|path| (*path).to_owned()).collect(), ..Conditions::default() };
        assert!(
            takes(&paths(&[]), "/health") && takes(&paths(&["/a", "/*"]), "/health") && !takes(&paths(&["/api/*"]), "/health")
        );
        let source = Conditions { sources: vec!["10.0.0.0/8".to_owned()], ..Conditions::default() };
        assert!(!takes(&source, "/health"));
        let post = Conditions { methods: vec!["POST".to_owned()], ..Conditions::default() };
        assert!(!takes(&post, "/health"));
    }
}
