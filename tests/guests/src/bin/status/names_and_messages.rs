//! Every status code has a number, a name and a message of its own; success is none of them, and a
//! number that is no code is not taken for one.

use std::collections::HashSet;
use uv_handles::StatusCode;

pub fn main() {
    let codes = StatusCode::ERRORS;
    for code in codes {
        assert!(code.code() < 0, "{code}");
        assert!(code.name().starts_with('E') || *code == StatusCode::UNKNOWN, "{code}");
        assert!(!code.message().is_empty() && code.message() != StatusCode::SUCCESS.message());
        assert_eq!(code.to_string(), format!("{}: {}", code.name(), code.message()));
        assert_eq!(StatusCode::from_code(code.code()), Some(*code));
        assert_eq!(StatusCode::from_code(-code.code()), None, "{code}");
    }
    let names: HashSet<&str> = codes.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), codes.len());
    assert_eq!(StatusCode::EINVAL.to_string(), "EINVAL: invalid argument");
    assert_eq!(StatusCode::UNKNOWN.message(), "unknown error");
    assert_eq!(StatusCode::from_code(0), Some(StatusCode::SUCCESS));
    assert_eq!(StatusCode::SUCCESS.message(), "success");
    for number in [1337, -1337, i32::MIN, i32::MAX] {
        assert_eq!(StatusCode::from_code(number), None);
    }
}
