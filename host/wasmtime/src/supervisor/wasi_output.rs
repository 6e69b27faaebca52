//! A plugin's output as WASI's streams.

use super::output::PluginOutput;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::AsyncWrite;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// The most that a plugin writes in one call. WASI's streams use the same number.
const PERMIT: usize = 64 * 1024;

/// The standard output or the standard error of a plugin.
#[derive(Debug, Clone)]
pub struct PluginStream {
    output: Arc<PluginOutput>,
    is_error: bool,
}

impl PluginStream {
    pub(crate) fn new(output: &Arc<PluginOutput>, is_error: bool) -> PluginStream {
        PluginStream { output: output.clone(), is_error }
    }
}

impl IsTerminal for PluginStream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for PluginStream {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

/// Logs at once, so that the lines of both streams are in the order of the calls.
impl OutputStream for PluginStream {
    fn write(&mut self, bytes: bytes::Bytes) -> StreamResult<()> {
        self.output.write(self.is_error, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}

#[async_trait]
impl Pollable for PluginStream {
    async fn ready(&mut self) {}
}

impl AsyncWrite for PluginStream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.output.write(self.is_error, bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::{LogLine, LogSource, PluginLog};
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn lines_of_both_streams_are_logged_in_the_order_of_the_calls() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let logged = lines.clone();
        let sink = move |line: &LogLine<'_>| {
            logged.lock().unwrap().push((line.source, line.text.to_owned()));
        };
        let output = PluginOutput::new(&PluginLog::new(&"a".into(), Some(Arc::new(sink))));
        let mut streams = [false, true].map(|is_error| PluginStream::new(&output, is_error).p2_stream());
        let mut expected = Vec::new();
        for n in 0..20 {
            let line = format!("line {n}");
            for stream in &mut streams {
                assert!(stream.check_write().unwrap() > 0);
                stream.write(format!("{line}\n").into()).unwrap();
            }
            expected.extend([(LogSource::Stdout, line.clone()), (LogSource::Stderr, line)]);
        }
        assert_eq!(*lines.lock().unwrap(), expected);
    }
}
