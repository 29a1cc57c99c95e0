plan typo.yaml
