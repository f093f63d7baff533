//! What no broker does on demand: one that stops in the middle of a conversation, one that is slow, one that is only reached by IPv6.
//! A proxy stands before a real broker and passes its answers on, as many as it is told.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::time::Duration;

use confluent_ecs::preflight::Report;

use super::{Case, LONGER, expect, text};
use crate::support::bed::{all_brokers, bed};
use crate::support::http::Refusing;

/// What becomes of the answers after the first few.
#[derive(Clone, Copy)]
enum Then {
    Close,
    Silence,
}

/// Passes on `answers` of a broker's answers on each connection, each a little later; gives its address.
fn proxy(at: &str, answers: usize, delay: Duration, then: Then) -> Option<String> {
    let listener = TcpListener::bind(at).ok()?;
    let address = listener.local_addr().unwrap().to_string();
    let broker = text(&bed().facts("kafka")["brokers"]["1"]["SASL_PLAINTEXT"]);
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let Ok(server) = TcpStream::connect(&broker) else { continue };
            let (mut up, mut asked) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut asked, &mut up));
            std::thread::spawn(move || pass_on(server, client, answers, delay, then));
        }
    });
    Some(address)
}

fn pass_on(mut server: TcpStream, mut client: TcpStream, answers: usize, delay: Duration, then: Then) {
    for _ in 0..answers {
        let mut length = [0; 4];
        if server.read_exact(&mut length).is_err() {
            return;
        }
        let mut answer = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        if server.read_exact(&mut answer).is_err() {
            return;
        }
        std::thread::sleep(delay);
        if client.write_all(&[&length[..], &answer].concat()).is_err() {
            return;
        }
    }
    match then {
        Then::Close => drop(client.shutdown(Shutdown::Both)),
        // Whatever still comes goes nowhere.
        Then::Silence => drop(std::io::copy(&mut server, &mut std::io::sink())),
    }
}

fn through(name: &str, address: &str, mechanism: &str, patience: u32) -> Report {
    let mut case = Case::granted(name);
    case.patience = patience;
    case.set("security.protocol", "SASL_PLAINTEXT").set("sasl.mechanism", mechanism);
    case.set("bootstrap.servers", address);
    case.run()
}

#[test]
fn a_broker_that_stops_in_the_middle_has_the_cause_of_where_it_stopped() {
    let _brokers = all_brokers();
    // The greeting, the handshake, then one message of PLAIN or two of SCRAM, then the first request.
    for (mechanism, answers, then, found, exit) in [
        ("PLAIN", 0, Then::Close, "CE303 failed broker-unreachable", 9),
        ("PLAIN", 0, Then::Silence, "CE303 failed timed-out", 9),
        ("PLAIN", 1, Then::Close, "CE304 failed broker-unreachable", 9),
        ("PLAIN", 1, Then::Silence, "CE304 failed timed-out", 9),
        // Confluent Cloud hangs up where it doesn't like a key.
        ("PLAIN", 2, Then::Close, "CE304 failed bad-credentials", 3),
        ("PLAIN", 2, Then::Silence, "CE304 failed timed-out", 9),
        ("PLAIN", 3, Then::Close, "CE304 failed broker-unreachable", 9),
        ("SCRAM-SHA-512", 3, Then::Silence, "CE304 failed timed-out", 9),
        ("SCRAM-SHA-512", 4, Then::Silence, "CE304 failed timed-out", 9),
    ] {
        let address = proxy("127.0.0.1:0", answers, Duration::ZERO, then).unwrap();
        let patience = if matches!(then, Then::Silence) { 1 } else { LONGER };
        let report = through("middle-of", &address, mechanism, patience);
        expect(&report, &[found]);
        assert_eq!(report.exit_code, exit, "{mechanism} {answers}");
    }
}

#[test]
fn a_slow_broker_is_no_fault() {
    let _brokers = all_brokers();
    let address = proxy("127.0.0.1:0", usize::MAX, Duration::from_millis(80), Then::Close).unwrap();
    expect(&through("slow", &address, "SCRAM-SHA-512", LONGER), &[]);
}

/// The way in is an address of the network, and the brokers say that they are where whoever reads it is.
#[test]
fn brokers_that_advertise_localhost_to_the_network_are_no_brokers_of_a_task() {
    let _brokers = all_brokers();
    // Nothing is sent: this only asks which address would be used.
    let socket = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
    let own = socket.connect("192.0.2.1:9").and_then(|()| socket.local_addr()).map(|address| address.ip());
    // A machine without a network can't be asked.
    let Some(own) = own.ok().filter(|own| !own.is_loopback() && !own.is_unspecified()) else { return };
    let address = proxy(&format!("{own}:0"), usize::MAX, Duration::ZERO, Then::Close).unwrap();
    let report = through("localhost", &address, "SCRAM-SHA-512", LONGER);
    expect(&report, &["CE305 failed broker-unreachable"]);
    let brokers = report.checks.iter().find(|check| check.cause.is_some()).unwrap();
    assert!(brokers.message.contains("127.0.0.1: to a task that is the task itself"), "{}", brokers.message);
    let fix = serde_json::to_value(&brokers.fixes[0]).unwrap();
    assert!(fix["text"].as_str().unwrap().contains("advertised.listeners"), "{fix}");
}

#[test]
fn an_address_of_ipv6_is_as_good_as_any() {
    let _brokers = all_brokers();
    // A machine without it can't be asked.
    let Some(address) = proxy("[::1]:0", usize::MAX, Duration::ZERO, Then::Close) else { return };
    assert!(address.starts_with("[::1]:"), "{address}");
    expect(&through("ipv6", &address, "SCRAM-SHA-512", LONGER), &[]);
    let closed = Refusing::at("[::1]:0");
    expect(&through("ipv6-closed", &closed.address.to_string(), "SCRAM-SHA-512", LONGER), &["CE302 failed refused"]);
}
