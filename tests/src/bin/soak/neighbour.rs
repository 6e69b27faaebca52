//! The well-behaved guest beside the others: its timer shows their effect on it.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;
use uv_handles_host::AsyncSender;
use uv_handles_tests::{Running, SOAK_TIMER, spawn};

pub struct Neighbour {
    guest: Running,
    end: AsyncSender,
    /// In microseconds, since the last request.
    worst: Arc<AtomicU64>,
}

impl Neighbour {
    /// Starts it.
    pub fn start() -> Neighbour {
        let (mut reports, writer) = std::io::pipe().expect("the OS has pipes");
        let mut end = None;
        let mut guest = spawn(SOAK_TIMER, |uv| {
            uv.descriptor("lateness", writer).expect("a pipe can be granted");
            end = Some(uv.async_sender("end"));
        });
        guest.expect("ready");
        let worst = Arc::new(AtomicU64::new(0));
        thread::spawn({
            let worst = worst.clone();
            move || {
                let mut micros = [0; 8];
                while reports.read_exact(&mut micros).is_ok() {
                    worst.fetch_max(u64::from_le_bytes(micros), Ordering::Relaxed);
                }
            }
        });
        Neighbour { guest, end: end.expect("it was granted"), worst }
    }

    /// The greatest delay of its timer since the last request.
    pub fn worst_lateness(&self) -> Duration {
        Duration::from_micros(self.worst.swap(0, Ordering::Relaxed))
    }

    /// Ends it.
    pub fn end(self) {
        self.end.send().expect("it is still there");
        self.guest.wait().succeeded();
    }
}
