// SPDX-License-Identifier: Apache-2.0
#define _POSIX_C_SOURCE 200809L

#include "report/figure_files.h"

#include "common/file.h"
#include "common/installation.h"
#include "report/figure_script.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { TEMPLATE_LIMIT_BYTES = 1 << 20, SUBTITLE_BYTES = 512 };

static char *read_template(const char *name, Problem *problem)
{
    char folder[PATH_MAX + 32];
    if (!installation_folder("plots", "common.gp", folder, sizeof folder)) {
        (void)problem_set(problem, "the plot templates (plots/common.gp) are not found above this "
                                   "program");
        return NULL;
    }
    char path[PATH_MAX + 128];
    (void)snprintf(path, sizeof path, "%s/%s.gp", folder, name);
    size_t size_bytes = 0;
    return file_read(path, TEMPLATE_LIMIT_BYTES, &size_bytes, problem);
}

static const char *find_text(const json_t *machine, const char *group, const char *name)
{
    const char *text = json_string_value(json_object_get(json_object_get(machine, group), name));
    return text ? text : "";
}

// "m = n = k = 512 · AMD EPYC (virtual: kvm) · plan 0123456789abcdef"
static void write_subtitle(const Figure *figure, char *text, size_t text_bytes)
{
    char fixed[SUBTITLE_BYTES / 2];
    figure_describe_fixed(figure, fixed, sizeof fixed);
    const char *cpu = find_text(figure->run->machine, "cpu", "model_name");
    const char *hypervisor = find_text(figure->run->machine, "virtualisation", "hypervisor");
    (void)snprintf(text, text_bytes, "%s%s%.80s%s%.24s%s%splan %s", fixed, fixed[0] ? " · " : "",
                   cpu, hypervisor[0] ? " (virtual: " : "", hypervisor, hypervisor[0] ? ")" : "",
                   cpu[0] || hypervisor[0] ? " · " : "", figure->run->plan->hash);
}

static void write_definitions(const Figure *figure, FILE *script)
{
    (void)fprintf(script,
                  "# Written by `hyperion plot`. Run `gnuplot %s.gp` in this folder: it writes\n"
                  "# %s.svg and %s.png from %s.dat.\n\n",
                  figure->name, figure->name, figure->name, figure->name);
    char data[FIGURE_NAME_BYTES + 8];
    (void)snprintf(data, sizeof data, "%s.dat", figure->name);
    char subtitle[SUBTITLE_BYTES];
    write_subtitle(figure, subtitle, sizeof subtitle);
    script_text(script, "name", figure->name);
    script_text(script, "data", data);
    script_text(script, "heading", figure->title);
    script_text(script, "subtitle", subtitle);
    figure->kind->define(figure, script);
    if (figure->left_out > 0)
        (void)fprintf(script,
                      "caption = caption . ' Left out: %zu cell%s that failed or %s no value.'\n",
                      figure->left_out, figure->left_out == 1 ? "" : "s",
                      figure->left_out == 1 ? "has" : "have");
}

static FILE *create_file(const char *directory, const char *name, const char *ending, char *path,
                         size_t path_bytes, Problem *problem)
{
    (void)snprintf(path, path_bytes, "%s/%s.%s", directory, name, ending);
    FILE *file = fopen(path, "w");
    if (!file)
        (void)problem_set(problem, "create %s: %s", path, strerror(errno));
    return file;
}

static bool close_file(FILE *file, const char *path, Problem *problem)
{
    const bool failed = ferror(file) != 0;
    if (fclose(file) != 0 || failed)
        return problem_set(problem, "write %s: %s", path, strerror(errno));
    return true;
}

static bool write_data(const Figure *figure, const char *directory, Problem *problem)
{
    char path[PATH_MAX];
    FILE *data = create_file(directory, figure->name, "dat", path, sizeof path, problem);
    if (!data)
        return false;
    figure->kind->tabulate(figure, data);
    return close_file(data, path, problem);
}

static bool write_script(const Figure *figure, const char *directory, const char *common,
                         const char *template, Problem *problem)
{
    char path[PATH_MAX];
    FILE *script = create_file(directory, figure->name, "gp", path, sizeof path, problem);
    if (!script)
        return false;
    write_definitions(figure, script);
    (void)fprintf(script, "\n%s\n%s", common, template);
    return close_file(script, path, problem);
}

bool figure_write(const Figure *figure, const char *directory, Problem *problem)
{
    char *common = read_template("common", problem);
    char *template = common ? read_template(figure->kind->template_name, problem) : NULL;
    const bool written = template && write_data(figure, directory, problem) &&
                         write_script(figure, directory, common, template, problem);
    free(common);
    free(template);
    return written;
}
