//! uv-run's own messages, and the end of a guest that prints to a closed standard output.

use crate::guest::Guest;
use crate::os::stdio::output_is_closed;
use crate::stdio::Standard;
use std::fmt;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::io::streams as in_task;
use wasmtime_wasi::p2::bindings::sync::io::streams::{Host, HostOutputStream, StreamError as Reported};
use wasmtime_wasi::p2::{DynOutputStream, StreamError, StreamResult};

/// Prints a message on standard error. A closed standard error is ignored.
pub fn say(message: impl fmt::Display) {
    // In one write: lines of several threads do not mix.
    let _ = Standard::Error.write_all(format!("uv-run: {message}\n").as_bytes());
}

/// Prints on standard output, and ends the process if it is closed.
pub fn print(text: &str) {
    if Standard::Output.write_all(text.as_bytes()).is_err() {
        std::process::exit(crate::STDOUT_CLOSED.into());
    }
}

/// The interface, in the version of wasmtime-wasi; guests that import another 0.2 get it as well.
const STREAMS: &str = "wasi:io/streams@0.2.12";

/// The guest has printed to a closed standard output.
#[derive(Debug)]
pub struct StdoutClosed;

impl fmt::Display for StdoutClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("standard output is closed")
    }
}

impl std::error::Error for StdoutClosed {}

/// Ends the guest at once when it prints to a closed standard output, as SIGPIPE ends a C program.
/// Otherwise most guests would panic about it on standard error. Descriptors are not affected:
/// writing to one returns EPIPE.
pub fn exit_when_stdout_is_closed(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    // A guest prints by these four functions. They call wasmtime-wasi's and inspect the error.
    linker.allow_shadowing(true);
    let mut streams = linker.instance(STREAMS)?;
    streams.func_wrap(
        "[method]output-stream.write",
        |mut store: StoreContextMut<'_, Guest>, (stream, bytes): (Resource<DynOutputStream>, Vec<u8>)| {
            let guest = store.data_mut();
            // Writes to a descriptor come out before later prints.
            guest.uv.finish_outputs();
            let table = guest.uv.table();
            let written = HostOutputStream::write(table, stream, bytes);
            reported(table, written)
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.blocking-write-and-flush",
        |mut store: StoreContextMut<'_, Guest>, (stream, bytes): (Resource<DynOutputStream>, Vec<u8>)| {
            let guest = store.data_mut();
            // Writes to a descriptor come out before later prints.
            guest.uv.finish_outputs();
            let table = guest.uv.table();
            let written = HostOutputStream::blocking_write_and_flush(table, stream, bytes);
            reported(table, written)
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.flush",
        |mut store: StoreContextMut<'_, Guest>, (stream,): (Resource<DynOutputStream>,)| {
            let table = store.data_mut().uv.table();
            let flushed = HostOutputStream::flush(table, stream);
            reported(table, flushed)
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.blocking-flush",
        |mut store: StoreContextMut<'_, Guest>, (stream,): (Resource<DynOutputStream>,)| {
            let table = store.data_mut().uv.table();
            let flushed = HostOutputStream::blocking_flush(table, stream);
            reported(table, flushed)
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// As `exit_when_stdout_is_closed`, for guests in tasks.
pub fn exit_when_stdout_is_closed_async(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut streams = linker.instance(STREAMS)?;
    streams.func_wrap(
        "[method]output-stream.write",
        |mut store: StoreContextMut<'_, Guest>, (stream, bytes): (Resource<DynOutputStream>, Vec<u8>)| {
            let guest = store.data_mut();
            guest.uv.finish_outputs();
            let table = guest.uv.table();
            let written = in_task::HostOutputStream::write(table, stream, bytes);
            reported_in_task(table, written)
        },
    )?;
    streams.func_wrap_async(
        "[method]output-stream.blocking-write-and-flush",
        |mut store: StoreContextMut<'_, Guest>, (stream, bytes): (Resource<DynOutputStream>, Vec<u8>)| {
            Box::new(async move {
                let guest = store.data_mut();
                guest.uv.finish_outputs();
                let table = guest.uv.table();
                let written = in_task::HostOutputStream::blocking_write_and_flush(table, stream, bytes).await;
                reported_in_task(table, written)
            })
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.flush",
        |mut store: StoreContextMut<'_, Guest>, (stream,): (Resource<DynOutputStream>,)| {
            let table = store.data_mut().uv.table();
            let flushed = in_task::HostOutputStream::flush(table, stream);
            reported_in_task(table, flushed)
        },
    )?;
    streams.func_wrap_async(
        "[method]output-stream.blocking-flush",
        |mut store: StoreContextMut<'_, Guest>, (stream,): (Resource<DynOutputStream>,)| {
            Box::new(async move {
                let table = store.data_mut().uv.table();
                let flushed = in_task::HostOutputStream::blocking_flush(table, stream).await;
                reported_in_task(table, flushed)
            })
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

fn reported_in_task(
    table: &mut ResourceTable,
    result: StreamResult<()>,
) -> wasmtime::Result<(Result<(), in_task::StreamError>,)> {
    match result {
        Ok(()) => Ok((Ok(()),)),
        Err(StreamError::Closed) if output_is_closed() => Err(StdoutClosed.into()),
        Err(error) => Ok((Err(in_task::Host::convert_stream_error(table, error)?),)),
    }
}

fn reported(
    table: &mut ResourceTable,
    result: StreamResult<()>,
) -> wasmtime::Result<(Result<(), Reported>,)> {
    match result {
        Ok(()) => Ok((Ok(()),)),
        Err(StreamError::Closed) if output_is_closed() => Err(StdoutClosed.into()),
        Err(error) => Ok((Err(Host::convert_stream_error(table, error)?),)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_replaced_is_there_to_begin_with() {
        let engine = wasmtime::Engine::default();
        let mut linker = Linker::<Guest>::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).unwrap();
        let mut streams = linker.instance(STREAMS).unwrap();
        for function in ["write", "blocking-write-and-flush", "flush", "blocking-flush"] {
            let name = format!("[method]output-stream.{function}");
            let added = streams.func_wrap(&name, |_, (): ()| Ok(()));
            assert!(added.is_err(), "wasmtime-wasi has no {name} in {STREAMS}");
        }
        exit_when_stdout_is_closed(&mut linker).unwrap();
    }
}
