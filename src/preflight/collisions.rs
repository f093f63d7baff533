//! Who else is there: members of the component's own group that are not its own tasks, and other registries on the same cluster.
//!
//! A member says itself where it is: a Connect worker's URL and a registry's address are in its subscription. Whether it is one of
//! our own tasks is known by the tasks' addresses where AWS was asked. Without, some members are others' for certain: those of an
//! address that no task has, and those of a group whose internal topics, as this project names them, do not exist. Of the rest
//! nobody can tell, and the check says so: a redeploy over one's own workers is no finding.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use super::asker::Asker;
use super::connection::{Connected, check_of};
use super::fix::Fix;
use super::input::{Input, Own};
use super::report::{Category, Check, Status, Subject};
use super::rights::{LIMIT, unanswered};
use super::runner::Plan;
use super::target::Target;
use crate::base::{Code, Deadline};
use crate::confluent::{self, AclNeed, Need};
use crate::kafka::{Existence, GroupAnswer, Member, Rights};
use crate::profile::{Members, Pattern, Resource};

/// What decides whether a member is one of ours.
struct Whose {
    own: Own,
    /// The address that the service is told to advertise, whatever task it runs in.
    advertised: Option<String>,
    /// The internal topics that its members must have.
    topics: Vec<String>,
    /// Where the group's name is set.
    variable: String,
}

pub(super) fn plan(target: &Target, connected: &Connected, asker: &Arc<Asker>, input: &Input, plan: &mut Plan) {
    let joined = target.needs.iter().filter(|need| need.resource == Resource::Group && need.unresolved.is_empty());
    for need in joined {
        let Some(members) = need.members else { continue };
        let whose = whose(target, need, input);
        let star = if need.pattern == Pattern::Prefixed { "*" } else { "" };
        let mut check = check_of(
            target,
            Category::Collisions,
            Code::GROUP_MEMBERS,
            &format!("group/{}{star}", need.name),
            &format!("group {}{star}", need.name),
        );
        check.title = format!("members of group {}", need.name);
        check.subject =
            Some(Subject { kind: "group".to_owned(), name: need.name.clone(), pattern: Some(need.pattern.to_string()) });
        check.clients = vec![need.client.clone()];
        let (asking, name, instance) = (asker.clone(), need.name.clone(), need.instance.clone());
        let prefixed = need.pattern == Pattern::Prefixed;
        plan.step(check, &[connected.login, connected.brokers], &[], LIMIT, move |check, deadline| async move {
            if prefixed {
                of_instance(&asking, check, &name, &instance.unwrap_or_default(), members, &whose, deadline).await
            } else {
                in_group(&asking, check, &name, members, &whose, deadline).await
            }
        });
        if members == Members::Registry {
            let topics = topics(target);
            let mut check = check_of(
                target,
                Category::Collisions,
                Code::OTHER_REGISTRY,
                &format!("registries/{}", need.name),
                "other registries",
            );
            "other registries on the cluster".clone_into(&mut check.title);
            check.clients = vec![need.client.clone()];
            let (asking, name) = (asker.clone(), need.name.clone());
            plan.step(check, &[connected.login, connected.brokers], &[], LIMIT, move |check, deadline| async move {
                registries(&asking, check, &name, &topics, deadline).await
            });
        }
    }
}

fn topics(target: &Target) -> Vec<String> {
    let internal = |need: &&AclNeed| {
        need.resource == Resource::Topic
            && need.need == Need::WhileMissing
            && need.unresolved.is_empty()
            && need.pattern == Pattern::Literal
    };
    target.needs.iter().filter(internal).map(|need| need.name.clone()).collect()
}

fn whose(target: &Target, need: &AclNeed, input: &Input) -> Whose {
    let own = input.own.get(&target.service).cloned();
    let service = input.services.iter().find(|service| service.name == target.service);
    let properties = service.map(|service| confluent::properties(&service.component, &service.image, &service.environment));
    let advertised =
        service.and_then(|service| service.environment.get(service.component.start.advertised_host.as_deref()?)?.plain_text());
    // The group's name was filled in from a property that somebody set.
    let variable = properties.and_then(|properties| {
        let found =
            properties.iter().find(|(_, property)| property.value.plain_text().is_some_and(|text| text.trim() == need.name));
        found.map(|(_, property)| property.variable.clone())
    });
    Whose {
        own: own.unwrap_or_else(|| Own::Unknown("AWS was not asked for its tasks".to_owned())),
        advertised: advertised.map(|text| text.trim().to_owned()),
        topics: topics(target),
        variable: variable.unwrap_or_else(|| "its group's name".to_owned()),
    }
}

async fn in_group(asker: &Asker, check: Check, name: &str, kind: Members, whose: &Whose, deadline: Deadline) -> Check {
    let answer = match asker.groups(deadline).await {
        Ok(answers) => answers.get(name).cloned(),
        Err(fault) => return unanswered(check, fault),
    };
    let Some(answer) = answer else { return check.ended(Status::Unknown, "no broker answered for this group") };
    let mut check = check;
    check.evidence = Some("DescribeGroups, the members' own metadata".to_owned());
    let members = match &answer {
        GroupAnswer { members: Some(members), .. } => members,
        GroupAnswer { rights: Rights::NoDescribe, .. } => {
            return check.ended(Status::Skipped, "without describe on the group nobody tells who is in it");
        }
        // Every broker was asked, and none keeps it.
        _ if asker.every_broker().await => &Vec::new(),
        _ => return check.ended(Status::Unknown, "its coordinator was not reached"),
    };
    if members.is_empty() {
        return match asker.newer_kind(name, deadline).await {
            Some(other) => of_newer_kind(check, &other, kind, whose),
            None => check.passed("nobody is in it"),
        };
    }
    let kinds = (answer.protocol != kind.word()).then_some(answer.protocol.as_str());
    let gone = missing_topic(asker, &whose.topics, deadline).await;
    match kinds {
        Some(other) => another_kind(check, members, other, kind, whose),
        None => told_apart(check, members, gone.as_deref(), whose),
    }
}

/// The groups of one instance have names of their own, which begin alike and hold its id.
async fn of_instance(
    asker: &Asker,
    check: Check,
    prefix: &str,
    instance: &str,
    kind: Members,
    whose: &Whose,
    deadline: Deadline,
) -> Check {
    let groups: Vec<String> = match asker.groups_of_protocol(kind.word(), deadline).await {
        Ok(groups) => groups.into_iter().filter(|group| is_of_instance(group, prefix, instance)).collect(),
        Err(fault) => return unanswered(check, &fault),
    };
    let mut check = check;
    check.evidence = Some("ListGroups, DescribeGroups: the groups that this principal can see".to_owned());
    let answers = match asker.members(&groups, deadline).await {
        Ok(answers) => answers,
        Err(fault) => return unanswered(check, &fault),
    };
    let members: Vec<Member> = answers.into_values().filter_map(|answer| answer.members).flatten().collect();
    if members.is_empty() {
        return check.passed(format!("nobody of id {instance} is there"));
    }
    told_apart(check, &members, None, whose)
}

/// `NAME-7-9-2-ID`, and what it appends: the version stands between the name and the id, and its numbers are no ids.
fn is_of_instance(group: &str, name: &str, id: &str) -> bool {
    let Some(rest) = group.strip_prefix(name).and_then(|rest| rest.strip_prefix('-')) else { return false };
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let version = rest.split('-').take(3).take_while(is_number).map(|part| part.len() + 1).sum::<usize>();
    let behind = rest.get(version..).unwrap_or_default();
    behind.strip_prefix(id).is_some_and(|more| more.is_empty() || more.starts_with('-'))
}

fn another_kind(check: Check, members: &[Member], other: &str, kind: Members, whose: &Whose) -> Check {
    let shown: Vec<String> = members.iter().map(self::shown).collect();
    let what = if other.is_empty() { "another kind" } else { other };
    let mut check = check.ended(Status::Failed, format!("its members are of {what}, not of {kind}: {}", shown.join(", ")));
    check.observed = Some(shown);
    check.fixes = vec![another_name(whose)];
    check.why = Some("members of one group must speak one protocol: who comes second is sent away".to_owned());
    check
}

/// The brokers keep the group in their newer way, and send away who comes in the classic one.
fn of_newer_kind(check: Check, other: &str, kind: Members, whose: &Whose) -> Check {
    let mut check = check.ended(Status::Failed, format!("it is in use as a group of the kind {other}, not of {kind}"));
    check.evidence = Some("ListGroups".to_owned());
    check.fixes = vec![another_name(whose)];
    check.why = Some("members of one group must speak one protocol: who comes second is sent away".to_owned());
    check
}

/// Members are there: ours, others', or nobody can tell. `gone` is an internal topic that they don't use.
fn told_apart(check: Check, members: &[Member], gone: Option<&str>, whose: &Whose) -> Check {
    let mut check = check;
    let shown: Vec<String> = members.iter().map(self::shown).collect();
    check.observed = Some(shown.clone());
    if let Own::Known(own) = &whose.own {
        check.expected = own.iter().map(ToString::to_string).collect();
    }
    let (mut others, mut open) = (Vec::new(), Vec::new());
    for (member, shown) in members.iter().zip(shown) {
        match is_ours(member, whose) {
            Some(true) => {}
            Some(false) => others.push(shown),
            None if gone.is_some() => others.push(shown),
            None => open.push(shown),
        }
    }
    if !others.is_empty() {
        check.fixes = vec![another_name(whose)];
        check.why = Some(
            "instances that share a group form one cluster, whatever they were deployed by: they take each other's work, and a \
             request may end at an instance that this network can't reach"
                .to_owned(),
        );
        let topic = gone.map(|topic| format!("; they don't use {topic}, which does not exist")).unwrap_or_default();
        let message =
            format!("{} not of this project: {}{topic}", count(others.len(), "member is", "members are"), others.join(", "));
        return check.ended(Status::Failed, message);
    }
    if !open.is_empty() {
        let why = match &whose.own {
            Own::Unknown(why) => why,
            Own::Known(_) => "the broker sees them behind another address than their own",
        };
        let message = format!(
            "{} it: {}; whether they are this project's own tasks can't be told: {why}",
            count(open.len(), "member holds", "members hold"),
            open.join(", ")
        );
        return check.ended(Status::Unknown, message);
    }
    check.passed(count(members.len(), "member, this project's own", "members, all this project's own"))
}

/// Is a member one of our own tasks? `None`: nobody can tell.
fn is_ours(member: &Member, whose: &Whose) -> Option<bool> {
    let says = member.url.as_deref().map(host);
    match &whose.own {
        Own::Known(own) => {
            let address: IpAddr = says.unwrap_or(&member.from).parse().ok()?;
            // Behind a NAT or an endpoint the broker sees another address than the task's.
            if own.contains(&address) { Some(true) } else { says.is_some().then_some(false).or(own.is_empty().then_some(false)) }
        }
        Own::Unknown(_) => {
            let says = says?;
            if whose.advertised.as_deref() == Some(says) {
                return None;
            }
            match says.parse::<IpAddr>() {
                // A task advertises its address in the VPC.
                Ok(address) if !address.is_loopback() && !address.is_unspecified() => None,
                _ => Some(false),
            }
        }
    }
}

/// The host of `http://host:port/`.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
    host.trim_start_matches('[').trim_end_matches(']')
}

/// An internal topic that does not exist: whoever is in the group uses another.
async fn missing_topic(asker: &Asker, topics: &[String], deadline: Deadline) -> Option<String> {
    let answers = asker.rights(deadline).await.as_ref().ok()?;
    topics.iter().find(|topic| answers.get(*topic).is_some_and(|answer| answer.existence == Existence::Missing)).cloned()
}

fn shown(member: &Member) -> String {
    member.url.clone().unwrap_or_else(|| format!("{} from {}", member.client_id, member.from))
}

fn another_name(whose: &Whose) -> Fix {
    let topics =
        if whose.topics.is_empty() { String::new() } else { format!(", and names of their own to {}", whose.topics.join(", ")) };
    Fix::advice(format!("stop the other members, or give {} a value that nobody else has{topics}", whose.variable))
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Two registries over one topic are two leaders. Another group with members is suspicious where our own has none and the topic is
/// there already: somebody made it.
async fn registries(asker: &Asker, check: Check, own: &str, topics: &[String], deadline: Deadline) -> Check {
    let groups = match asker.groups_of_protocol(Members::Registry.word(), deadline).await {
        Ok(groups) => groups,
        Err(fault) => return unanswered(check, &fault),
    };
    let mut check = check;
    check.evidence = Some("ListGroups: the groups that this principal can see".to_owned());
    let others: BTreeSet<String> = groups.into_iter().filter(|group| group != own).collect();
    let ours_is_empty = match asker.groups(deadline).await {
        Ok(answers) => answers.get(own).and_then(|answer| answer.members.as_ref()).is_none_or(Vec::is_empty),
        Err(fault) => return unanswered(check, fault),
    };
    let there = match asker.rights(deadline).await {
        Ok(answers) => topics
            .iter()
            .find(|topic| answers.get(*topic).is_some_and(|answer| matches!(answer.existence, Existence::Exists { .. }))),
        Err(fault) => return unanswered(check, fault),
    };
    if others.is_empty() {
        return check.passed("none seen");
    }
    let list = others.into_iter().collect::<Vec<_>>().join(", ");
    match there {
        Some(topic) if ours_is_empty => {
            check.why = Some(
                "registries of different groups that write one topic are two leaders, and give one id to two schemas".to_owned(),
            );
            check.fixes = vec![Fix::advice(format!(
                "see whether the registry of group {list} writes {topic}: then take its group's name, or another topic"
            ))];
            check.ended(Status::Warned, format!("{topic} is there and nobody is in {own}; but a registry is in group {list}"))
        }
        _ => check.passed(format!("group {list}, with a topic of its own as far as can be seen")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Own, Whose, host, is_of_instance, is_ours};
    use crate::kafka::Member;

    fn member(url: Option<&str>, from: &str) -> Member {
        Member { client_id: "connect-1".into(), from: from.into(), url: url.map(str::to_owned) }
    }

    fn whose(own: Own) -> Whose {
        Whose { own, advertised: Some("connect.internal".into()), topics: Vec::new(), variable: String::new() }
    }

    #[test]
    fn our_own_tasks_are_known_by_their_addresses() {
        let known = whose(Own::Known(["10.0.1.5".parse().expect("an address")].into()));
        assert_eq!(is_ours(&member(Some("http://10.0.1.5:8083/"), "10.9.9.9"), &known), Some(true));
        assert_eq!(is_ours(&member(Some("http://10.0.1.6:8083/"), "10.0.1.5"), &known), Some(false));
        assert_eq!(is_ours(&member(None, "10.0.1.5"), &known), Some(true));
        assert_eq!(is_ours(&member(None, "52.1.1.1"), &known), None);
        assert_eq!(is_ours(&member(None, "52.1.1.1"), &whose(Own::Known([].into()))), Some(false));
    }

    #[test]
    fn without_them_only_what_no_task_would_say_is_others() {
        let unknown = whose(Own::Unknown(String::new()));
        for (url, expected) in [
            ("http://10.0.1.5:8083/", None),
            ("http://connect.internal:8083/", None),
            ("http://127.0.0.1:8083/", Some(false)),
            ("http://laptop:8083/", Some(false)),
            ("https://[fd00::1]:8083/", None),
        ] {
            assert_eq!(is_ours(&member(Some(url), ""), &unknown), expected, "{url}");
        }
        assert_eq!(is_ours(&member(None, "10.0.1.5"), &unknown), None);
    }

    #[test]
    fn the_id_of_an_instance_stands_behind_its_version() {
        for (group, id, expected) in [
            ("_center-7-9-2-1", "1", true),
            ("_center-7-9-2-1-command", "1", true),
            ("_center-7-9-2-1", "2", false),
            ("_center-7-9-2-1", "9", false),
            ("_center-7-9-2-12", "1", false),
            ("_center-7-9-2-blue-green", "blue-green", true),
            ("_center-7-9-2-blue", "blue-green", false),
            ("_center-other-7-9-2-1", "1", false),
            ("_center", "1", false),
        ] {
            assert_eq!(is_of_instance(group, "_center", id), expected, "{group} {id}");
        }
    }

    #[test]
    fn the_host_of_a_url() {
        for (url, expected) in [("http://a:1/", "a"), ("https://[::1]:8083/x", "::1"), ("b", "b"), ("http://c/", "c")] {
            assert_eq!(host(url), expected);
        }
    }
}
