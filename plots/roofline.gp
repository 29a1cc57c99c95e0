# SPDX-License-Identifier: Apache-2.0
# roofline.gp - operations a second over operations a byte: colours are SIMD levels, markers are
# operations. Block (operation - 1) x level_count + level - 1; columns: intensity, rate, above the roof.

set xlabel 'operations a byte [FLOP/B]'
set ylabel 'throughput [GFLOP/s]'
set logscale x 10
set logscale y 10
set format x '%g'
set format y '%g'
set xrange [x_low:x_high]
set yrange [y_low:y_high]
set rmargin 17
set bmargin 10
set key at screen 0.5,0.145 center center

shape(i) = int(word('7 5 9 13 11 15 6 4 8 12 10 14 1 2 3 7', i))
top = peak_count > 0 ? peak_value[peak_count] : y_high
do for [i = 1:peak_count] {
    top = peak_value[i] > top ? peak_value[i] : top
    set label 10 + i sprintf('%s peak %.4g', level_label(peak_level[i]), peak_value[i]) \
        at graph 1.012,first peak_value[i] left font ',10' textcolor rgb colour(peak_level[i])
}
lower(a, b) = a < b ? a : b
# Along the slanted lines, of which one decade up is one decade right.
slope = atan2(430 / log(y_high / y_low), 760 / log(x_high / x_low)) * 180 / pi
# Where the line enters the picture, from the left or from below.
entry(roof) = (y_low / roof > x_low ? y_low / roof : x_low) * 1.3
do for [i = 1:roof_count] {
    set label 30 + i roof_label[i] at first entry(roof_value[i]),entry(roof_value[i]) * roof_value[i] \
        left rotate by slope offset 0,0.5 font ',10' textcolor rgb '#505050'
}

do for [output = 1:output_count] {
    eval output_terminal(output)
    set output output_file(output)
    plot for [i = 1:roof_count] lower(roof_value[i] * x, top) with lines linewidth 1 \
             linecolor rgb '#808080' notitle, \
         for [i = 1:peak_count] (x < peak_value[i] / roof_value[1] ? NaN : peak_value[i]) \
             with lines dashtype 2 linewidth 1.2 linecolor rgb colour(peak_level[i]) notitle, \
         for [i = 1:operation_count] for [j = 1:level_count] \
             data index (i - 1) * level_count + j - 1 using 1:($3 == 0 ? $2 : NaN) with points \
             pointtype shape(i) pointsize 1.3 linecolor rgb colour(level[j]) notitle, \
         for [i = 1:operation_count] for [j = 1:level_count] \
             data index (i - 1) * level_count + j - 1 using 1:($3 == 1 ? $2 : NaN) with points \
             pointtype 2 pointsize 2 linecolor rgb '#c00000' notitle, \
         for [i = 1:peak_count] NaN with lines linewidth 3 linecolor rgb colour(peak_level[i]) \
             title level_label(peak_level[i]), \
         for [i = 1:operation_count] NaN with points pointtype shape(i) pointsize 1.3 \
             linecolor rgb '#606060' title operation[i]
    unset output
}
