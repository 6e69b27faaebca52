//! A limit on the rate of requests: a bucket of tokens, which a repeating timer fills.

use std::cell::Cell;
use std::rc::Rc;

use uv_handles::{Loop, Result, Timer};

/// The bucket holds the tokens of a second.
const SECOND: u64 = 1_000;

pub struct Limiter {
    tokens: Rc<Cell<u64>>,
}

impl Limiter {
    /// Lets this many requests through in a second.
    pub fn new(event_loop: &Loop, per_second: u64) -> Result<Limiter> {
        let tokens = Rc::new(Cell::new(per_second));
        let bucket = tokens.clone();
        let timer = Timer::new(event_loop)?;
        timer.start_with(SECOND, SECOND, move |_| bucket.set(per_second))?;
        Ok(Limiter { tokens })
    }

    /// Takes a token, if there is one.
    pub fn take(&self) -> bool {
        let left = self.tokens.get();
        self.tokens.set(left.saturating_sub(1));
        left > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uv_handles::native;

    #[test]
    fn the_bucket_is_filled_each_second() {
        let limiter = Limiter::new(&Loop::hosted().unwrap(), 2).unwrap();
        for _ in 0..3 {
            assert!(limiter.take() && limiter.take() && !limiter.take());
            native::advance(SECOND);
        }
    }
}
