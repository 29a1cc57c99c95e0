plan lab.yaml
