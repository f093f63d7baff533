//! Listeners that share no version or no cipher of TLS with the client: which they speak is found out, and what Java would take is no failure.

use std::net::TcpListener;

use openssl::ssl::{SslAcceptor, SslFiletype, SslMethod, SslOptions, SslVersion};

use super::{Case, expect, text};
use crate::support::bed::{all_brokers, bed};

/// A listener that shakes hands with these versions and ciphers, and says nothing more; its address.
fn listener(oldest: SslVersion, newest: SslVersion, ciphers: &str) -> String {
    let issued = &bed().facts("kafka")["tls"]["client"];
    let mut builder = SslAcceptor::mozilla_intermediate(SslMethod::tls_server()).unwrap();
    builder.set_cipher_list(ciphers).unwrap();
    builder.set_min_proto_version(Some(oldest)).unwrap();
    builder.set_max_proto_version(Some(newest)).unwrap();
    builder.clear_options(SslOptions::NO_TLSV1 | SslOptions::NO_TLSV1_1 | SslOptions::NO_TLSV1_3);
    builder.set_certificate_chain_file(text(&issued["certificate"])).unwrap();
    builder.set_private_key_file(text(&issued["key"]), SslFiletype::PEM).unwrap();
    let acceptor = builder.build();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let acceptor = acceptor.clone();
            std::thread::spawn(move || drop(acceptor.accept(stream)));
        }
    });
    address
}

#[test]
fn a_listener_that_shares_no_version_or_cipher_is_told_by_what_it_speaks() {
    let _brokers = all_brokers();
    let every = "ALL:@SECLEVEL=0";
    let cbc = "ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0";
    for (listener, allowed, found, says, exit) in [
        (listener(SslVersion::TLS1, SslVersion::TLS1_1, every), "", "CE303 failed broker-unreachable", "speaks TLSv1.1", 9),
        (
            listener(SslVersion::TLS1_3, SslVersion::TLS1_3, every),
            "TLSv1.2",
            "CE303 failed broker-unreachable",
            "speaks TLSv1.3, and ssl.enabled.protocols allows TLSv1.2 only",
            9,
        ),
        // Java has it.
        (listener(SslVersion::TLS1_2, SslVersion::TLS1_2, cbc), "", "CE303 unknown", "TLSv1.2 with ECDHE-ECDSA-AES256-SHA384", 0),
    ] {
        let mut case = Case::granted("versions");
        case.set("bootstrap.servers", &listener);
        if !allowed.is_empty() {
            case.set("ssl.enabled.protocols", allowed);
        }
        let report = case.run();
        expect(&report, &[found]);
        assert_eq!(report.exit_code, exit, "{says}");
        assert!(report.checks.iter().any(|check| check.message.contains(says)), "{says}: {report:#?}");
    }
}

#[test]
fn versions_that_are_shared_are_no_fault() {
    let _brokers = all_brokers();
    for allowed in ["TLSv1.2", "TLSv1.3", "TLSv1.2,TLSv1.3"] {
        let mut case = Case::granted("allowed");
        case.set("ssl.enabled.protocols", allowed);
        expect(&case.run(), &[]);
    }
}
