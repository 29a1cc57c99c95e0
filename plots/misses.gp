# SPDX-License-Identifier: Apache-2.0
# misses.gp - predicted against measured cache misses over one axis: a panel per cache level, a series
# per SIMD level. Block (panel - 1) x series_count + series - 1; columns: x, predicted, low, high,
# measured, automatic (see rate.gp), simulated. panel_scale: what the values are divided by for the axis;
# panel_base: of a logarithmic axis, 0 = linear.

unset title
if (x_logarithmic) {
    set logscale x 2
}
set xrange [x_low:x_high]
set xlabel x_label
set tmargin at screen 0.82
set bmargin at screen 0.24

pitch = 0.99 / panel_count
left(panel) = 0.085 + (panel - 1) * pitch
right(panel) = left(panel) + pitch - 0.1

do for [output = 1:output_count] {
    eval output_terminal(output)
    set output output_file(output)
    set multiplot
    set label 1 subtitle at screen 0.5,(subtitle_is_long ? 0.918 : 0.905) center font ',11' textcolor rgb '#404040'
    set label 2 caption at screen 0.015,0.052 left font ',9' textcolor rgb '#404040'
    set label 3 heading at screen 0.5,(subtitle_is_long ? 0.963 : 0.955) center font ',15' textcolor rgb '#000000'
    set border 3
    set tics nomirror out scale 0.6 textcolor rgb '#202020'
    eval ticks
    set xtics font ',9'
    set ytics nomirror autofreq
    unset key
    do for [panel = 1:panel_count] {
        set lmargin at screen left(panel)
        set rmargin at screen right(panel)
        set ylabel panel_unit[panel]
        set label 4 panel_title[panel] at graph 0.5,1.04 center font ',12'
        unset label 5
        if (!panel_measured[panel]) {
            set label 5 missing_text at graph 0.5,0.95 center font ',10' textcolor rgb '#404040'
        }
        set format y (panel_base[panel] == 10 ? '%.0s%c' : '%g')
        if (panel_base[panel]) {
            base = panel_base[panel]
            set logscale y base
            set yrange [panel_low[panel]:panel_high[panel]]
        } else {
            unset logscale y
            set yrange [0:panel_high[panel]]
        }
        first_block = (panel - 1) * series_count - 1
        scale = panel_scale[panel]
        plot for [i = 1:series_count] data index first_block + i \
                 using 1:($6 == 0 ? $2 / scale : NaN) with lines linewidth 1.4 \
                 linecolor rgb colour(series_level[i]), \
             for [i = 1:series_count] data index first_block + i \
                 using ($6 == 0 ? $1 : NaN):($3 / scale):($4 / scale) with filledcurves \
                 fillstyle transparent solid 0.18 noborder linecolor rgb colour(series_level[i]), \
             for [i = 1:series_count * automatic] data index first_block + i \
                 using ($6 == 1 ? $1 : NaN):($2 / scale):($3 / scale):($4 / scale) with yerrorbars \
                 pointtype 0 linewidth 1 linecolor rgb colour(series_level[i]), \
             for [i = 1:series_count * any_simulated] data index first_block + i \
                 using 1:($7 / scale) with points pointtype 1 pointsize 1.6 linewidth 1.4 \
                 linecolor rgb colour(series_level[i]), \
             for [i = 1:series_count] data index first_block + i \
                 using 1:($6 == 0 ? $2 / scale : NaN) with points \
                 pointtype marker(series_level[i]) pointsize 1.2 \
                 linecolor rgb colour(series_level[i]), \
             for [i = 1:series_count * automatic] data index first_block + i \
                 using 1:($6 == 1 ? $2 / scale : NaN) with points \
                 pointtype open_marker(series_level[i]) pointsize 1.8 \
                 linecolor rgb colour(series_level[i]), \
             for [i = 1:series_count * panel_measured[panel]] data index first_block + i \
                 using 1:($5 / scale) with points pointtype 2 \
                 pointsize 1.8 linewidth 1.6 linecolor rgb colour(series_level[i])
        do for [number = 1:3] {
            unset label number
        }
    }
    # The legend alone, over the whole width.
    unset label
    unset border
    unset xtics
    unset ytics
    unset xlabel
    unset ylabel
    unset logscale y
    set yrange [0:1]
    set lmargin at screen 0.06
    set rmargin at screen 0.94
    set key at screen 0.5,0.118 center center horizontal Left reverse samplen 2.2 font ',10.5'
    plot for [i = 1:series_count] NaN with linespoints pointtype marker(series_level[i]) \
             pointsize 1.4 linewidth 1.4 linecolor rgb colour(series_level[i]) \
             title level_label(series_level[i]), \
         NaN with linespoints pointtype 7 pointsize 1.2 linecolor rgb '#808080' title 'predicted', \
         for [i = 1:any_simulated] NaN with points pointtype 1 pointsize 1.6 linewidth 1.4 \
             linecolor rgb '#808080' title 'simulated', \
         for [i = 1:any_measured] NaN with points pointtype 2 pointsize 1.8 linewidth 1.6 \
             linecolor rgb '#808080' title 'measured', \
         for [i = 1:automatic] NaN with points pointtype 6 pointsize 1.8 \
             linecolor rgb '#808080' title 'auto block'
    set xlabel x_label
    unset multiplot
    unset output
}
