compare sweep.yaml compare_base.json
