compare --format github compare_base.json compare_new.json
