//! Tasks: async and await on the loop.

mod accept;
mod descriptor;
mod futures;
mod interval;
mod join;
mod keeps_alive;
mod limits;
mod loops;
mod messages;
mod mixed;
mod nowhere;
mod order;
mod panic;
mod phases;
mod reset;
mod signals;
mod signals_in_a_row;
mod sleep;
mod ten_thousand;
mod timeout;
mod wake_ups;
mod wakers;

uv_handles_test_guests::cases!(
    accept,
    descriptor,
    futures,
    interval,
    join,
    keeps_alive,
    limits,
    loops,
    messages,
    mixed,
    nowhere,
    order,
    panic,
    phases,
    reset,
    signals,
    signals_in_a_row,
    sleep,
    ten_thousand,
    timeout,
    wake_ups,
    wakers,
);
