/* What Rust cannot know of libuv without its headers. */

#include "uv.h"
#include "uv-common.h"

int conformance_watcher_queue_is_empty(const uv_loop_t* loop) {
  return uv__queue_empty(&loop->watcher_queue);
}

/* Where libuv waits with a signal handle's close callback until what was caught has been dispatched, there
 * is nothing to wait for any more. */
void conformance_signal_forget_caught(uv_signal_t* handle) {
  handle->dispatched_signals = handle->caught_signals;
}

int conformance_signal_is_oneshot(const uv_signal_t* handle) {
  return (handle->flags & UV_SIGNAL_ONE_SHOT) != 0;
}

/* A signal handle that was started as a one-shot once stays one for ever, unless it is told otherwise
 * while it is stopped. */
void conformance_signal_make_lasting(uv_signal_t* handle) {
  handle->flags &= ~UV_SIGNAL_ONE_SHOT;
}

int conformance_signal_number(const uv_signal_t* handle) {
  return handle->signum;
}

/* Stopping or closing a poll handle takes its descriptor out of the OS's hands, also when it is another
 * handle that is active on it. An inactive one has no need of the descriptor any more. */
void conformance_poll_forget_descriptor(uv_poll_t* handle, int unused) {
  handle->io_watcher.fd = unused;
}
