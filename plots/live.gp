# SPDX-License-Identifier: Apache-2.0
# live.gp - activations that are live after each step of a plan, a line a cap. Columns of a block:
# step, live. line_cap: the cap, -1 = none.

set xlabel x_label
set ylabel y_label
set xrange [0:x_high]
set yrange [0:y_high]
set rmargin 4
set bmargin 9.5
set key at screen 0.5,0.13 maxrows 2
# From the tightest cap, which is drawn last and over the others, to the loosest.
array tone[8] = ['#000000', '#0072B2', '#009E73', '#E69F00', '#D55E00', '#CC79A7', '#56B4E9', '#808080']
do for [i = 1:line_count] {
    if (line_cap[i] >= 0) {
        set arrow i from 0,line_cap[i] / unit to x_high,line_cap[i] / unit nohead dashtype 2 linewidth 0.8 \
            linecolor rgb tone[i]
    }
}

do for [output = 1:output_count] {
    eval output_terminal(output)
    set output output_file(output)
    plot for [i = line_count:1:-1] data index i - 1 using 1:($2 / unit) with fsteps linewidth 1.4 \
             linecolor rgb tone[i] notitle, \
         for [i = 1:line_count] NaN with lines linewidth 1.8 linecolor rgb tone[i] \
             title line_label[i]
    unset output
}
