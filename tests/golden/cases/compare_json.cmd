compare --format json compare_base.json compare_new.json
