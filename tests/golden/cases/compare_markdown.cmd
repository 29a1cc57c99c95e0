compare --format markdown compare_base.json compare_new.json
