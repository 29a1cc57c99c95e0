# SPDX-License-Identifier: Apache-2.0
# rate.gp - a rate over one axis, a series per SIMD level: median with its interval, and the
# machine's measured peak of each level. Columns of a block: x, rate, low, high, samples, automatic.
# automatic = 1: the block was chosen from the cache geometry and stands at what was chosen.

set xlabel x_label
set ylabel y_label
eval ticks
if (x_logarithmic) {
    set logscale x 2
}
set xrange [x_low:x_high]
# Levels lie far apart, fractions of a peak matter: logarithmic as soon as there are several.
if (series_count > 1 || peak_count > 0) {
    set logscale y 2
    set format y '%g'
    set yrange [y_low:y_high]
} else {
    set yrange [0:*]
}
set rmargin (peak_count > 0 ? 17 : 4)
set bmargin 9

do for [i = 1:peak_count] {
    set label 10 + i sprintf('%s peak %.4g', level_label(peak_level[i]), peak_value[i]) \
        at graph 1.012,first peak_value[i] left font ',10' textcolor rgb colour(peak_level[i])
}

do for [output = 1:output_count] {
    eval output_terminal(output)
    set output output_file(output)
    plot for [i = 1:peak_count] peak_value[i] with lines dashtype 2 linewidth 1 \
             linecolor rgb colour(peak_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using 1:($6 == 0 ? $2 : NaN) with lines \
             linewidth 1.4 linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using 1:2:3:4 with yerrorbars \
             pointtype 0 linewidth 1 linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using 1:($6 == 0 ? $2 : NaN) with points \
             pointtype marker(series_level[i]) pointsize 1.4 \
             linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count * automatic] data index i - 1 using 1:($6 == 1 ? $2 : NaN) with points \
             pointtype open_marker(series_level[i]) pointsize 2 \
             linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] NaN with linespoints \
             pointtype marker(series_level[i]) pointsize 1.4 linewidth 1.4 \
             linecolor rgb colour(series_level[i]) title level_label(series_level[i]), \
         for [i = 1:(peak_count > 0)] NaN with lines dashtype 2 linewidth 1 \
             linecolor rgb '#606060' title 'peak', \
         for [i = 1:automatic] NaN with points pointtype 6 pointsize 2 \
             linecolor rgb '#606060' title 'auto block'
    unset output
}
