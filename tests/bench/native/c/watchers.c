/* Iterations. */

#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

static uint64_t left;
static uint64_t prepares;
static uint64_t checks;

static void on_idle(uv_idle_t* handle) {
  if (--left == 0)
    uv_stop(handle->loop);
}

static void on_prepare(uv_prepare_t* handle) {
  prepares++;
}

static void on_check(uv_check_t* handle) {
  checks++;
}

static void on_poll(uv_poll_t* handle, int status, int events) {
  /* It is never ready. */
  abort();
}

static void iterate(uint64_t times, int with_phases, int with_poll) {
  uv_loop_t loop;
  uv_idle_t idle;
  uv_prepare_t prepare;
  uv_check_t check;
  uv_poll_t poll;
  int fds[2];
  CHECK(uv_loop_init(&loop) == 0);
  left = times;
  uv_idle_init(&loop, &idle);
  uv_idle_start(&idle, on_idle);
  if (with_phases) {
    uv_prepare_init(&loop, &prepare);
    uv_prepare_start(&prepare, on_prepare);
    uv_check_init(&loop, &check);
    uv_check_start(&check, on_check);
  }
  if (with_poll) {
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    CHECK(uv_poll_init(&loop, &poll, fds[0]) == 0);
    uv_poll_start(&poll, UV_READABLE, on_poll);
  }
  bench_begin();
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end();
  uv_close((uv_handle_t*) &idle, NULL);
  if (with_phases) {
    uv_close((uv_handle_t*) &prepare, NULL);
    uv_close((uv_handle_t*) &check, NULL);
    bench_count("prepares", prepares);
    bench_count("checks", checks);
  }
  if (with_poll)
    uv_close((uv_handle_t*) &poll, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop) == 0);
  if (with_poll) {
    close(fds[0]);
    close(fds[1]);
  }
  bench_count("operations", times - left);
}

void bench_idle(const uint64_t* args) {
  iterate(args[0], 0, 0);
}

void bench_phases(const uint64_t* args) {
  iterate(args[0], 1, 0);
}

void bench_idle_poll(const uint64_t* args) {
  iterate(args[0], 0, 1);
}
