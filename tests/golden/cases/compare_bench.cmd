compare compare_bench.json compare_new.json
