// SPDX-License-Identifier: Apache-2.0
#include "report/run_figures.h"

#include <stdio.h>

const RunFigureKind run_figure_table[] = {
    {"roofline", "roofline", "kernels under the measured roofs of one core", roofline_count,
     roofline_define, roofline_tabulate},
    {"cache-errors", "cache-errors", "how far predicted cache counts lie from the truth",
     cache_errors_count, cache_errors_define, cache_errors_tabulate},
    {.name = NULL},
};

void run_figure_name(const RunFigureKind *kind, size_t run, char *name, size_t name_bytes)
{
    if (run == 0)
        (void)snprintf(name, name_bytes, "%s", kind->name);
    else
        (void)snprintf(name, name_bytes, "%s-run%zu", kind->name, run + 1);
}
