baseline replace results/run
