//! `uv:handles/handle`: the functions that all kinds of handles share.

use crate::bindings::exports::uv::handles::handle::{AnyHandle, Guest};
use crate::bindings::exports::uv::handles::types::{Error, ErrorCode};
use crate::{Adapter, Owned, descriptors, pollables, with};
use uv_handles_core::HandleId;

fn id(handle: &AnyHandle<'_>) -> HandleId {
    match handle {
        AnyHandle::Timer(timer) => timer.get::<Owned>().0,
        AnyHandle::Idle(idle) => idle.get::<Owned>().0,
        AnyHandle::Prepare(prepare) => prepare.get::<Owned>().0,
        AnyHandle::Check(check) => check.get::<Owned>().0,
        AnyHandle::AsyncHandle(async_handle) => async_handle.get::<Owned>().0,
        AnyHandle::Poll(poll) => poll.get::<Owned>().0,
        AnyHandle::Signal(signal) => signal.get::<Owned>().0,
    }
}

impl Guest for Adapter {
    fn close(handle: AnyHandle<'_>) {
        with(|loops| pollables::close(loops, id(&handle)));
    }

    fn active(handle: AnyHandle<'_>) -> bool {
        with(|loops| loops.active(id(&handle)))
    }

    fn closing(handle: AnyHandle<'_>) -> bool {
        with(|loops| loops.handle_closing(id(&handle)))
    }

    fn closed(handle: AnyHandle<'_>) -> bool {
        with(|loops| loops.handle_closed(id(&handle)))
    }

    fn referenced(handle: AnyHandle<'_>) -> bool {
        with(|loops| loops.referenced(id(&handle)))
    }

    fn reference(handle: AnyHandle<'_>) -> Result<(), Error> {
        Ok(with(|loops| loops.reference(id(&handle)))?)
    }

    fn dereference(handle: AnyHandle<'_>) -> Result<(), Error> {
        Ok(with(|loops| loops.dereference(id(&handle)))?)
    }

    fn fileno(handle: AnyHandle<'_>) -> Result<u32, Error> {
        with(|loops| {
            loops.check_open(id(&handle))?;
            match loops.poll_source(id(&handle)) {
                Some(source) if !pollables::is_pollable(source) => Ok(descriptors::number_of(source)),
                _ => Err(ErrorCode::Einval.into()),
            }
        })
    }
}
