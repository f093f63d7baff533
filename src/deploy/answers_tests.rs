//! What counts as an answer, and what as a wrong one.

use std::time::Duration;

use super::{Asked, Said, judge, names, together, url};
use crate::base::Moment;
use crate::cloudformation::Way;
use crate::net::Endpoint;
use crate::net::http::{Answer, HeaderMap, Url};

fn answer(status: u16, body: &str) -> Answer {
    let location = (300..400).contains(&status).then(|| "https://login.example.com/".parse::<Url>().unwrap());
    Answer {
        status,
        headers: HeaderMap::default(),
        body: body.as_bytes().to_vec(),
        cut: false,
        location,
        date: None,
        received: Moment::default(),
        certificate: None,
        proxy: None,
        took: Duration::ZERO,
    }
}

fn said(answer: &Answer, asked: Asked) -> Said {
    judge(answer, &url("http", "lb.example.com", 80, "/health").unwrap(), asked)
}

const THROUGH: Asked = Asked::Through { login: false };

#[test]
fn what_is_well_answers_with_200_and_says_what_is_wrong_otherwise() {
    assert_eq!(said(&answer(200, "{}"), THROUGH), Said::Answers("answers at http://lb.example.com/health".to_owned()));
    let stuck = answer(500, r#"{"status":"unhealthy","message":"Worker was unable to handle this request"}"#);
    let wrong = "answers at http://lb.example.com/health with status 500: Worker was unable to handle this request";
    assert_eq!(said(&stuck, THROUGH), Said::Wrong(wrong.to_owned()));
    let Said::Wrong(empty) = said(&answer(503, "<html>503</html>"), THROUGH) else { panic!() };
    assert!(empty.ends_with("the load balancer gets no answer from its tasks"), "{empty}");
    assert!(matches!(said(&answer(404, "not found"), THROUGH), Said::Wrong(_)));
}

#[test]
fn a_login_is_an_answer_and_a_detour_is_none() {
    assert!(matches!(said(&answer(401, ""), THROUGH), Said::Answers(text) if text.ends_with("wants a login")));
    assert!(
        matches!(said(&answer(302, ""), Asked::Through { login: true }), Said::Answers(text) if text.contains("behind a login"))
    );
    assert!(
        matches!(said(&answer(302, ""), THROUGH), Said::Nothing(text) if text.ends_with("sends us on to login.example.com:443"))
    );
}

#[test]
fn nobody_else_is_taken_for_the_component() {
    // A home network may have the addresses of the VPC.
    assert!(
        matches!(said(&answer(404, "<html>"), Asked::Directly), Said::Nothing(text) if text.contains("something else answers"))
    );
    assert!(matches!(said(&answer(500, r#"{"message":"no"}"#), Asked::Directly), Said::Wrong(_)));
    let behind = Answer { proxy: Some(Endpoint::new("proxy", 3128)), ..answer(503, "") };
    assert!(matches!(said(&behind, THROUGH), Said::Nothing(text) if text.contains("the proxy on the way")));
}

#[test]
fn of_several_ways_a_wrong_answer_counts_before_a_good_one_and_a_good_one_before_none() {
    let wrong = || Said::Wrong("w".to_owned());
    let good = || Said::Answers("g".to_owned());
    let none = || Said::Nothing("n".to_owned());
    assert_eq!(together(vec![none(), good(), wrong()]), wrong());
    assert_eq!(together(vec![none(), good()]), good());
    assert_eq!(together(vec![none(), Said::Nothing("m".to_owned())]), none());
    assert!(matches!(together(Vec::new()), Said::Nothing(text) if text.contains("no load balancer leads to it")));
}

#[test]
fn a_balancer_is_asked_by_the_names_that_its_rules_take() {
    let way = |scheme: &str, hosts: &[&str], only_hosts: bool| Way {
        balancer: "front".to_owned(),
        address: "FrontDnsName".to_owned(),
        scheme: scheme.to_owned(),
        port: 443,
        hosts: hosts.iter().map(|host| (*host).to_owned()).collect(),
        only_hosts,
        login: false,
    };
    let lb = Some("lb.amazonaws.com");
    assert_eq!(names(&way("http", &[], false), lb), [("lb.amazonaws.com".to_owned(), None)]);
    let alias = [("c.example.com".to_owned(), None), ("lb.amazonaws.com".to_owned(), None)];
    assert_eq!(names(&way("https", &["c.example.com"], false), lb), alias);
    let asked = [("c.example.com".to_owned(), None), ("lb.amazonaws.com".to_owned(), Some("c.example.com"))];
    assert_eq!(names(&way("http", &["c.example.com"], true), lb), asked);
    assert_eq!(names(&way("https", &["c.example.com"], true), lb), [("c.example.com".to_owned(), None)]);
    assert_eq!(names(&way("https", &[], true), lb), []);
}
