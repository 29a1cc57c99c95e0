plan sweep.yaml --jsn
