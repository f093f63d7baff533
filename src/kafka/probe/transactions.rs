//! Transactional ids: what the caller may do with them, without beginning or fencing anything.
//!
//! Write is what InitProducerId needs. Sent plainly it would fence whoever uses the id, so it is sent with a timeout that no broker
//! takes, zero: the broker asks its authorizer first and then refuses the timeout, before it looks at any state. From version 3 on
//! the request also expects a producer id that nobody has, so that it would be refused even where the timeout were not.
//! (The largest number would not do: a broker may be configured to take it.)
//!
//! Describe is what DescribeTransactions needs, which reads and nothing else; any broker answers, coordinator or not.

use std::collections::{BTreeMap, BTreeSet};

use kafka_protocol::messages::{DescribeTransactionsRequest, InitProducerIdRequest, ProducerId, TransactionalId};
use kafka_protocol::protocol::StrBytes;

use super::{
    COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, INVALID_TRANSACTION_TIMEOUT, NONE, NOT_COORDINATOR,
    TRANSACTIONAL_ID_AUTHORIZATION_FAILED, TRANSACTIONAL_ID_NOT_FOUND, error_name,
};
use crate::base::{Deadline, Fault};
use crate::kafka::link::request_fault;
use crate::kafka::operation::{Operation, Rights};
use crate::kafka::wire::{Connection, WireError};

/// The version that brings the expected producer.
const EXPECTS_PRODUCER: i16 = 3;

/// The caller's rights on each transactional id, whether anybody uses it or not.
pub async fn transactional_ids(
    connection: &mut Connection,
    names: &[String],
    deadline: Deadline,
) -> Result<BTreeMap<String, Rights>, Fault> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let writes = writes(connection, names, deadline).await?;
    let describes = describes(connection, names, deadline).await?;
    let judged = names.iter().zip(writes).map(|(name, write)| {
        let describe = describes.get(name).cloned();
        let rights = match (write, describe) {
            (Ok(write), Some(Ok(describe))) => {
                let of = |granted: bool, operation| granted.then_some(operation);
                let granted = [of(write, Operation::Write), of(describe, Operation::Describe)];
                Rights::Known(granted.into_iter().flatten().collect())
            }
            // Write brings Describe with it, and without Describe it can't be there.
            (Ok(true), None) => Rights::Known([Operation::Write, Operation::Describe].into()),
            (Ok(false), None) => Rights::Known(BTreeSet::new()),
            (Err(said), _) | (_, Some(Err(said))) => Rights::Unknown(said),
        };
        (name.clone(), rights)
    });
    Ok(judged.collect())
}

/// Granted or denied; an error is what the broker said instead.
type Verdict = Result<bool, String>;

async fn writes(connection: &mut Connection, names: &[String], deadline: Deadline) -> Result<Vec<Verdict>, Fault> {
    let guarded = connection.speaks::<InitProducerIdRequest>(EXPECTS_PRODUCER);
    let requests: Vec<InitProducerIdRequest> = names
        .iter()
        .map(|name| {
            let request = InitProducerIdRequest::default().with_transactional_id(Some(id(name))).with_transaction_timeout_ms(0);
            if guarded { request.with_producer_id(ProducerId(i64::MAX)).with_producer_epoch(i16::MAX - 1) } else { request }
        })
        .collect();
    let newest = if guarded { 4 } else { EXPECTS_PRODUCER - 1 };
    let answers =
        connection.pipeline(&requests, newest, deadline).await.map_err(|error| request_fault("InitProducerId", &error))?;
    let verdicts = answers.iter().map(|answer| match answer.error_code {
        INVALID_TRANSACTION_TIMEOUT => Ok(true),
        TRANSACTIONAL_ID_AUTHORIZATION_FAILED => Ok(false),
        code => Err(error_name(code)),
    });
    Ok(verdicts.collect())
}

/// Empty where the broker is too old to be asked.
async fn describes(
    connection: &mut Connection,
    names: &[String],
    deadline: Deadline,
) -> Result<BTreeMap<String, Verdict>, Fault> {
    let request = DescribeTransactionsRequest::default().with_transactional_ids(names.iter().map(|name| id(name)).collect());
    let answer = match connection.call(&request, 0, deadline).await {
        Ok((answer, _)) => answer,
        Err(WireError::Unsupported) => return Ok(BTreeMap::new()),
        Err(error) => return Err(request_fault("DescribeTransactions", &error)),
    };
    let verdicts = answer.transaction_states.iter().map(|state| {
        let verdict = match state.error_code {
            TRANSACTIONAL_ID_AUTHORIZATION_FAILED => Ok(false),
            NONE | TRANSACTIONAL_ID_NOT_FOUND | NOT_COORDINATOR | COORDINATOR_NOT_AVAILABLE | COORDINATOR_LOAD_IN_PROGRESS => {
                Ok(true)
            }
            code => Err(error_name(code)),
        };
        (state.transactional_id.to_string(), verdict)
    });
    Ok(verdicts.collect())
}

fn id(name: &str) -> TransactionalId {
    TransactionalId(StrBytes::from_string(name.to_owned()))
}
