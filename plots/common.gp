# SPDX-License-Identifier: Apache-2.0
# common.gp - what all figures share: palette, markers, the two outputs. `hyperion plot` puts it, and
# after it the template of the figure, behind the definitions of one figure, so that every .gp of a
# run stands alone. Needs gnuplot 5.2 or newer.

set encoding utf8

# Okabe and Ito's palette, distinct for the common kinds of colour blindness; markers differ as well.
colour(level) = level eq 'scalar' ? '#000000' : level eq 'sse41' ? '#E69F00' : \
                level eq 'avx2' ? '#0072B2' : level eq 'avx512' ? '#D55E00' : \
                level eq 'neon' ? '#CC79A7' : '#009E73'
# Filled circle, square, triangle, diamond, inverted triangle, pentagon; the open one is one less.
marker(level) = level eq 'scalar' ? 7 : level eq 'sse41' ? 5 : level eq 'avx2' ? 9 : \
                level eq 'avx512' ? 13 : level eq 'neon' ? 11 : 15
open_marker(level) = marker(level) - 1
level_label(level) = level eq 'scalar' ? 'scalar' : level eq 'sse41' ? 'SSE4.1' : \
                     level eq 'avx2' ? 'AVX2' : level eq 'avx512' ? 'AVX-512' : \
                     level eq 'neon' ? 'NEON' : level

# One layout at two scales: 1000 x 640 units (a figure can be wider), drawn as SVG with real text and
# as PNG 1.6 times that.
output_count = 2
if (!exists('width')) {
    width = 1000
}
output_file(output) = name . (output == 1 ? '.svg' : '.png')
output_terminal(output) = output == 1 ? \
    sprintf("set terminal svg noenhanced size %d,640", width) . \
        " dynamic background rgb 'white' " . \
        "font 'DejaVu Sans,Arial,sans-serif' fontscale 1.0 linewidth 1.6 dashlength 0.7" : \
    sprintf("set terminal pngcairo noenhanced size %d,1024", 1.6 * width) . \
        " background rgb 'white' " . \
        "font 'DejaVu Sans,12' fontscale 1.45 linewidth 2.2 dashlength 0.7"

set datafile missing '?'
set border 3 linewidth 0.8 linecolor rgb '#404040'
set tics nomirror out scale 0.6 textcolor rgb '#202020'
set grid xtics ytics linetype 1 linewidth 0.4 linecolor rgb '#d8d8d8'
set bars 0.6
# A long subtitle has two lines.
subtitle_is_long = strstrt(subtitle, "\n") > 0
set title heading offset 0,(subtitle_is_long ? 1.9 : 1.1) font ',15' textcolor rgb '#000000'
set label 1 subtitle at graph 0.5,(subtitle_is_long ? 1.075 : 1.045) center font ',11' \
    textcolor rgb '#404040'
set label 2 caption at screen 0.015,0.052 left font ',9' textcolor rgb '#404040'
set key at screen 0.5,0.118 center center horizontal Left reverse samplen 2.2 spacing 1.15 \
    font ',10.5'
set lmargin 10
set tmargin (subtitle_is_long ? 5.3 : 4.5)
