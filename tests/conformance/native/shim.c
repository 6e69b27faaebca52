/* Access to internals of libuv, which need its headers. */

#include "uv.h"
#include "uv-common.h"

int conformance_watcher_queue_is_empty(const uv_loop_t* loop) {
  return uv__queue_empty(&loop->watcher_queue);
}

/* libuv delays a signal handle's close callback until all caught signals have been dispatched.
 * After this call none is left to wait for. */
void conformance_signal_forget_caught(uv_signal_t* handle) {
  handle->dispatched_signals = handle->caught_signals;
}

int conformance_signal_is_oneshot(const uv_signal_t* handle) {
  return (handle->flags & UV_SIGNAL_ONE_SHOT) != 0;
}

/* A signal handle that was once started as a one-shot stays one, unless this is called while it is
 * stopped. */
void conformance_signal_make_lasting(uv_signal_t* handle) {
  handle->flags &= ~UV_SIGNAL_ONE_SHOT;
}

int conformance_signal_number(const uv_signal_t* handle) {
  return handle->signum;
}

/* Stopping or closing a poll handle removes its descriptor from the OS's poller, even when another
 * handle is active on it. An inactive handle no longer needs the descriptor. */
void conformance_poll_forget_descriptor(uv_poll_t* handle, int unused) {
  handle->io_watcher.fd = unused;
}
