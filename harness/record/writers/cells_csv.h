// SPDX-License-Identifier: Apache-2.0
// cells_csv.h - the columns of cells.csv, for the file itself and for its description.
#ifndef HYP_CELLS_CSV_H
#define HYP_CELLS_CSV_H

#include "record/writers/writer.h"

enum { CSV_HEADER_BYTES = 128 };

typedef struct CsvColumn {
    char header[CSV_HEADER_BYTES]; // "m [elements]", "gflops [GFLOP/s] {clock}"
    const char *help;
} CsvColumn;

size_t cells_csv_column_count(void);

// The column of that index, 0 at the left.
CsvColumn cells_csv_column(size_t index);

#endif
