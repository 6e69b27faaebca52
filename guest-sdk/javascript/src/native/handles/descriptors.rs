//! Descriptors and async senders that the host has granted, by number.

use std::cell::RefCell;

use rquickjs::{Ctx, Object, Result, TypedArray};
use slab::Slab;
use uv_handles::{AsyncSender, Descriptor, Shutdown, StatusCode};

use crate::engine;
use crate::native::define;
use crate::native::uv_error::Throws;

thread_local! {
    static DESCRIPTORS: RefCell<Slab<Descriptor>> = const { RefCell::new(Slab::new()) };
    static SENDERS: RefCell<Vec<AsyncSender>> = const { RefCell::new(Vec::new()) };
}

pub fn define(functions: &Object<'_>) -> Result<()> {
    define!(functions, {
        "openDescriptor": |ctx: Ctx<'_>, name: String| Descriptor::open(&name).throws(&ctx).map(add),
        "descriptorClose": close,
        "descriptorRead": read,
        "descriptorWrite": write,
        "descriptorReceiveFrom": receive_from,
        "descriptorSendTo": send_to,
        "descriptorAccept": |ctx: Ctx<'_>, number: usize| {
            descriptor(&ctx, number)?.accept().throws(&ctx).map(add)
        },
        "descriptorShutdown": shutdown,
        "descriptorLocalAddress": |ctx: Ctx<'_>, number: usize| {
            descriptor(&ctx, number)?.local_address().throws(&ctx)
        },
        "descriptorPeerAddress": |ctx: Ctx<'_>, number: usize| {
            descriptor(&ctx, number)?.peer_address().throws(&ctx)
        },
        "descriptorFileno": |ctx: Ctx<'_>, number: usize| {
            descriptor(&ctx, number).map(|descriptor| descriptor.fileno())
        },
        "descriptorBufferSize": buffer_size,
        "descriptorSetBufferSize": set_buffer_size,
        "openSender": open_sender,
        "senderSend": sender_send,
    })
}

fn add(descriptor: Descriptor) -> usize {
    DESCRIPTORS.with_borrow_mut(|descriptors| descriptors.insert(descriptor))
}

/// The descriptor with this number, EBADF if it is closed.
pub fn descriptor(ctx: &Ctx<'_>, number: usize) -> Result<Descriptor> {
    let found = DESCRIPTORS.with_borrow(|descriptors| descriptors.get(number).cloned());
    found.ok_or(uv_handles::Error::Status(StatusCode::EBADF)).throws(ctx)
}

fn close(number: usize) {
    let _closed = DESCRIPTORS.with_borrow_mut(|descriptors| descriptors.try_remove(number));
}

fn read(ctx: Ctx<'_>, number: usize, max: u32) -> Result<TypedArray<'_, u8>> {
    let bytes = descriptor(&ctx, number)?.read_vec(max).throws(&ctx)?;
    TypedArray::new(ctx, bytes)
}

fn write<'js>(ctx: Ctx<'js>, number: usize, bytes: TypedArray<'js, u8>) -> Result<usize> {
    descriptor(&ctx, number)?.write(&engine::bytes_of(&bytes)).throws(&ctx)
}

/// The bytes of a datagram, and the address of its sender.
fn receive_from(ctx: Ctx<'_>, number: usize, max: usize) -> Result<Object<'_>> {
    let mut buffer = vec![0; max.min(65536)];
    let (length, sender) = descriptor(&ctx, number)?.recv_from(&mut buffer).throws(&ctx)?;
    buffer.truncate(length);
    let datagram = Object::new(ctx.clone())?;
    datagram.set("data", TypedArray::new(ctx, buffer)?)?;
    datagram.set("address", sender)?;
    Ok(datagram)
}

fn send_to<'js>(ctx: Ctx<'js>, number: usize, bytes: TypedArray<'js, u8>, address: String) -> Result<usize> {
    descriptor(&ctx, number)?.send_to(&engine::bytes_of(&bytes), &address).throws(&ctx)
}

fn shutdown(ctx: Ctx<'_>, number: usize, how: String) -> Result<()> {
    let how = match how.as_str() {
        "read" => Shutdown::Read,
        "write" => Shutdown::Write,
        _ => Shutdown::Both,
    };
    descriptor(&ctx, number)?.shutdown(how).throws(&ctx)
}

fn buffer_size(ctx: Ctx<'_>, number: usize, is_send: bool) -> Result<u32> {
    let descriptor = descriptor(&ctx, number)?;
    match is_send {
        true => descriptor.send_buffer_size(),
        false => descriptor.receive_buffer_size(),
    }
    .throws(&ctx)
}

fn set_buffer_size(ctx: Ctx<'_>, number: usize, is_send: bool, size: u32) -> Result<()> {
    let descriptor = descriptor(&ctx, number)?;
    match is_send {
        true => descriptor.set_send_buffer_size(size),
        false => descriptor.set_receive_buffer_size(size),
    }
    .throws(&ctx)
}

fn open_sender(ctx: Ctx<'_>, name: String) -> Result<usize> {
    let sender = AsyncSender::open(&name).throws(&ctx)?;
    Ok(SENDERS.with_borrow_mut(|senders| {
        senders.push(sender);
        senders.len() - 1
    }))
}

/// Sends, with a message if there are bytes.
fn sender_send<'js>(ctx: Ctx<'js>, number: usize, bytes: Option<TypedArray<'js, u8>>) -> Result<()> {
    SENDERS
        .with_borrow(|senders| match bytes {
            Some(bytes) => senders[number].send_message(&engine::bytes_of(&bytes)),
            None => senders[number].send(),
        })
        .throws(&ctx)
}
