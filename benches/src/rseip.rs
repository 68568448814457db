//! The EtherNet/IP exchange through rseip: its client over a transport that answers at once.
//!
//! It neither compares the sender context of an answer with that of its question nor takes a context
//! that differs from exchange to exchange, so it does less than the others.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ::rseip::ClientError;
use ::rseip::cip::identity::IdentityObject;
use rseip_eip::EipContext;

use crate::enip::Device;
use crate::memory::Memory;

/// A client whose device answers from memory.
pub(crate) type Client = EipContext<Memory, ClientError>;

/// A client whose device gives this answer.
pub(crate) fn client(answer: Vec<u8>) -> Client {
    EipContext::new(Memory::of(answer, 0))
}

/// Encode, send, receive, decode.
pub(crate) fn exchange(client: &mut Client) -> Option<Vec<Device>> {
    let mut call = pin!(client.list_identity());
    let Poll::Ready(Ok(mut items)) = call.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    else {
        return None;
    };
    let mut found = Vec::new();
    while let Some(item) = items.next_typed::<IdentityObject<'_>>() {
        found.push(owned(item.ok()?.data));
    }
    Some(found)
}

fn owned(identity: IdentityObject<'_>) -> Device {
    Device {
        vendor: identity.vendor_id,
        device_type: identity.device_type,
        product_code: identity.product_code,
        revision: (identity.revision.major, identity.revision.minor),
        status: identity.status,
        serial: identity.serial_number,
        name: identity.product_name.into_owned(),
        state: Some(identity.state),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_the_same_identity() {
        let bytes = crate::enip::answer().unwrap();
        let expected = crate::enip::decode_by_hand(crate::enip::TAG, &bytes).unwrap();
        assert_eq!(exchange(&mut client(bytes)).unwrap(), expected);
    }
}
