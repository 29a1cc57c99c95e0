// SPDX-License-Identifier: Apache-2.0
// The only C++ file. No policy here: no statistics, no files, no counters, no names of its own.
#include "run/gbench_bridge.h"

#include <benchmark/benchmark.h>

#include <vector>

namespace
{

// Keeps what Google Benchmark would print.
class Recorder : public benchmark::BenchmarkReporter
{
  public:
    bool ReportContext(const Context & /*context*/) override
    {
        return true;
    }

    void ReportRuns(const std::vector<Run> &runs) override
    {
        for (const Run &run : runs)
            if (run.run_type == Run::RT_Iteration && !run.error_occurred && run.iterations > 0) {
                const double to_ns = 1e9 / static_cast<double>(run.iterations);
                loops_.push_back(
                    {run.real_accumulated_time * to_ns, run.cpu_accumulated_time * to_ns});
            }
    }

    struct Loop {
        double real_ns, cpu_ns; // per iteration
    };

    const std::vector<Loop> &loops() const
    {
        return loops_;
    }

  private:
    std::vector<Loop> loops_;
};

void run_loop(benchmark::State &state, const TimedBody &body)
{
    for (auto _ : state) {
        if (body.prepare != nullptr) {
            state.PauseTiming();
            body.prepare(body.context);
            state.ResumeTiming();
        }
        body.run(body.context);
        benchmark::ClobberMemory();
    }
}

} // namespace

extern "C" bool gbench_time(const char *name, const TimedBody *body, uint64_t iterations,
                            int repetitions, double *real_ns, double *cpu_ns)
{
    try { // no C++ exception may reach C
        benchmark::RegisterBenchmark(name,
                                     [body](benchmark::State &state) { run_loop(state, *body); })
            ->Iterations(static_cast<benchmark::IterationCount>(iterations))
            ->Repetitions(repetitions)
            ->UseRealTime();
        Recorder recorder;
        benchmark::RunSpecifiedBenchmarks(&recorder);
        benchmark::ClearRegisteredBenchmarks();
        if (recorder.loops().size() != static_cast<size_t>(repetitions))
            return false;
        for (size_t i = 0; i < recorder.loops().size(); i++) {
            real_ns[i] = recorder.loops()[i].real_ns;
            cpu_ns[i] = recorder.loops()[i].cpu_ns;
        }
        return true;
    } catch (...) {
        return false;
    }
}

extern "C" bool gbench_main(int argc, char **argv, const GbenchCase *cases, size_t count,
                            const char *context_key, const char *context_value)
{
    try { // no C++ exception may reach C
        benchmark::Initialize(&argc, argv);
        if (benchmark::ReportUnrecognizedArguments(argc, argv))
            return false;
        benchmark::AddCustomContext(context_key, context_value);
        for (size_t i = 0; i < count; i++)
            benchmark::RegisterBenchmark(cases[i].name, [open = cases[i].open,
                                                         owner = cases[i].owner](
                                                            benchmark::State &state) {
                GbenchBody body{};
                open(owner, &body);
                if (body.error != nullptr) {
                    state.SkipWithError(body.error);
                    return;
                }
                run_loop(state, body.timed);
                for (size_t j = 0; j < body.rate_count; j++)
                    state.counters[body.rates[j].name] = benchmark::Counter(
                        body.rates[j].per_iteration, benchmark::Counter::kIsIterationInvariantRate);
            })->UseRealTime();
        benchmark::RunSpecifiedBenchmarks();
        benchmark::Shutdown();
        return true;
    } catch (...) {
        return false;
    }
}
