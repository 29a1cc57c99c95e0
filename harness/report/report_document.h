// SPDX-License-Identifier: Apache-2.0
// report_document.h - runs as one Markdown document; every number says where it is from.
#ifndef HYP_REPORT_DOCUMENT_H
#define HYP_REPORT_DOCUMENT_H

#include "report/run_set.h"

// Writes the document; figures are embedded from plots/ if `drawn`, else named. False: out of
// memory. The caller checks `out` for write errors.
bool report_write(const RunSet *set, bool drawn, FILE *out);

#endif
