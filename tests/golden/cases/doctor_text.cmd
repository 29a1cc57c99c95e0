doctor --profile lab --sysroot ../../machines/epyc_rome_metal
