compare compare_base.json compare_base.json
