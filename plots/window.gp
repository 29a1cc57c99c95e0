# SPDX-License-Identifier: Apache-2.0
# window.gp - time of a pass over the prefetch window, a series per SIMD level, with what the
# recurrence of the pipeline predicts and what nothing can be below. Columns of a block: window, time,
# low, high, samples, automatic (1: the loader chose the window), pipeline, bound.

set xlabel x_label
set ylabel y_label
eval ticks
set xrange [x_low:x_high]
set yrange [0:y_high]
set rmargin 4
set bmargin 10.5
set key at screen 0.5,0.14

do for [output = 1:output_count] {
    eval output_terminal(output)
    set output output_file(output)
    plot for [i = 1:series_count] data index i - 1 using 1:($6 == 0 ? $8 : NaN) with lines \
             dashtype 3 linewidth 1.2 linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using 1:($6 == 0 ? $7 : NaN) with lines \
             dashtype 2 linewidth 1.4 linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using 1:($6 == 0 ? $2 : NaN) with lines \
             linewidth 1.4 linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using 1:2:3:4 with yerrorbars \
             pointtype 0 linewidth 1 linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using 1:($6 == 0 ? $2 : NaN) with points \
             pointtype marker(series_level[i]) pointsize 1.4 \
             linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count * automatic] data index i - 1 \
             using 1:($6 == 1 ? $2 : NaN) with points pointtype open_marker(series_level[i]) \
             pointsize 2.2 linewidth 1.6 linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] NaN with linespoints \
             pointtype marker(series_level[i]) pointsize 1.4 linewidth 1.4 \
             linecolor rgb colour(series_level[i]) \
             title 'measured, ' . level_label(series_level[i]), \
         NaN with lines dashtype 2 linewidth 1.4 linecolor rgb '#606060' title 'pipeline', \
         NaN with lines dashtype 3 linewidth 1.2 linecolor rgb '#606060' title 'bound', \
         for [i = 1:automatic] NaN with points pointtype 6 pointsize 2.2 linewidth 1.6 \
             linecolor rgb '#606060' title 'window chosen by the loader'
    unset output
}
