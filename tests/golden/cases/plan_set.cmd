plan sweep.yaml --set simd_level=scalar,avx2 --set m=32 --set function=silu
