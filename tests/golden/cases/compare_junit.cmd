compare --format junit compare_base.json compare_new.json
