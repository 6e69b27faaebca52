//! Answers that are kept for a while. A repeating timer removes those that are too old.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use uv_handles::{Loop, Milliseconds, Result, Timer};

/// The most answers that are kept, so that clients cannot fill the memory.
const MOST: usize = 1_000;

/// An answer of the upstream server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

#[derive(Default)]
struct Kept {
    answers: HashMap<String, (Answer, Age)>,
}

/// The number of times that the timer has seen an answer.
type Age = u8;

pub struct Cache(Rc<RefCell<Kept>>);

impl Cache {
    /// Keeps answers for at least this time, and at most twice as long.
    pub fn new(event_loop: &Loop, keep: impl Into<Milliseconds>) -> Result<Cache> {
        let kept = Rc::<RefCell<Kept>>::default();
        let (swept, keep) = (kept.clone(), keep.into());
        let timer = Timer::new(event_loop)?;
        timer.start_with(keep, keep, move |_| {
            swept.borrow_mut().answers.retain(|_, (_, age)| {
                *age += 1;
                *age < 2
            });
        })?;
        Ok(Cache(kept))
    }

    pub fn get(&self, path: &str) -> Option<Answer> {
        self.0.borrow().answers.get(path).map(|(answer, _)| answer.clone())
    }

    pub fn put(&self, path: &str, answer: Answer) {
        let answers = &mut self.0.borrow_mut().answers;
        if answers.len() < MOST || answers.contains_key(path) {
            answers.insert(path.to_owned(), (answer, 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uv_handles::native;

    #[test]
    fn an_answer_is_kept_for_its_time_and_no_more_than_twice_as_long() {
        let cache = Cache::new(&Loop::hosted().unwrap(), 1_000).unwrap();
        let answer = Answer { status: 200, body: b"hello".to_vec() };
        native::advance(600);
        cache.put("/a", answer.clone());
        native::advance(1_000);
        assert_eq!(cache.get("/a"), Some(answer));
        assert_eq!(cache.get("/b"), None);
        native::advance(1_000);
        assert_eq!(cache.get("/a"), None);
    }

    #[test]
    fn the_number_of_answers_is_bounded() {
        let cache = Cache::new(&Loop::hosted().unwrap(), 1_000).unwrap();
        for number in 0..=MOST {
            cache.put(&number.to_string(), Answer { status: 200, body: Vec::new() });
        }
        assert!(cache.get("0").is_some() && cache.get(&MOST.to_string()).is_none());
    }
}
