/* Events from outside of the loop: async handles and signals. */

#include <signal.h>

#include "bench.h"

static uint64_t left;
static uint64_t called;
static uv_async_t async;

static void on_async(uv_async_t* handle) {
  called++;
  bench_answer();
  if (--left == 0)
    uv_close((uv_handle_t*) handle, NULL);
}

/* Called by another thread. */
void bench_wake(void) {
  uv_async_send(&async);
}

void bench_wake_up(const uint64_t* args) {
  uv_loop_t loop;
  CHECK(uv_loop_init(&loop) == 0);
  left = args[0];
  uv_async_init(&loop, &async, on_async);
  bench_begin();
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end();
  CHECK(uv_loop_close(&loop) == 0);
  bench_count("operations", called);
}

static void on_signal(uv_signal_t* handle, int signum) {
  called++;
  bench_answer();
  if (--left == 0)
    uv_close((uv_handle_t*) handle, NULL);
}

void bench_signal(const uint64_t* args) {
  uv_loop_t loop;
  uv_signal_t handle;
  CHECK(uv_loop_init(&loop) == 0);
  left = args[0];
  uv_signal_init(&loop, &handle);
  uv_signal_start(&handle, on_signal, SIGUSR1);
  bench_begin();
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end();
  CHECK(uv_loop_close(&loop) == 0);
  bench_count("operations", called);
}
