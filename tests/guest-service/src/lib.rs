//! A plugin that exports `wasi:http/handler` of WASI 0.3. Its handlers wait for timers, signals and
//! async handles of the plugin's loop, and for the streams of WASI 0.3 beside them. The path of a
//! request chooses what its handler does.

use std::cell::{Cell, RefCell};
use std::time::Duration;
use uv_handles::task::{Signals, WakeUps, interval, sleep, timeout};
use uv_handles::{Error, Loop, Result, Signum, StatusCode, Timer};
use wasip3::http::types::{ErrorCode, Fields, Request, Response};
use wasip3::wit_bindgen::{StreamReader, StreamResult, StreamWriter, spawn_local};
use wasip3::{wit_future, wit_stream};

uv_handles::plugin!();

struct Component;

wasip3::http::service::export!(Component);

thread_local! {
    static EVENT_LOOP: Loop = Loop::hosted().expect("there may be one");
    static TICKS: Cell<u32> = const { Cell::new(0) };
    static IN_PROGRESS: Cell<u32> = const { Cell::new(0) };
    static MOST_IN_PROGRESS: Cell<u32> = const { Cell::new(0) };
    static TICKER: RefCell<Option<Timer>> = const { RefCell::new(None) };
}

fn event_loop() -> Loop {
    EVENT_LOOP.with(Loop::clone)
}

/// Counts a request while it lives.
struct Progress;

impl Progress {
    fn begin() -> Progress {
        IN_PROGRESS.set(IN_PROGRESS.get() + 1);
        MOST_IN_PROGRESS.set(MOST_IN_PROGRESS.get().max(IN_PROGRESS.get()));
        Progress
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        IN_PROGRESS.set(IN_PROGRESS.get() - 1);
    }
}

/// A response whose body the function writes after the handler has returned.
fn respond<F>(write: impl FnOnce(StreamWriter<u8>) -> F) -> Response
where
    F: Future<Output = ()> + 'static,
{
    let (body, contents) = wit_stream::new();
    let (trailers, no_trailers) = wit_future::new(|| Ok(None));
    drop(trailers);
    let (response, _sent) = Response::new(Fields::new(), Some(contents), no_trailers);
    spawn_local(write(body));
    response
}

fn respond_with(text: String) -> Response {
    respond(|mut body| async move {
        body.write_all(text.into_bytes()).await;
    })
}

/// Sends each chunk of a request back, a tick of an interval later. Gives up when no chunk comes in
/// time.
async fn echo(mut contents: StreamReader<u8>, mut body: StreamWriter<u8>, limit: Duration) -> Result<()> {
    let mut ticks = interval(1)?;
    loop {
        let (result, chunk) = match timeout(limit, contents.read(Vec::with_capacity(100))).await {
            Err(Error::Status(StatusCode::ETIMEDOUT)) => {
                body.write_all(b"timed out".to_vec()).await;
                return Ok(());
            }
            read => read?,
        };
        if matches!(result, StreamResult::Dropped) && chunk.is_empty() {
            return Ok(());
        }
        ticks.tick().await;
        body.write_all(chunk.to_ascii_uppercase()).await;
    }
}

async fn answer(request: Request) -> Result<Response> {
    let _progress = Progress::begin();
    let event_loop = event_loop();
    let path = request.get_path_with_query().unwrap_or_default();
    let words: Vec<&str> = path.split('/').skip(1).collect();
    let number = words.get(1).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
    Ok(respond_with(match words[0] {
        "wait" => {
            sleep(number).await?;
            format!("{} at once", MOST_IN_PROGRESS.get())
        }
        // A wait that is dropped before its end.
        "race" => match timeout(number, sleep(Duration::from_secs(3_600))).await {
            Err(Error::Status(StatusCode::ETIMEDOUT)) => "cancelled".into(),
            ended => format!("{ended:?}"),
        },
        "signal" => {
            let signum = Signum::from(i32::try_from(number).unwrap_or(0));
            Signals::new(&event_loop, signum)?.recv().await;
            "signalled".into()
        }
        "wake" => {
            WakeUps::named(&event_loop, words[1])?.recv().await;
            "woken".into()
        }
        "echo" => {
            let (done, has_read) = wit_future::new(|| Ok(()));
            drop(done);
            let (contents, _trailers) = Request::consume_body(request, has_read);
            return Ok(respond(move |body| async move {
                echo(contents, body, Duration::from_millis(number)).await.expect("nothing is refused");
            }));
        }
        // A repeating timer, whose callbacks are counted from then on.
        "tick" => {
            let timer = Timer::new(&event_loop)?;
            timer.start_with(number, number, |_| TICKS.set(TICKS.get() + 1))?;
            TICKER.set(Some(timer));
            "ticking".into()
        }
        "ticks" => TICKS.get().to_string(),
        "trap" => panic!("the handler fails"),
        _ => format!("{} in progress, {} handles", IN_PROGRESS.get() - 1, event_loop.handles().len()),
    }))
}

impl wasip3::exports::http::handler::Guest for Component {
    async fn handle(request: Request) -> Result<Response, ErrorCode> {
        answer(request).await.map_err(|error| ErrorCode::InternalError(Some(error.to_string())))
    }
}
