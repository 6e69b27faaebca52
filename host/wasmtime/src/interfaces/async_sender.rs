//! `uv:handles/async-sender`.

use crate::bindings::async_sender::{AsyncSender, Host, HostAsyncSender};
use crate::bindings::types::{Error, ErrorCode};
use crate::ctx::denied::Denied;
use crate::grants::async_sender::AsyncSender as Sender;
use crate::grants::async_sender::OpenError;
use crate::grants::send_error::SendError;
use crate::view::UvCtxView;
use wasmtime::component::Resource;

impl Host for UvCtxView<'_> {}

impl HostAsyncSender for UvCtxView<'_> {
    fn open(&mut self, name: String) -> Result<Resource<AsyncSender>, Error> {
        match self.ctx.connections.open(&name) {
            Ok(number) => Ok(Resource::new_own(number)),
            Err(error) => {
                if error == OpenError::NotGranted {
                    self.ctx.on_denied.report(Denied::AsyncSender(&name));
                }
                Err(error.into())
            }
        }
    }

    fn send(&mut self, sender: Resource<AsyncSender>) -> Result<(), Error> {
        Ok(self.sender(&sender)?.send()?)
    }

    fn send_message(&mut self, sender: Resource<AsyncSender>, bytes: Vec<u8>) -> Result<(), Error> {
        Ok(self.sender(&sender)?.send_message(bytes)?)
    }

    fn drop(&mut self, sender: Resource<AsyncSender>) -> wasmtime::Result<()> {
        self.ctx.connections.close(sender.rep());
        Ok(())
    }
}

impl UvCtxView<'_> {
    fn sender(&self, resource: &Resource<AsyncSender>) -> Result<&Sender, Error> {
        // An interrupted guest no longer has its grants.
        self.ctx.connections.sender(resource.rep()).ok_or(ErrorCode::Epipe.into())
    }
}

impl From<SendError> for Error {
    fn from(error: SendError) -> Error {
        Error::Code(match error {
            SendError::NotOpen => ErrorCode::Enotconn,
            SendError::Closed => ErrorCode::Epipe,
            SendError::Full => ErrorCode::Eagain,
            SendError::TooLarge => ErrorCode::Emsgsize,
        })
    }
}
