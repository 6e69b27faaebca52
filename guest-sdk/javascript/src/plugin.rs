//! A script as a plugin: the host runs its loop.

use rquickjs::Function;
use uv_handles::Loop;

use crate::native::process;
use crate::{modules, script};

/// Evaluates the first file of the image, and calls its export `init` with the configuration, if
/// there is one.
///
/// # Errors
///
/// Returns the thrown value, as a sentence.
pub fn init(config: Vec<(String, String)>) -> Result<(), String> {
    let Some((name, source)) = modules::kept_main() else {
        return Err("the plugin has no script".to_owned());
    };
    let mut refused = None;
    let config: Vec<Vec<String>> = config.into_iter().map(|(key, value)| vec![key, value]).collect();
    let path = vec!["/".to_owned()];
    script::execute(&name, &source, Vec::new(), path, Loop::hosted, |main| {
        refused = main.get::<_, Function<'_>>("init")?.call((config,))?;
        Ok(())
    });
    process::leave_at_end();
    refused.map_or(Ok(()), Err)
}
