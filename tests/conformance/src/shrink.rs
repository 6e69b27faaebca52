//! Shrinks a program that differs, as far as it still differs.

use uv_handles_conformance_program::{HandleOp, Op, Place, Program, Start};

/// The smallest program that was found by leaving out steps and reducing numbers, for which
/// `differs` still holds.
pub fn shrink(program: &Program, mut differs: impl FnMut(&Program) -> bool) -> Program {
    let mut smallest = program.clone();
    loop {
        let before = smallest.clone();
        for place in places(&smallest) {
            leave_out(&mut smallest, place, &mut differs);
        }
        for place in places(&smallest) {
            simplify(&mut smallest, place, &mut differs);
        }
        last_handles(&mut smallest, &mut differs);
        if smallest == before {
            return smallest;
        }
    }
}

/// Main (none), and each body.
fn places(program: &Program) -> Vec<Option<Place>> {
    program.bodies.keys().copied().map(Some).chain([None]).collect()
}

fn steps(program: &mut Program, place: Option<Place>) -> &mut Vec<Op> {
    match place {
        Some(place) => program.bodies.entry(place).or_default(),
        None => &mut program.main,
    }
}

/// Leaves out runs of steps, long ones first.
fn leave_out(smallest: &mut Program, place: Option<Place>, differs: &mut impl FnMut(&Program) -> bool) {
    let mut length = steps(smallest, place).len();
    while length > 0 {
        let mut from = 0;
        while from + length <= steps(smallest, place).len() {
            let mut candidate = smallest.clone();
            steps(&mut candidate, place).drain(from..from + length);
            candidate.bodies.retain(|_, ops| !ops.is_empty());
            match differs(&candidate) {
                true => *smallest = candidate,
                false => from += 1,
            }
        }
        length /= 2;
    }
    smallest.bodies.retain(|_, ops| !ops.is_empty());
}

/// Reduces the numbers of steps.
fn simplify(smallest: &mut Program, place: Option<Place>, differs: &mut impl FnMut(&Program) -> bool) {
    for at in 0..steps(smallest, place).len() {
        for simpler in simpler(&steps(smallest, place)[at]) {
            let mut candidate = smallest.clone();
            steps(&mut candidate, place)[at] = simpler;
            if differs(&candidate) {
                *smallest = candidate;
                break;
            }
        }
    }
    smallest.bodies.retain(|_, ops| !ops.is_empty());
}

fn simpler(op: &Op) -> Vec<Op> {
    match op {
        Op::Burn(milliseconds) if *milliseconds > 1 => vec![Op::Burn(1)],
        Op::Handle(handle, HandleOp::Start { start: Start::Timer { timeout, repeat }, with }) => {
            let smaller = [(0, 0), (*timeout, 0), (0, *repeat), (1, *repeat), (*timeout, 1)];
            let smaller = smaller.into_iter().filter(|&pair| pair < (*timeout, *repeat));
            let start =
                |(timeout, repeat)| HandleOp::Start { start: Start::Timer { timeout, repeat }, with: *with };
            smaller.map(|pair| Op::Handle(*handle, start(pair))).collect()
        }
        _ => Vec::new(),
    }
}

/// Leaves out the last handles as long as no step uses them.
fn last_handles(smallest: &mut Program, differs: &mut impl FnMut(&Program) -> bool) {
    while let Some(last) = smallest.handles.len().checked_sub(1) {
        let mut all = smallest.main.iter().chain(smallest.bodies.values().flatten());
        let used = all.any(|op| matches!(op, Op::Handle(handle, _) if *handle == last));
        let mut candidate = smallest.clone();
        candidate.handles.pop();
        candidate.bodies.retain(|place, _| place.handle != last);
        if used || !differs(&candidate) {
            return;
        }
        *smallest = candidate;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate;
    use uv_handles_conformance_program::Kind;

    #[test]
    fn what_does_not_matter_is_left_out() {
        let burns = |program: &Program| {
            let all = program.main.iter().chain(program.bodies.values().flatten());
            all.filter(|op| matches!(op, Op::Burn(_))).count()
        };
        let program = (0..).map(|seed| generate(seed, &Kind::ALL, false)).find(|program| burns(program) > 2);
        let shrunk = shrink(&program.unwrap(), |program| burns(program) > 1);
        let all = shrunk.main.iter().chain(shrunk.bodies.values().flatten());
        assert_eq!(all.cloned().collect::<Vec<_>>().len(), 2);
    }
}
