//! The same exchange through tokio-modbus.
//!
//! Its codec is private, so it is timed twice: decoding alone through its public
//! `TryFrom<Bytes> for Response` (no header, values stay slices of the answer), and the whole
//! exchange through its client over a transport that answers at once and never waits.

use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_modbus::bytes::Bytes;
use tokio_modbus::client::{self, Reader};
use tokio_modbus::prelude::{DeviceIdObject, ReadCode, ReadDeviceIdentificationResponse};
use tokio_modbus::{Response, Slave};

use crate::message::{self, Objects, UNIT};

/// Bytes of a transaction identifier.
const TAG: usize = 2;

/// A client whose device answers from memory.
pub(crate) fn client() -> client::Context {
    let device = Memory { answer: message::answer(), sent: usize::MAX };
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

/// A device without a wire: it copies the transaction identifier and answers.
#[derive(Debug)]
struct Memory {
    answer: Vec<u8>,
    sent: usize,
}

impl AsyncWrite for Memory {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        for (to, from) in self.answer.iter_mut().zip(bytes).take(TAG) {
            *to = *from;
        }
        self.sent = 0;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Memory {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let left = self.answer.get(self.sent..).unwrap_or_default();
        let part = left.get(..buffer.remaining()).unwrap_or(left);
        buffer.put_slice(part);
        let part = part.len();
        self.sent = self.sent.saturating_add(part);
        Poll::Ready(Ok(()))
    }
}
