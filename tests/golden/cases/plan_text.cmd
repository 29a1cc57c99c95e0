plan sweep.yaml
