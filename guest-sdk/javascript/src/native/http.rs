//! HTTP exchanges: a request that is sent, and the body of its response.

use std::cell::{OnceCell, RefCell};

use rquickjs::{Ctx, Exception, Function, Object, Persistent, Result, TypedArray};
use slab::Slab;
use uv_handles::Error;
use uv_handles::task::http::{ErrorCode, HttpError, Problem, Request, Response};
use uv_handles::task::{Executor, JoinHandle};

use crate::engine::{self, Callback};
use crate::native::uv_error::Throws;
use crate::native::{define, event_loop};

/// The most bytes of a body that a read takes. The host gives no more at a time.
const READ: usize = 64 << 10;

thread_local! {
    static EXCHANGES: RefCell<Slab<Exchange>> = const { RefCell::new(Slab::new()) };
    static EXECUTOR: OnceCell<Executor> = const { OnceCell::new() };
}

/// An exchange, from the request to the end of the response's body.
enum Exchange {
    /// A task sends the request, or reads.
    Busy(Option<JoinHandle<()>>),
    /// The body can be read.
    Open(Box<Response>),
}

pub fn define(functions: &Object<'_>) -> Result<()> {
    define!(functions, {
        "httpSend": send,
        "httpRead": read,
        "httpClose": close,
    })
}

/// Sends a request. The headers are names and values in turn, whose characters are bytes. Calls
/// `callback(problem, code, status, headers)` with the head of the response or with a problem, and
/// returns the number of the exchange.
fn send<'js>(
    ctx: Ctx<'js>,
    method: String,
    url: String,
    headers: Vec<String>,
    body: Option<TypedArray<'js, u8>>,
    callback: Function<'js>,
) -> Result<usize> {
    let mut request = Request::new(method, url);
    for pair in headers.chunks_exact(2) {
        request = request.header(pair[0].as_str(), latin1(&pair[1]));
    }
    if let Some(body) = body {
        check_memory(&ctx, body.len())?;
        request = request.body(engine::bytes_of(&body));
    }
    let callback: Callback = Persistent::save(&ctx, callback);
    let number = EXCHANGES.with_borrow_mut(|exchanges| exchanges.insert(Exchange::Busy(None)));
    let spawned = spawn(number, async move {
        match request.send().await {
            Ok(response) => {
                let status = response.status();
                let headers: Vec<String> = (response.headers().iter())
                    .flat_map(|(name, value)| {
                        [name.clone(), value.iter().map(|&byte| char::from(byte)).collect()]
                    })
                    .collect();
                put(number, response);
                engine::call_back(&callback, ((), (), status, headers));
            }
            Err(error) => fail(number, &callback, &error),
        }
    });
    spawned.map(|()| number).throws(&ctx)
}

/// Reads from the body. Calls `callback(problem, code, bytes)`, without bytes at the end, after
/// which the exchange is over.
fn read<'js>(ctx: Ctx<'js>, number: usize, callback: Function<'js>) -> Result<()> {
    // The host's bytes come into memory that is allocated by Rust, which would end the instance.
    check_memory(&ctx, 2 * READ)?;
    let taken = EXCHANGES.with_borrow_mut(|exchanges| {
        let exchange = exchanges.get_mut(number).filter(|exchange| matches!(exchange, Exchange::Open(_)))?;
        Some(std::mem::replace(exchange, Exchange::Busy(None)))
    });
    let Some(Exchange::Open(mut response)) = taken else {
        return Err(Exception::throw_message(&ctx, "the body is not to be read now"));
    };
    let callback: Callback = Persistent::save(&ctx, callback);
    spawn(number, async move {
        match response.body().read(READ).await {
            Ok(bytes) if bytes.is_empty() => {
                close(number);
                engine::call_back(&callback, ((), ()));
            }
            Ok(bytes) => {
                EXCHANGES.with_borrow_mut(|exchanges| exchanges[number] = Exchange::Open(response));
                engine::call_back(&callback, ((), (), Bytes(bytes)));
            }
            Err(error) => fail(number, &callback, &error),
        }
    })
    .throws(&ctx)
}

/// Ends an exchange: the host closes its connection.
fn close(number: usize) {
    let ended = EXCHANGES.with_borrow_mut(|exchanges| exchanges.try_remove(number));
    if let Some(Exchange::Busy(Some(task))) = ended {
        task.abort();
    }
}

/// Makes the task of an exchange. Without a task there is no exchange.
fn spawn(number: usize, future: impl Future<Output = ()> + 'static) -> uv_handles::Result<()> {
    let executor = EXECUTOR.with(|cell| cell.get_or_init(|| Executor::new(&event_loop::main_loop())).clone());
    match executor.spawn(future) {
        Ok(task) => {
            EXCHANGES.with_borrow_mut(|exchanges| exchanges[number] = Exchange::Busy(Some(task)));
            Ok(())
        }
        Err(error) => {
            close(number);
            Err(error)
        }
    }
}

fn put(number: usize, response: Response) {
    EXCHANGES.with_borrow_mut(|exchanges| exchanges[number] = Exchange::Open(Box::new(response)));
}

fn fail(number: usize, callback: &Callback, error: &HttpError) {
    close(number);
    engine::call_back(callback, (error.to_string(), code(error.problem())));
}

/// The name of the problem, as Node's errors have in `code`, if there is one.
fn code(problem: &Problem) -> Option<&'static str> {
    Some(match problem {
        Problem::Url => "ERR_INVALID_URL",
        Problem::Method | Problem::Header(_) => "ERR_INVALID_ARG_VALUE",
        Problem::Code(code) => match code {
            ErrorCode::ConnectionRefused => "ECONNREFUSED",
            ErrorCode::ConnectionTerminated | ErrorCode::HttpResponseIncomplete => "ECONNRESET",
            ErrorCode::ConnectionTimeout => "ETIMEDOUT",
            ErrorCode::DnsError(_) => "ENOTFOUND",
            ErrorCode::HttpProtocolError => "EPROTO",
            ErrorCode::HttpRequestDenied => "EACCES",
            _ => return None,
        },
        Problem::Wait(Error::Status(code)) => code.name(),
        _ => return None,
    })
}

/// Characters up to U+00FF as bytes.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().map(|character| u8::try_from(character).unwrap_or(b'?')).collect()
}

/// Throws if there is no memory for so many bytes.
fn check_memory(ctx: &Ctx<'_>, size: usize) -> Result<()> {
    let mut memory = Vec::<u8>::new();
    match memory.try_reserve_exact(size) {
        // The compiler leaves out an allocation that nothing uses.
        Ok(()) => Ok(drop(std::hint::black_box(memory))),
        Err(_) => Err(Exception::throw_internal(ctx, "out of memory")),
    }
}

/// Bytes that become an array.
struct Bytes(Vec<u8>);

impl<'js> rquickjs::IntoJs<'js> for Bytes {
    fn into_js(self, ctx: &Ctx<'js>) -> Result<rquickjs::Value<'js>> {
        TypedArray::new(ctx.clone(), self.0).map(TypedArray::into_value)
    }
}
