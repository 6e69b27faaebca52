/* The functions that the program provides to the work, and the work: one function for each row. */

#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "uv.h"

void bench_begin(void);
void bench_end(void);
void bench_count(const char* what, uint64_t many);
void bench_memory(const char* what);
void bench_answer(void);

/* Not an assertion: these are there in optimized builds too. */
#define CHECK(condition)                                                   \
  do {                                                                     \
    if (!(condition)) {                                                    \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);      \
      abort();                                                             \
    }                                                                      \
  } while (0)

/* The same numbers as in the guests. */
static inline uint64_t bench_random(uint64_t* state) {
  *state = *state * 6364136223846793005u + 1442695040888963407u;
  return *state >> 33;
}

void bench_timers(const uint64_t* args);
void bench_random_timers(const uint64_t* args);
void bench_spread_timers(const uint64_t* args);
void bench_repeating(const uint64_t* args);
void bench_timeouts(const uint64_t* args);
void bench_waits(const uint64_t* args);
void bench_restarts(const uint64_t* args);
void bench_memory_of_timers(const uint64_t* args);
void bench_idle(const uint64_t* args);
void bench_phases(const uint64_t* args);
void bench_idle_poll(const uint64_t* args);
void bench_ping_pong(const uint64_t* args);
void bench_many_polls(const uint64_t* args);
void bench_wake_up(const uint64_t* args);
void bench_wake(void);
void bench_signal(const uint64_t* args);
void bench_echo(const uint64_t* args);

#endif
