/* Timers. */

#include "bench.h"

static uint64_t fired;
static uint64_t closed;

static void on_timer(uv_timer_t* handle) {
  fired++;
}

static void on_close(uv_handle_t* handle) {
  closed++;
}

static uint64_t as_million_timers(uint64_t at, uint64_t* random) {
  return at / 1000 + 1;
}

static uint64_t within_a_minute(uint64_t at, uint64_t* random) {
  return bench_random(random) % 60000;
}

static uint64_t within_100_ms(uint64_t at, uint64_t* random) {
  return at % 100 + 1;
}

/* Makes, starts, fires and closes timers, again and again. */
static void make_start_fire_close(uint64_t many, uint64_t times, uint64_t (*timeout)(uint64_t, uint64_t*)) {
  uv_loop_t loop;
  uint64_t at, random = 1;
  uv_timer_t* timers = malloc(many * sizeof *timers);
  CHECK(timers != NULL && uv_loop_init(&loop) == 0);
  bench_begin();
  for (uint64_t time = 0; time < times; time++) {
    for (at = 0; at < many; at++) {
      uv_timer_init(&loop, &timers[at]);
      uv_timer_start(&timers[at], on_timer, timeout(at, &random), 0);
    }
    uv_run(&loop, UV_RUN_DEFAULT);
    for (at = 0; at < many; at++)
      uv_close((uv_handle_t*) &timers[at], on_close);
    uv_run(&loop, UV_RUN_DEFAULT);
  }
  bench_end();
  CHECK(uv_loop_close(&loop) == 0);
  free(timers);
  bench_count("operations", many * times);
  bench_count("fired", fired);
  bench_count("closed", closed);
}

void bench_timers(const uint64_t* args) {
  make_start_fire_close(args[0], args[1], as_million_timers);
}

void bench_random_timers(const uint64_t* args) {
  make_start_fire_close(args[0], args[1], within_a_minute);
}

void bench_spread_timers(const uint64_t* args) {
  make_start_fire_close(args[0], args[1], within_100_ms);
}

typedef struct {
  uv_timer_t timer;
  uint64_t left;
} repeating_t;

static void on_repeat(uv_timer_t* handle) {
  repeating_t* repeating = (repeating_t*) handle;
  fired++;
  if (--repeating->left == 0)
    uv_close((uv_handle_t*) handle, on_close);
}

void bench_repeating(const uint64_t* args) {
  uint64_t many = args[0], period = args[1], calls = args[2];
  uv_loop_t loop;
  repeating_t* timers = malloc(many * sizeof *timers);
  CHECK(timers != NULL && uv_loop_init(&loop) == 0);
  for (uint64_t at = 0; at < many; at++) {
    timers[at].left = calls;
    uv_timer_init(&loop, &timers[at].timer);
    uv_timer_start(&timers[at].timer, on_repeat, period, period);
  }
  bench_begin();
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end();
  CHECK(uv_loop_close(&loop) == 0);
  free(timers);
  bench_count("operations", fired);
  bench_count("closed", closed);
}

static uv_timer_t* pending;
static uint64_t pending_many;
static uint64_t left;
static uint64_t random_state = 1;

static void on_request(uv_idle_t* handle) {
  /* As many requests as a busy iteration sees. */
  for (int request = 0; request < 100 && left > 0; request++, left--) {
    uv_timer_t* timer = &pending[bench_random(&random_state) % pending_many];
    uv_timer_stop(timer);
    uv_timer_start(timer, on_timer, 30000, 0);
  }
  if (left == 0)
    uv_stop(handle->loop);
}

void bench_timeouts(const uint64_t* args) {
  uv_loop_t loop;
  uv_idle_t idle;
  pending_many = args[0];
  left = args[1];
  pending = malloc(pending_many * sizeof *pending);
  CHECK(pending != NULL && uv_loop_init(&loop) == 0);
  for (uint64_t at = 0; at < pending_many; at++) {
    uv_timer_init(&loop, &pending[at]);
    uv_timer_start(&pending[at], on_timer, 30000, 0);
  }
  uv_idle_init(&loop, &idle);
  uv_idle_start(&idle, on_request);
  bench_begin();
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end();
  for (uint64_t at = 0; at < pending_many; at++)
    uv_close((uv_handle_t*) &pending[at], on_close);
  uv_close((uv_handle_t*) &idle, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop) == 0);
  free(pending);
  bench_count("operations", args[1]);
  bench_count("fired", fired);
  bench_count("closed", closed);
}

static uint64_t restart_timeout;

static void on_restart(uv_timer_t* handle) {
  fired++;
  if (--left == 0)
    uv_stop(handle->loop);
  else
    uv_timer_start(handle, on_restart, restart_timeout, 0);
}

/* A timer that restarts itself a number of times, beside others that are not due. */
static void restarts(uint64_t many, uint64_t times, uint64_t timeout) {
  uv_loop_t loop;
  uv_timer_t timer;
  pending = malloc((many + 1) * sizeof *pending);
  CHECK(pending != NULL && uv_loop_init(&loop) == 0);
  left = times;
  restart_timeout = timeout;
  for (uint64_t at = 0; at < many; at++) {
    uv_timer_init(&loop, &pending[at]);
    uv_timer_start(&pending[at], on_timer, 60000 + at, 0);
  }
  uv_timer_init(&loop, &timer);
  uv_timer_start(&timer, on_restart, timeout, 0);
  bench_begin();
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end();
  for (uint64_t at = 0; at < many; at++)
    uv_close((uv_handle_t*) &pending[at], on_close);
  uv_close((uv_handle_t*) &timer, on_close);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop) == 0);
  free(pending);
  bench_count("operations", fired);
}

void bench_waits(const uint64_t* args) {
  restarts(args[0], args[1], args[2]);
}

void bench_restarts(const uint64_t* args) {
  restarts(0, args[0], 0);
}

void bench_memory_of_timers(const uint64_t* args) {
  uint64_t many = args[0];
  uv_loop_t loop;
  CHECK(uv_loop_init(&loop) == 0);
  bench_memory("before");
  uv_timer_t* timers = malloc(many * sizeof *timers);
  CHECK(timers != NULL);
  for (uint64_t at = 0; at < many; at++) {
    uv_timer_init(&loop, &timers[at]);
    uv_timer_start(&timers[at], on_timer, 60000, 0);
  }
  bench_memory("after");
  for (uint64_t at = 0; at < many; at++)
    uv_close((uv_handle_t*) &timers[at], on_close);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop) == 0);
  free(timers);
  bench_count("operations", many);
}
