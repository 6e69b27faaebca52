/* An echo server on poll handles. */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

static uint64_t left;
static uint64_t bytes;
static uint64_t ended;

typedef struct {
  uv_poll_t poll;
  int fd;
} connection_t;

static void on_connection_closed(uv_handle_t* handle) {
  free(handle);
}

static void on_data(uv_poll_t* handle, int status, int events) {
  connection_t* connection = (connection_t*) handle;
  char buffer[4096];
  ssize_t many;
  CHECK(status == 0);
  many = read(connection->fd, buffer, sizeof buffer);
  if (many > 0) {
    /* The client waits for the answer, so there is room. */
    CHECK(write(connection->fd, buffer, many) == many);
    bytes += many;
  } else if (many == 0) {
    close(connection->fd);
    ended++;
    uv_close((uv_handle_t*) handle, on_connection_closed);
  } else {
    CHECK(errno == EAGAIN);
  }
}

static void on_client(uv_poll_t* handle, int status, int events) {
  int listener;
  CHECK(status == 0);
  uv_fileno((uv_handle_t*) handle, &listener);
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) {
    CHECK(errno == EAGAIN);
    return;
  }
  connection_t* connection = malloc(sizeof *connection);
  CHECK(connection != NULL);
  connection->fd = fd;
  CHECK(uv_poll_init(handle->loop, &connection->poll, fd) == 0);
  uv_poll_start(&connection->poll, UV_READABLE, on_data);
  if (--left == 0)
    uv_close((uv_handle_t*) handle, NULL);
}

void bench_echo(const uint64_t* args) {
  uv_loop_t loop;
  uv_poll_t poll;
  left = args[0];
  CHECK(uv_loop_init(&loop) == 0);
  CHECK(uv_poll_init(&loop, &poll, (int) args[2]) == 0);
  uv_poll_start(&poll, UV_READABLE, on_client);
  bench_begin();
  uv_run(&loop, UV_RUN_DEFAULT);
  bench_end();
  CHECK(uv_loop_close(&loop) == 0);
  bench_count("operations", bytes / 1024);
  bench_count("connections", ended);
}
