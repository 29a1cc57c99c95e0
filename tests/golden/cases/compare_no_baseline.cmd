compare results/none.json compare_base.json
