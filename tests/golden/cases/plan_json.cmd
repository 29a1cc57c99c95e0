plan sweep.yaml --json --set simd_level=avx2 --set block_size=64 --set size=8
