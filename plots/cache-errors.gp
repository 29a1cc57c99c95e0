# SPDX-License-Identifier: Apache-2.0
# cache-errors.gp - the distribution of the errors of cache counts: a panel a cache level, a line a
# comparison. Block (panel - 1) x kind_count + kind - 1; columns: error, share of the cells, both in percent.

unset title
set tmargin at screen 0.82
set bmargin at screen 0.24
set logscale x 10
set xrange [0.01:100]
set yrange [0:102]
set format x '%g'
set xlabel 'error [%]'
shade(i) = word('#0072B2 #009E73 #E69F00 #D55E00', i)
left(panel) = 0.085 + (panel - 1) * 0.99 / panel_count
right(panel) = left(panel) + 0.99 / panel_count - 0.1

do for [output = 1:output_count] {
    eval output_terminal(output)
    set output output_file(output)
    set multiplot
    set label 1 subtitle at screen 0.5,0.905 center font ',11' textcolor rgb '#404040'
    set label 2 caption at screen 0.015,0.052 left font ',9' textcolor rgb '#404040'
    set label 3 heading at screen 0.5,0.955 center font ',15' textcolor rgb '#000000'
    do for [panel = 1:panel_count] {
        set lmargin at screen left(panel)
        set rmargin at screen right(panel)
        set ylabel (panel == 1 ? 'cells with at most that error [%]' : '')
        set label 4 panel_title[panel] at graph 0.5,1.04 center font ',12'
        set key at screen 0.5,0.118 center center horizontal Left reverse samplen 2.2 font ',10.5'
        plot for [i = 1:kind_count] (kind_shown[i] ? data : '/dev/null') \
                 index (kind_shown[i] ? (panel - 1) * kind_count + i - 1 : 0) using 1:2 with steps \
                 linewidth 1.6 linecolor rgb shade(i) notitle, \
             for [i = 1:kind_count] (kind_shown[i] && panel == 1 ? NaN : 1/0) with lines \
                 linewidth 1.6 linecolor rgb shade(i) \
                 title (kind_shown[i] && panel == 1 ? kind_label[i] : '')
        do for [number = 1:3] {
            unset label number
        }
    }
    unset multiplot
    unset output
}
