//! Tokens of events, packed into one number.
//!
//! A number stays in registers on its way to the guest.

use crate::{Event, Occurrence, PollEvents};

/// Returns the token of an event, if it fits in 32 bits.
#[inline]
pub(super) fn short(token: u64) -> Option<u32> {
    u32::try_from(token).ok().filter(|&token| token != u32::MAX)
}

/// Returns the token of an event without arguments, if the token fits in 32 bits.
#[inline]
pub(super) fn short_token(event: &Event) -> Option<u32> {
    match event.what {
        Occurrence::Callback => short(event.token),
        _ => None,
    }
}

/// The contract's `token-pair` for no token: all bits are set.
pub const NO_TOKEN_PAIR: u64 = token_pair(u32::MAX, None);

/// The contract's `ready-token` for no token: all bits of the lower half are set.
pub const NO_READY_TOKEN: u64 = u32::MAX as u64;

/// Packs one or two tokens into the contract's `token-pair`: the first in the lower half, the second in
/// the upper half, all bits of a half set for no token.
#[inline]
pub const fn token_pair(first: u32, second: Option<u32>) -> u64 {
    let second = match second {
        Some(second) => second,
        None => u32::MAX,
    };
    (second as u64) << u32::BITS | first as u64
}

/// Packs a token and its readiness into the contract's `ready-token`: the token in the lower half, the
/// readiness in the upper half.
#[inline]
pub fn ready_token(token: u32, events: PollEvents) -> u64 {
    u64::from(events.bits()) << u32::BITS | u64::from(token)
}
