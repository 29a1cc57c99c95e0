baseline accept results/run
