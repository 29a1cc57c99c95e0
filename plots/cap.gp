# SPDX-License-Identifier: Apache-2.0
# cap.gp - time of a pass over the cap that memory is kept within, a series per SIMD level: measured,
# and as predicted. Columns of a block: cap, time, low, high, samples, 1 = no cap (at what it takes
# then), predicted, 1 = proved to be the least, peak; bytes.

set xlabel x_label
set ylabel y_label
set xrange [x_low:x_high]
set yrange [0:y_high]
set rmargin 4
set bmargin 9.5
set key at screen 0.5,0.13
do for [i = 1:mark_count] {
    set arrow i from mark_place[i] / unit,graph 0 to mark_place[i] / unit,graph 1 nohead dashtype 3 \
        linewidth 1 linecolor rgb '#606060'
    set label 10 + i mark_label[i] at mark_place[i] / unit,graph 0.98 right rotate by 90 \
        offset -0.7,0 font ',9' textcolor rgb '#606060'
}

do for [output = 1:output_count] {
    eval output_terminal(output)
    set output output_file(output)
    plot for [i = 1:series_count] data index i - 1 using ($1 / unit):($6 == 0 ? $7 : 1/0) with steps \
             dashtype 2 linewidth 1.4 linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count * has_proofs] data index i - 1 \
             using ($1 / unit):($6 == 0 && $8 == 1 ? $7 : NaN) with points pointtype 7 pointsize 0.8 \
             linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count * has_proofs] data index i - 1 \
             using ($1 / unit):($6 == 0 && $8 == 0 ? $7 : NaN) with points pointtype 6 pointsize 0.8 \
             linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using ($1 / unit):($6 == 0 ? $2 : 1/0) with lines \
             linewidth 1.4 linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using ($1 / unit):2:3:4 with yerrorbars \
             pointtype 0 linewidth 1 linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using ($1 / unit):($6 == 0 ? $2 : NaN) with points \
             pointtype marker(series_level[i]) pointsize 1.4 \
             linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count * uncapped] data index i - 1 using ($1 / unit):($6 == 1 ? $2 : NaN) \
             with points pointtype open_marker(series_level[i]) pointsize 2.2 linewidth 1.6 \
             linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] NaN with linespoints \
             pointtype marker(series_level[i]) pointsize 1.4 linewidth 1.4 \
             linecolor rgb colour(series_level[i]) \
             title 'measured, ' . level_label(series_level[i]), \
         NaN with lines dashtype 2 linewidth 1.4 linecolor rgb '#606060' title line_label, \
         for [i = 1:uncapped] NaN with points pointtype 6 pointsize 2.2 linewidth 1.6 \
             linecolor rgb '#606060' title 'without cap'
    unset output
}
