/* A lock of one object, for free-threaded builds; with a GIL there is none.

   Nothing under the lock calls Python, allocates or blocks, so that a thread holds it for some
   nanoseconds. A fork may copy a lock that another thread holds. Each process therefore has a
   number of its own: a lock with the number of another process is free. */

#ifndef OTEL_META_LOCK_H
#define OTEL_META_LOCK_H

#ifdef Py_GIL_DISABLED

#include <stdatomic.h>
#ifdef _WIN32
#include <windows.h>
#define yield_processor() SwitchToThread()
#else
#include <sched.h>
#define yield_processor() sched_yield()
#endif

typedef struct {
    atomic_uint holder; /* 0, or the number of the process that holds the lock */
} Lock;

extern unsigned process_number; /* module.c; changed in a forked child, which has one thread */

static inline void
lock(Lock *it)
{
    for (;;) {
        unsigned holder = atomic_load_explicit(&it->holder, memory_order_relaxed);
        if (holder != process_number
            && atomic_compare_exchange_weak_explicit(&it->holder, &holder, process_number,
                                                     memory_order_acquire, memory_order_relaxed)) {
            return;
        }
        yield_processor();
    }
}

static inline void
unlock(Lock *it)
{
    atomic_store_explicit(&it->holder, 0, memory_order_release);
}

#else

typedef struct {
    char unused;
} Lock;

#define lock(it) ((void)(it))
#define unlock(it) ((void)(it))

#endif

#endif
