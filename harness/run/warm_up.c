// SPDX-License-Identifier: Apache-2.0
#include "run/warm_up.h"

#include "stats/stability.h"

#include <math.h>
#include <stddef.h>

// A thousand loops of a millisecond are the most time there is.
enum { LOOP_LIMIT = 1000 };
static const double loop_ns = 1e6;
static const double most_iterations = 1e6;

static double time_loop(const WarmUpSubject *subject, size_t iterations)
{
    const double start_ns = subject->now_ns();
    for (size_t i = 0; i < iterations; i++)
        subject->run(subject->context);
    return subject->now_ns() - start_ns;
}

WarmUpResult warm_up_until_stable(const WarmUpSubject *subject)
{
    double times_ns[LOOP_LIMIT];
    const double start_ns = subject->now_ns();
    WarmUpResult result = {0, false};
    size_t count = 0;
    // The first iteration touches pages and fills caches: it does not tell how long a loop is.
    (void)time_loop(subject, 1);
    const double once_ns = fmax(time_loop(subject, 1), 1);
    const size_t iterations = (size_t)fmin(ceil(loop_ns / once_ns), most_iterations);
    while (!result.stable && count < LOOP_LIMIT && result.spent_ns < WARM_UP_MOST_NS) {
        times_ns[count++] = time_loop(subject, iterations);
        result.stable = count % WARM_UP_LEAST == 0 && stat_warm_up(times_ns, count).stable;
        result.spent_ns = subject->now_ns() - start_ns;
    }
    return result;
}
