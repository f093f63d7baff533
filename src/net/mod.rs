//! DNS, TCP, TLS and HTTP, each a layer of its own, so that a failure is the failure of one layer.
//!
//! Comes in: names, addresses, requests, trust settings and a deadline. Goes out: addresses, streams, answers and certificate facts, or a
//! [`Fault`](crate::base::Fault) with its cause. Rules: nothing blocks the runtime, nothing outlives its deadline.

mod dns;
mod endpoint;
pub mod http;
mod tcp;
pub mod tls;

pub use dns::{leads_to_private, resolve};
pub use endpoint::{Endpoint, Reach, is_private_name, means_oneself, reach};
pub use tcp::{Attempt, Reached, Unreached, connect};
