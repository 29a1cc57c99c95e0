# SPDX-License-Identifier: Apache-2.0
# front.gp - measured time over measured memory, a series per SIMD level: medians with their interval,
# the Pareto front as a line. Columns of a block, the front first, then by memory: peak, time, low, high, 1 = on the front,
# planned, predicted time, value of the axis.

set xlabel x_label
set ylabel y_label
set xrange [x_low:x_high]
set yrange [y_low:y_high]
set rmargin 4
set bmargin 9

do for [output = 1:output_count] {
    eval output_terminal(output)
    set output output_file(output)
    plot for [i = 1:series_count] data index i - 1 using ($5 == 1 ? $1 : 1/0):2 with steps \
             linewidth 1.6 linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using 1:2:3:4 with yerrorbars \
             pointtype 0 linewidth 0.8 linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using 1:($5 == 0 ? $2 : NaN) with points \
             pointtype open_marker(series_level[i]) pointsize 1.2 \
             linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using 1:($5 == 1 ? $2 : NaN) with points \
             pointtype marker(series_level[i]) pointsize 1.6 \
             linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using 1:2:(stringcolumn(8)) with labels \
             offset 0.9,0.9 font ',9' textcolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] NaN with linespoints \
             pointtype marker(series_level[i]) pointsize 1.6 linewidth 1.6 \
             linecolor rgb colour(series_level[i]) title level_label(series_level[i]) . ', front', \
         NaN with points pointtype 6 pointsize 1.2 linecolor rgb '#606060' \
             title 'beaten by another'
    unset output
}
