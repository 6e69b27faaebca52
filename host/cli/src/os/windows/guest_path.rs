//! The names of directories for guests, which know no drives and no backslashes.

use std::path::Path;

/// How the system writes a path that it has made canonical.
const CANONICAL: &str = r"\\?\";

/// The guest's name for a directory: `/C:/data` for `\\?\C:\data`. None if it is no Unicode.
pub fn guest_path(host: &Path) -> Option<String> {
    let host = host.to_str()?;
    let host = host.strip_prefix(CANONICAL).unwrap_or(host);
    Some(format!("/{}", host.replace('\\', "/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drive_is_a_directory() {
        assert_eq!(guest_path(Path::new(r"\\?\C:\data\b")).as_deref(), Some("/C:/data/b"));
        assert_eq!(guest_path(Path::new(r"C:\")).as_deref(), Some("/C:/"));
    }
}
