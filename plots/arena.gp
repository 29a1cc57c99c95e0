# SPDX-License-Identifier: Apache-2.0
# arena.gp - the memory for activations over the steps of a pass, a rectangle a tensor. Columns: first
# step, step after the last, offset, end, tensor.

set xlabel x_label
set ylabel y_label
set xrange [0:x_high]
set yrange [0:height * 1.08]
set grid noxtics
set rmargin 4
set bmargin 8
unset key
# Light tones, so that the outlines of what lies over one another stay visible; by tensor number.
array tone[6] = [0x9fc9e8, 0xf6d08a, 0xa8dccb, 0xf0b493, 0xd9bfd9, 0xd8d8d8]
set style fill transparent solid 0.75 border linecolor rgb '#303030'
set arrow from 0,height to x_high,height nohead dashtype 2 linewidth 1 linecolor rgb '#D55E00' front
set label 10 height_text at x_high,height right offset -0.5,0.6 font ',10' \
    textcolor rgb '#D55E00' front

do for [output = 1:output_count] {
    eval output_terminal(output)
    set output output_file(output)
    plot data using (($1 + $2) / 2):(($3 + $4) / 2 / unit):1:2:($3 / unit):($4 / unit):(tone[int($5) % 6 + 1]) \
        with boxxyerror linewidth 0.6 linecolor rgb variable
    unset output
}
