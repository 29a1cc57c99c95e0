doctor --profile ci --json --sysroot ../../machines/quiet_lab
