//! The same exchange through tokio-modbus.
//!
//! Its codec is private, so it is timed twice: decoding alone through its public
//! `TryFrom<Bytes> for Response` (no header, values stay slices of the answer), and the whole
//! exchange through its client over a transport that answers at once and never waits.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use tokio_modbus::bytes::Bytes;
use tokio_modbus::client::{self, Reader};
use tokio_modbus::prelude::{DeviceIdObject, ReadCode, ReadDeviceIdentificationResponse};
use tokio_modbus::{Response, Slave};

use crate::memory::Memory;
use crate::message::{self, Objects, UNIT};

/// Bytes of a transaction identifier.
const TAG: usize = 2;

/// A client whose device answers from memory.
pub(crate) fn client() -> client::Context {
    let device = Memory::of(message::answer(), TAG);
    client::tcp::attach_slave(device, Slave(UNIT))
}

/// Encode, send, receive, decode.
pub(crate) fn exchange(client: &mut client::Context) -> Option<ReadDeviceIdentificationResponse> {
    let mut call = pin!(client.read_device_identification(ReadCode::Extended, 0));
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Ok(Ok(response))) => Some(response),
        _ => None,
    }
}

/// Decode the protocol data unit of an answer.
pub(crate) fn decode(pdu: Bytes) -> Option<ReadDeviceIdentificationResponse> {
    match Response::try_from(pdu) {
        Ok(Response::ReadDeviceIdentification(response)) => Some(response),
        _ => None,
    }
}

/// The texts as everybody must hand them out: owned.
pub(crate) fn owned(response: &ReadDeviceIdentificationResponse) -> Option<Objects> {
    let object =
        |object: &DeviceIdObject| object.value_as_str().map(|text| (object.id, text.to_owned()));
    response.device_id_objects.iter().map(object).collect()
}
