//! A program of WASI 0.3: its export `run` is an async function, which awaits a loop's run. Its
//! argument chooses how it ends.

use uv_handles::{Handle, Loop, Result, RunMode, Timer};

mod bindings {
    #![allow(
        missing_docs,
        unsafe_code,
        unsafe_op_in_unsafe_fn,
        clippy::undocumented_unsafe_blocks,
        reason = "generated code"
    )]

    wit_bindgen::generate!({
        inline: "
            package wasi:cli@0.3.0;
            interface run {
                run: async func() -> result;
            }
            world program {
                export run;
            }
        ",
    });
}

struct Component;

async fn run(how: &str) -> Result<()> {
    let event_loop = Loop::new()?;
    let timer = Timer::new(&event_loop)?;
    let forever = u64::from(how == "forever");
    timer.start_with(1, forever, move |timer| {
        if forever == 0 {
            println!("called");
            timer.close();
        }
    })?;
    println!("waiting");
    event_loop.run_async(RunMode::Default).await?;
    event_loop.close()
}

impl bindings::exports::wasi::cli::run::Guest for Component {
    async fn run() -> std::result::Result<(), ()> {
        let how = std::env::args().nth(1).unwrap_or_default();
        run(&how).await.map_err(drop)?;
        match how.as_str() {
            "error" => Err(()),
            "trap" => panic!("it is meant to fail"),
            _ => Ok(()),
        }
    }
}

bindings::export!(Component with_types_in bindings);
