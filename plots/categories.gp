# SPDX-License-Identifier: Apache-2.0
# categories.gp - a time or a rate by category (model, function) and SIMD level: median with its
# interval, side by side within a category. Columns of a block: position, value, low, high, samples.

set ylabel y_label
set xtics scale 0 ('' 0)
do for [i = 1:category_count] {
    set xtics add (category_label[i] i)
}
set xrange [0.5:category_count + 0.5]
set grid noxtics
set logscale y 10
set yrange [y_low:y_high]
set format y '%g'
set bmargin 9
set rmargin 4
step = 0.7 / series_count
offset(i) = (i - (series_count + 1) / 2.0) * step
do for [i = 1:category_count - 1] {
    set arrow from i + 0.5,graph 0 to i + 0.5,graph 1 nohead linewidth 0.4 linecolor rgb '#d8d8d8'
}

do for [output = 1:output_count] {
    eval output_terminal(output)
    set output output_file(output)
    plot for [i = 1:series_count] data index i - 1 using ($1 + offset(i)):2:3:4 with yerrorbars \
             pointtype 0 linewidth 1.2 linecolor rgb colour(series_level[i]) notitle, \
         for [i = 1:series_count] data index i - 1 using ($1 + offset(i)):2 with points \
             pointtype marker(series_level[i]) pointsize 1.8 \
             linecolor rgb colour(series_level[i]) title level_label(series_level[i]), \
         for [i = 1:series_count] data index i - 1 \
             using ($1 + offset(i)):4:(sprintf('%.3g', $2)) with labels offset 0,0.7 font ',9' \
             textcolor rgb colour(series_level[i]) notitle
    unset output
}
