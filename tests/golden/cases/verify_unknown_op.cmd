verify --op gemn
