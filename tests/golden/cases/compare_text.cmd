compare --format text compare_base.json compare_new.json
