// SPDX-License-Identifier: Apache-2.0
// test_streaming_malformed.c - graphs of streaming files that contradict themselves, the weights or
// the library are refused, and the reason is said.
#define _POSIX_C_SOURCE 200809L
#include "common/json_writer.h"
#include "hyperion/hyperion.h"

#include "onnx_writer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/hyperion-test-graph-XXXXXX";

#define MEMBERS(version, inputs, layers, outputs, runs)                                            \
    "\"version\":" version ",\"name\":\"m\",\"inputs\":" inputs ",\"layers\":" layers              \
    ",\"outputs\":" outputs ",\"runs\":" runs
#define GRAPH(...) "{" MEMBERS(__VA_ARGS__) "}"
#define X "[{\"name\":\"x\",\"type\":\"f32\",\"dims\":[2,3]}]"
#define LAYER(op, inputs, dims, attributes)                                                        \
    "[{\"name\":\"y\",\"op\":\"" op "\",\"inputs\":" inputs                                        \
    ",\"result\":{\"name\":\"y\",\"type\":\"f32\",\"dims\":" dims "},\"attributes\":" attributes   \
    "}]"
#define Y LAYER("gemm", "[\"x\",\"w\"]", "[2,2]", "{\"activation\":\"relu\"}")
#define RUN(layer, offsets, more) "[{\"layer\":" layer ",\"data_offsets\":" offsets more "}]"
#define GOOD GRAPH("1", X, Y, "[\"y\"]", RUN("0", "[0,24]", ""))

// A file of weight w[3 x 2] of that type and that graph; without the graph where it is NULL.
static void write_model(const char *graph, const char *type, const char *name)
{
    char bytes[8192] = {0};
    HypJsonWriter text = {0};
    if (graph)
        hyp_json_put_text(&text, graph);
    const int header_bytes =
        snprintf(bytes + 8, sizeof bytes - 8,
                 "{\"__metadata__\":{%s%.*s},\"%s\":{\"dtype\":\"%s\",\"shape\":[3,2],"
                 "\"data_offsets\":[0,24]}}",
                 graph ? "\"hyperion.graph\":" : "", (int)text.used_bytes,
                 text.text ? text.text : "", name, type);
    free(text.text);
    assert_true(header_bytes < (int)sizeof bytes - 40);
    bytes[0] = (char)header_bytes;
    bytes[1] = (char)(header_bytes >> 8);
    const float values[] = {0, 1, 2, 3, 4, 5};
    memcpy(bytes + 8 + header_bytes, values, sizeof values);
    assert_true(write_file(path, bytes, 8 + (size_t)header_bytes + 24));
}

static void expect_refusal(HyperionErrorKind kind, const char *reason)
{
    HyperionModel *model = hyperionLoadModel(path);
    if (model)
        fail_msg("loaded, expected '%s'", reason);
    if (!strstr(hyperionGetLastError(), reason) || !strstr(hyperionGetLastError(), path) ||
        hyperionGetLastErrorKind() != kind)
        fail_msg("expected '%s', given %d '%s'", reason, (int)hyperionGetLastErrorKind(),
                 hyperionGetLastError());
}

static void good_graph_loads_and_runs(void **state)
{
    (void)state;
    write_model(GOOD, "F32", "w");
    HyperionModel *model = hyperionLoadModel(path);
    if (!model)
        fail_msg("%s", hyperionGetLastError());
    HyperionTensor *x = hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){2, 3});
    HyperionTensor *y = hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){2, 2});
    ((float *)hyperionTensorData(x))[0] = 1.0F;
    assert_true(hyperionRunModel(model, &x, &y));
    assert_true(((const float *)hyperionTensorConstData(y))[1] == 1.0F);
    hyperionFreeTensor(x);
    hyperionFreeTensor(y);
    hyperionFreeModel(model);
    const HyperionLoadOptions options = {.dimension_count = 1};
    assert_null(hyperionLoadModelWith(path, &options));
    assert_int_equal(hyperionGetLastErrorKind(), HYPERION_ERROR_ARGUMENT);
}

static void wrong_graphs_are_refused_with_the_reason(void **state)
{
    (void)state;
    static const struct {
        const char *graph;
        const char *reason;
    } cases[] = {
        {"", "expected '{'"},
        {"{}", "no 'version'"},
        {"{\"version\":1,\"version\":1}", "a second member 'version'"},
        {"{\"colour\":1}", "unknown member 'colour'"},
        {GOOD "x", "the end of the JSON"},
        {GRAPH("1.5", X, Y, "[\"y\"]", "[]"), "whole number"},
        {GRAPH("1", "{}", Y, "[\"y\"]", "[]"), "expected '['"},
        {GRAPH("1", "[{\"name\":\"x\",\"type\":\"f32\"}]", Y, "[\"y\"]", "[]"), "no 'dims'"},
        {GRAPH("1", "[{\"name\":\"x\",\"type\":\"f33\",\"dims\":[]}]", Y, "[]", "[]"),
         "unknown type 'f33'"},
        {GRAPH("1", "[{\"name\":\"x\",\"type\":\"f32\",\"dims\":[-1]}]", Y, "[]", "[]"),
         "dimension 0 is -1"},
        {GRAPH("1", "[{\"name\":\"x\",\"type\":\"f32\",\"dims\":[1,1,1,1,1,1,1,1,1]}]", Y, "[]",
               "[]"),
         "more than 8 dimensions"},
        {GRAPH("1", "[{\"name\":\"w\",\"type\":\"f32\",\"dims\":[2,3]}]", Y, "[]", "[]"),
         "there is a tensor 'w' already"},
        {GRAPH("1", "[{\"name\":\"a\\u0000\",\"type\":\"f32\",\"dims\":[]}]", Y, "[]", "[]"),
         "a NUL in a name"},
        {GRAPH("1", X, LAYER("gemm", "[\"x\",\"v\"]", "[2,2]", "{}"), "[]", "[]"),
         "there is no tensor 'v'"},
        {GRAPH("1", X, LAYER("gemm", "[\"x\",\"y\"]", "[2,2]", "{}"), "[]", "[]"),
         "there is no tensor 'y'"},
        {GRAPH("1", X, LAYER("gemm", "[]", "[2,2]", "{}"), "[]", "[]"), "inputs, given 0"},
        {GRAPH("1", X, LAYER("gemm", "[\"x\",\"w\"]", "[2,3]", "{}"), "[]", "[]"),
         "a result of another shape"},
        {GRAPH("1", X, LAYER("gemm", "[\"x\",\"w\"]", "[2,2]", "{\"hue\":1}"), "[]", "[]"),
         "unknown attribute 'hue'"},
        {GRAPH("1", X, Y, "[\"z\"]", "[]"), "there is no tensor 'z'"},
        {GRAPH("1", X, Y, "[\"y\",\"y\"]", "[]"), "'y' is an output already"},
        {GRAPH("1", X, Y, "[\"y\"]", RUN("1", "[0,24]", "")), "a run of layer 1 of 1"},
        {GRAPH("1", X, Y, "[\"y\"]", RUN("0", "[0]", "")), "does not begin"},
        {GRAPH("1", X, Y, "[\"y\"]", RUN("0", "[0,24,24]", "")), "more than two"},
        {GRAPH("1", X, Y, "[\"y\"]", RUN("0", "[24,0]", "")), "does not begin"},
        {GRAPH("1", X, Y, "[\"y\"]", RUN("0", "[8,24]", "")), "does not begin"},
        {GRAPH("1", X, Y, "[\"y\"]", RUN("0", "[0,23]", "")), "whole weights"},
        {GRAPH("1", X, Y, "[\"y\"]", RUN("0", "[0,25]", "")), "whole weights"},
        {GRAPH("1", X, Y, "[\"y\"]", RUN("0", "[0,18446744073709551615]", "")), "does not begin"},
        {GRAPH("1", X, Y, "[\"y\"]", RUN("0", "[0,24]", ",\"checksum\":\"xxh3:12\"")),
         "expected a checksum"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        write_model(cases[i].graph, "F32", "w");
        expect_refusal(HYPERION_ERROR_FORMAT, cases[i].reason);
    }
}

static void what_this_version_lacks_is_said(void **state)
{
    (void)state;
    write_model(NULL, "F32", "w");
    expect_refusal(HYPERION_ERROR_UNSUPPORTED, "weights without a graph");
    write_model(GRAPH("2", X, Y, "[]", "[]"), "F32", "w");
    expect_refusal(HYPERION_ERROR_UNSUPPORTED, "a graph of version 2");
    write_model(GRAPH("1", X, LAYER("lstm", "[]", "[]", "{}"), "[]", "[]"), "F32", "w");
    expect_refusal(HYPERION_ERROR_UNSUPPORTED, "op 'lstm'");
    write_model(GOOD, "U32", "w");
    expect_refusal(HYPERION_ERROR_UNSUPPORTED, "of type U32");
    write_model(GOOD, "F32", "w\\u0000");
    expect_refusal(HYPERION_ERROR_FORMAT, "a NUL in its name");
}

static void wrong_checksum_fails_the_run(void **state)
{
    (void)state;
    write_model(
        GRAPH("1", X, Y, "[\"y\"]", RUN("0", "[0,24]", ",\"checksum\":\"xxh3:0123456789abcdef\"")),
        "F32", "w");
    HyperionModel *model = hyperionLoadModel(path);
    assert_non_null(model);
    HyperionTensor *x = hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){2, 3});
    HyperionTensor *y = hyperionCreateTensor(HYPERION_TYPE_F32, 2, (int64_t[]){2, 2});
    if (hyperionRunModel(model, &x, &y))
        print_message("skipped: built without xxhash\n");
    else
        assert_non_null(strstr(hyperionGetLastError(), "expected checksum 0123456789abcdef"));
    hyperionFreeTensor(x);
    hyperionFreeTensor(y);
    hyperionFreeModel(model);
}

int main(void)
{
    const int descriptor = mkstemp(path);
    if (descriptor < 0)
        return 1;
    (void)close(descriptor);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_graph_loads_and_runs),
        cmocka_unit_test(wrong_graphs_are_refused_with_the_reason),
        cmocka_unit_test(what_this_version_lacks_is_said),
        cmocka_unit_test(wrong_checksum_fails_the_run),
    };
    const int failed = cmocka_run_group_tests_name("streaming_malformed", tests, NULL, NULL);
    (void)unlink(path);
    return failed;
}
