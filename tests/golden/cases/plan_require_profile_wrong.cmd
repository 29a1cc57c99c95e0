plan labs.yaml
