# SPDX-License-Identifier: Apache-2.0
# machines.gp - one quantity on several machines: a panel a machine with the same axes, a series per
# SIMD level; runs of one machine lie over each other, told apart by dashes and open markers. Blocks
# first_block[panel] to last_block[panel] belong to a panel; columns: x (of names: their place and a
# slot beside it), value, low, high, samples, automatic (see rate.gp), measured. y_base: of the
# logarithmic axis, 0 = linear; y_scale: what the values are divided by for the axis.

unset title
set tmargin at screen 0.815
set bmargin at screen (category_count > 0 ? 0.32 : 0.25)

# Straight lines between names would say something about what is between them.
lines = category_count > 0 ? 0 : 1
pitch = (1 - 90.0 / width) / panel_count
left(panel) = 75.0 / width + (panel - 1) * pitch
right(panel) = left(panel) + pitch - 22.0 / width
shape(block) = block_style[block] % 2 ? marker(block_level[block]) : \
               open_marker(block_level[block])

do for [output = 1:output_count] {
    eval output_terminal(output)
    set output output_file(output)
    set multiplot
    set label 1 subtitle at screen 0.5,0.925 center font ',11' textcolor rgb '#404040'
    set label 2 caption at screen 0.015,0.052 left font ',9' textcolor rgb '#404040'
    set label 3 heading at screen 0.5,0.967 center font ',15' textcolor rgb '#000000'
    set border 3
    set ytics nomirror autofreq
    if (y_base) {
        set logscale y y_base
    }
    set yrange [y_low:y_high]
    if (category_count > 0) {
        set xtics scale 0 ('' 0) rotate by 32 right font ',9'
        do for [i = 1:category_count] {
            set xtics add (category_label[i] i)
        }
        do for [i = 1:category_count - 1] {
            set arrow i from i + 0.5,graph 0 to i + 0.5,graph 1 nohead linewidth 0.4 \
                linecolor rgb '#d8d8d8'
        }
        set xrange [0.5:category_count + 0.5]
        set grid noxtics
    } else {
        eval ticks
        set xtics font ',9'
        set xlabel x_label
        set xrange [x_low:x_high]
        if (x_logarithmic) {
            set logscale x 2
        }
    }
    unset key
    do for [panel = 1:panel_count] {
        set lmargin at screen left(panel)
        set rmargin at screen right(panel)
        # The y axis is written once; a ylabel's place would depend on how long the tick labels are.
        if (panel == 1) {
            set label 6 y_label at screen 17.0 / width,graph 0.5 center rotate by 90
            set format y (counts && y_base == 10 ? '%.0s%c' : '%g')
        } else {
            unset label 6
            set format y ''
        }
        set label 4 panel_title[panel] at graph 0.5,1.085 center font ',11.5'
        set label 5 panel_note[panel] at graph 0.5,1.03 center font ',9' textcolor rgb '#606060'
        do for [i = 1:peak_count] {
            unset label 10 + i
            if (peak_panel[i] == panel) {
                set label 10 + i sprintf('%s peak %.4g', level_label(peak_level[i]), \
                    peak_value[i]) at graph 0.015,first peak_value[i] left offset 0,0.45 \
                    font ',8.5' textcolor rgb colour(peak_level[i])
            }
        }
        first = first_block[panel]
        last = last_block[panel]
        plot for [i = 1:peak_count] (peak_panel[i] == panel ? peak_value[i] : NaN) with lines \
                 dashtype 3 linewidth 1 linecolor rgb colour(peak_level[i]), \
             for [i = first:last * lines] data index i - 1 \
                 using 1:($6 == 0 ? $2 / y_scale : NaN) with lines linewidth 1.4 \
                 dashtype int(block_style[i]) linecolor rgb colour(block_level[i]), \
             for [i = first:last] data index i - 1 \
                 using 1:($2 / y_scale):($3 / y_scale):($4 / y_scale) with yerrorbars \
                 pointtype 0 linewidth 1 linecolor rgb colour(block_level[i]), \
             for [i = first:last] data index i - 1 \
                 using 1:($6 == 0 ? $2 / y_scale : NaN) with points pointtype shape(i) \
                 pointsize 1.3 linecolor rgb colour(block_level[i]), \
             for [i = first:last * (category_count == 0 && automatic)] data index i - 1 \
                 using 1:($6 == 1 ? $2 / y_scale : NaN) with points \
                 pointtype open_marker(block_level[i]) pointsize 2 \
                 linecolor rgb colour(block_level[i]), \
             for [i = first:last * any_measured] data index i - 1 using 1:($7 / y_scale) \
                 with points pointtype 2 pointsize 1.8 linewidth 1.6 \
                 linecolor rgb colour(block_level[i])
        do for [number = 1:3] {
            unset label number
        }
    }
    # The legend alone, over the whole width.
    unset label
    unset arrow
    unset border
    unset xtics
    unset ytics
    unset xlabel
    unset logscale y
    set yrange [0:1]
    set lmargin at screen 0.06
    set rmargin at screen 0.94
    set key at screen 0.5,0.135 center center horizontal Left reverse samplen 2.2 \
        maxrows 2 font ',10.5'
    plot for [i = 1:level_count] NaN with linespoints pointtype marker(level_name[i]) \
             pointsize 1.4 linewidth 1.4 linecolor rgb colour(level_name[i]) \
             title level_label(level_name[i]), \
         for [i = 1:style_count * (style_count > 1)] NaN with linespoints dashtype i \
             pointtype (i % 2 ? 7 : 6) pointsize 1.2 linewidth 1.4 linecolor rgb '#606060' \
             title style_label[i], \
         for [i = 1:(peak_count > 0)] NaN with lines dashtype 3 linewidth 1 \
             linecolor rgb '#606060' title 'peak', \
         for [i = 1:counts] NaN with linespoints pointtype 7 pointsize 1.2 \
             linecolor rgb '#808080' title 'predicted', \
         for [i = 1:any_measured] NaN with points pointtype 2 pointsize 1.8 linewidth 1.6 \
             linecolor rgb '#808080' title 'measured', \
         for [i = 1:(category_count == 0 && automatic)] NaN with points pointtype 6 \
             pointsize 2 linecolor rgb '#606060' title 'auto block'
    unset multiplot
    unset output
}
