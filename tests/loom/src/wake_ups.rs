//! Sends to async handles from other threads: none that was accepted is lost, and none reaches a
//! closed handle.

use crate::check;
use crate::grants::async_sender::{AsyncHandles, AsyncSender, OpenError};
use crate::grants::mailbox::Capacity;
use crate::grants::send_error::SendError;
use crate::os::Waker;
use loom::sync::Arc;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;
use uv_handles_core::HandleId;

/// The handle of the name that is open from the beginning.
fn handle() -> HandleId {
    HandleId::from_index(1)
}

fn wake_ups() -> AsyncHandles {
    AsyncHandles::new(Capacity { messages: 2, bytes: 8 })
}

/// The driver's work for a named handle: take all sends, and wait if there are none. It ends when
/// the callback has seen everything.
fn wait_for(
    wake_ups: &mut AsyncHandles,
    waker: &Waker,
    handle: HandleId,
    mut callback: impl FnMut() -> bool,
) {
    loop {
        let mut done = false;
        if wake_ups.sent() {
            wake_ups.take(|woken| {
                assert_eq!(woken, handle);
                done = callback();
            });
        }
        if done {
            return;
        }
        waker.wait();
    }
}

fn opened(name: &str) -> (AsyncHandles, AsyncSender, Arc<Waker>) {
    let (mut wake_ups, waker) = (wake_ups(), Arc::new(Waker::default()));
    let sender = wake_ups.grant(name.to_owned());
    wake_ups.open(name).unwrap().with(handle(), waker.clone());
    (wake_ups, sender, waker)
}

/// Each sender writes a value before it sends. The guest sleeps until it has seen all values: a
/// send without a later callback would leave it asleep.
pub fn no_send_is_lost() {
    check(Some(2), || {
        let (mut wake_ups, sender, waker) = opened("tick");
        let written = Arc::new(AtomicUsize::new(0));
        let senders = [1, 2].map(|sends| {
            let (sender, written) = (sender.clone(), written.clone());
            thread::spawn(move || {
                for _ in 0..sends {
                    written.fetch_add(1, Ordering::Relaxed);
                    sender.send().unwrap();
                }
            })
        });
        wait_for(&mut wake_ups, &waker, handle(), || written.load(Ordering::Relaxed) == 3);
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    });
}

/// Two names share the flag that says whether any of them was sent.
pub fn a_send_to_one_name_does_not_hide_one_to_another() {
    check(Some(2), || {
        let (mut wake_ups, sender, waker) = opened("tick");
        let other = HandleId::from_index(2);
        let other_sender = wake_ups.grant("tock".to_owned());
        wake_ups.open("tock").unwrap().with(other, waker.clone());
        let senders = [sender, other_sender].map(|sender| thread::spawn(move || sender.send().unwrap()));
        let mut missing = vec![handle(), other];
        while !missing.is_empty() {
            if wake_ups.sent() {
                wake_ups.take(|woken| missing.retain(|&handle| handle != woken));
            }
            if !missing.is_empty() {
                waker.wait();
            }
        }
        senders.into_iter().for_each(|sender| sender.join().unwrap());
    });
}

/// Two senders of messages, and a guest that sleeps until it has taken all accepted messages. A
/// full mailbox is reported, and nothing is dropped.
pub fn no_message_is_lost() {
    check(Some(2), || {
        let (mut wake_ups, sender, waker) = opened("jobs");
        let accepted = Arc::new(AtomicUsize::new(0));
        let senders = [1, 2].map(|number| {
            let (sender, accepted) = (sender.clone(), accepted.clone());
            thread::spawn(move || {
                for _ in 0..number {
                    match sender.send_message([number]) {
                        Ok(()) => accepted.fetch_add(1, Ordering::Relaxed),
                        Err(error) => {
                            assert_eq!(error, SendError::Full);
                            0
                        }
                    };
                }
            })
        });
        let mut taken = 0;
        // The mailbox holds two of the three: at least those come.
        while taken < 2 {
            if wake_ups.sent() {
                wake_ups.take(|_| {});
                while let Some(Some(_)) = wake_ups.receive(handle()) {
                    taken += 1;
                }
            } else {
                waker.wait();
            }
        }
        senders.into_iter().for_each(|sender| sender.join().unwrap());
        while let Some(Some(_)) = wake_ups.receive(handle()) {
            taken += 1;
        }
        assert_eq!(taken, accepted.load(Ordering::Relaxed));
    });
}

/// A sender sends while the guest closes the handle and makes another one of the same name.
pub fn what_was_sent_to_a_closed_handle_does_not_reach_the_next_one() {
    check(None, || {
        let (mut wake_ups, sender, first) = opened("tick");
        let sending = thread::spawn(move || sender.send());
        wake_ups.close(|_| false);
        let (next, second) = (HandleId::from_index(2), Arc::new(Waker::default()));
        wake_ups.open("tick").unwrap().with(next, second.clone());
        assert_eq!(wake_ups.open("tick").err(), Some(OpenError::Busy));
        let sent = sending.join().unwrap();
        let mut woken = Vec::new();
        wake_ups.take(|handle| woken.push(handle));
        // The waker that it used tells which of the two it reached.
        assert_eq!(woken, if second.pending() { vec![next] } else { Vec::new() });
        match sent {
            Ok(()) => assert!(first.pending() != second.pending()),
            Err(error) => assert!(error == SendError::Closed && !first.pending() && !second.pending()),
        }
    });
}

/// Two guests that were granted the same name open it.
pub fn a_name_is_opened_by_one_of_two_guests() {
    check(None, || {
        let (mut first, mut second) = (wake_ups(), wake_ups());
        let sender = first.grant("tick".to_owned());
        second.grant_sender(&sender);
        let open = |wake_ups: &mut AsyncHandles| {
            let waker = Arc::new(Waker::default());
            let opening = wake_ups.open("tick");
            let is_open = opening.is_ok();
            opening.into_iter().for_each(|opening| opening.with(handle(), waker.clone()));
            is_open
        };
        let opening = thread::spawn(move || (open(&mut second), second));
        let mine = open(&mut first);
        let (theirs, mut second) = opening.join().unwrap();
        assert!(mine != theirs);
        sender.send().unwrap();
        let mut woken = 0;
        first.take(|_| woken += 1);
        second.take(|_| woken += 1);
        assert_eq!(woken, 1);
    });
}

/// A sender sends while the guest ends. Afterwards nothing keeps the waker, or uses it. A send that
/// was accepted before may use it until then, which wakes no guest.
pub fn a_guest_that_is_gone_is_left_alone() {
    check(None, || {
        let (wake_ups, sender, waker) = opened("tick");
        let sending = thread::spawn(move || {
            let sent = sender.send();
            (sender, sent)
        });
        drop(wake_ups);
        let (sender, sent) = sending.join().unwrap();
        assert_eq!(sent.is_ok(), waker.pending());
        assert_eq!(sender.send(), Err(SendError::Closed));
        assert!(!sender.is_open());
        assert_eq!(Arc::strong_count(&waker), 1);
    });
}
