/* Poll handles. */

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

static uint64_t called;
static uint64_t wanted;

static void on_ball(uv_poll_t* handle, int status, int events) {
  char ball;
  int fd;
  CHECK(status == 0 && events == UV_READABLE);
  uv_fileno((uv_handle_t*) handle, &fd);
  CHECK(read(fd, &ball, 1) == 1);
  if (++called == wanted)
    uv_stop(handle->loop);
  else
    CHECK(write(fd, &ball, 1) == 1);
}

/* A byte that goes back and forth. */
void bench_ping_pong(const uint64_t* args) {
  uv_loop_t loop;
  uv_poll_t sides[2];
  int fds[2];
  wanted = args[0];
  CHECK(uv_loop_init(&loop) == 0);
  CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
  for (int side = 0; side < 2; side++) {
    CHECK(uv_poll_init(&loop, &sides[side], fds[side]) == 0);
    uv_poll_start(&sides[side], UV_READABLE, on_ball);
  }
  CHECK(write(fds[0], "o", 1) == 1);
  bench_begin();
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end();
  for (int side = 0; side < 2; side++)
    uv_close((uv_handle_t*) &sides[side], NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop) == 0);
  close(fds[0]);
  close(fds[1]);
  bench_count("operations", called);
}

typedef struct {
  uv_poll_t poll;
  int fd;
  /* The place that gets the events taken here. */
  int next;
} place_t;

static void on_token(uv_poll_t* handle, int status, int events) {
  place_t* place = (place_t*) handle;
  uint64_t token;
  CHECK(status == 0 && events == UV_READABLE);
  CHECK(read(place->fd, &token, sizeof token) == sizeof token);
  if (++called == wanted)
    uv_stop(handle->loop);
  CHECK(write(place->next, &token, sizeof token) == sizeof token);
}

/* Many event descriptors, few of them ready: each passes its events on to its neighbor. */
void bench_many_polls(const uint64_t* args) {
  uint64_t many = args[0], ready = args[1], one = 1;
  uv_loop_t loop;
  place_t* places = malloc(many * sizeof *places);
  wanted = args[2];
  CHECK(places != NULL && uv_loop_init(&loop) == 0);
  for (uint64_t at = 0; at < many; at++) {
    places[at].fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(places[at].fd >= 0);
  }
  for (uint64_t at = 0; at < many; at++) {
    places[at].next = places[(at + 1) % many].fd;
    CHECK(uv_poll_init(&loop, &places[at].poll, places[at].fd) == 0);
    uv_poll_start(&places[at].poll, UV_READABLE, on_token);
  }
  /* Before the measurement, so that the OS knows all of them. */
  uv_run(&loop, UV_RUN_NOWAIT);
  for (uint64_t token = 0; token < ready; token++)
    CHECK(write(places[token * (many / ready)].fd, &one, sizeof one) == sizeof one);
  bench_begin();
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end();
  for (uint64_t at = 0; at < many; at++)
    uv_close((uv_handle_t*) &places[at].poll, NULL);
  uv_run(&loop, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&loop) == 0);
  for (uint64_t at = 0; at < many; at++)
    close(places[at].fd);
  free(places);
  bench_count("operations", wanted);
}
