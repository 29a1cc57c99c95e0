# SPDX-License-Identifier: Apache-2.0
# timeline.gp - when layers were loaded and computed in one pass, a row a layer. Columns: row, load
# from, to, compute from, to, waiting from, to, name of the layer.

set xlabel x_label
set xrange [0:x_high]
set yrange [row_count - 0.4:-0.6]
set grid noytics
set ytics scale 0
if (named) {
    set ytics ('' 0) font ',8.5'
    do for [i = 1:row_count] {
        set ytics add (row_name[i] i - 1)
    }
    set lmargin 22
    set label 1 at screen 0.5,graph (subtitle_is_long ? 1.075 : 1.045)
} else {
    set ylabel 'layer with weights'
    set ytics autofreq
}
set rmargin 4
set bmargin 9.5
set key at screen 0.5,0.13
set style fill solid 0.9 noborder

do for [output = 1:output_count] {
    eval output_terminal(output)
    set output output_file(output)
    plot data using (($6 + $7) / 2):1:6:7:($1 - 0.08):($1 + 0.4) with boxxyerror \
             fillcolor rgb '#f2c4c4' notitle, \
         data using (($2 + $3) / 2):1:2:3:($1 - 0.4):($1 - 0.02) with boxxyerror \
             fillcolor rgb '#0072B2' notitle, \
         data using (($4 + $5) / 2):1:4:5:($1 + 0.02):($1 + 0.4) with boxxyerror \
             fillcolor rgb '#E69F00' notitle, \
         NaN with boxes fillcolor rgb '#0072B2' title 'loading', \
         NaN with boxes fillcolor rgb '#E69F00' title 'computing', \
         NaN with boxes fillcolor rgb '#f2c4c4' title 'waiting for weights'
    unset output
}
