plan sweep.yaml --set simd_level=avx3
