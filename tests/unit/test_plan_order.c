// SPDX-License-Identifier: Apache-2.0
// test_plan_order.c - orders of least peak: held against trying every order on small graphs, and
// known optima.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/json_file.h"
#include "hyperion/error.h"
#include "hyperion/planners.h"
#include "solve/order_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, MOST_EDGES = 400 };

static const HyperionOrderRequest plain = {.most_states = 1000000};
static const HyperionOrderRequest in_place = {.in_place = true, .most_states = 1000000};

typedef struct Instance {
    HyperionOrderNode nodes[MOST];
    HyperionOrderEdge edges[MOST_EDGES];
    HyperionOrderGraph graph;
} Instance;

static uint64_t state_of_random = 1;

static int random_below(int end)
{
    state_of_random = state_of_random * 6364136223846793005U + 1442695040888963407U;
    return (int)((state_of_random >> 33) % (uint64_t)end);
}

// Numbers do not tell the order: edges follow a hidden one.
static void make_instance(Instance *instance, int count, int edge_count)
{
    int hidden[MOST];
    for (int i = 0; i < count; i++) {
        const int other = random_below(i + 1);
        hidden[i] = hidden[other];
        hidden[other] = i;
        instance->nodes[i] = (HyperionOrderNode){(size_t)random_below(10), random_below(2) == 1};
    }
    for (int i = 0; i < edge_count; i++) {
        const int to = 1 + random_below(count - 1);
        instance->edges[i] = (HyperionOrderEdge){hidden[random_below(to)], hidden[to]};
    }
    instance->graph = (HyperionOrderGraph){instance->nodes, instance->edges, count, edge_count};
}

static bool can_run(const HyperionOrderGraph *graph, unsigned done, int node)
{
    for (int i = 0; i < graph->edge_count; i++)
        if (graph->edges[i].to == node && !(done >> graph->edges[i].from & 1))
            return false;
    return !(done >> node & 1);
}

static size_t try_all(const HyperionOrderGraph *graph, bool reuse, int *order, int length,
                      unsigned done)
{
    if (length == graph->node_count)
        return hyperionOrderPeak(graph, order, reuse);
    size_t least = SIZE_MAX;
    for (int node = 0; node < graph->node_count; node++) {
        if (!can_run(graph, done, node))
            continue;
        order[length] = node;
        const size_t peak = try_all(graph, reuse, order, length + 1, done | 1U << node);
        least = peak < least ? peak : least;
    }
    return least;
}

static void small_graphs_get_the_least_peak_of_all_orders(void **state)
{
    (void)state;
    for (int round = 0; round < 300; round++) {
        Instance instance;
        int order[MOST];
        int scratch[MOST];
        make_instance(&instance, 7, 3 + random_below(12));
        for (int reuse = 0; reuse < 2; reuse++) {
            const HyperionOrderPlan plan =
                hyperionPlanOrder(&instance.graph, reuse ? &in_place : &plain, order);
            assert_true(plan.valid);
            assert_int_equal(plan.status, HYPERION_PLAN_OPTIMAL);
            assert_int_equal(plan.peak_bytes, plan.lower_bound_bytes);
            assert_int_equal(plan.peak_bytes, try_all(&instance.graph, reuse == 1, scratch, 0, 0));
            assert_int_equal(plan.peak_bytes, hyperionOrderPeak(&instance.graph, order, reuse));
        }
    }
}

static void past_its_limit_the_search_is_no_worse_than_heuristics_and_says_so(void **state)
{
    (void)state;
    int unproved = 0;
    for (int round = 0; round < 60; round++) {
        Instance instance;
        int order[MOST];
        make_instance(&instance, 40, 50);
        const HyperionOrderRequest none = {.most_states = 0};
        const HyperionOrderRequest few = {.most_states = 60};
        const HyperionOrderPlan greedy = hyperionPlanOrder(&instance.graph, &none, order);
        const HyperionOrderPlan plan = hyperionPlanOrder(&instance.graph, &few, order);
        assert_true(greedy.valid && plan.valid);
        assert_true(plan.peak_bytes <= greedy.peak_bytes);
        assert_true(plan.lower_bound_bytes <= plan.peak_bytes);
        assert_int_equal(plan.peak_bytes, hyperionOrderPeak(&instance.graph, order, false));
        assert_int_equal(plan.status == HYPERION_PLAN_OPTIMAL,
                         plan.peak_bytes == plan.lower_bound_bytes);
        unproved += plan.status == HYPERION_PLAN_FEASIBLE;
    }
    assert_true(unproved > 0);
}

static void a_result_in_place_of_a_larger_input_needs_nothing_of_its_own(void **state)
{
    (void)state;
    const HyperionOrderNode nodes[] = {{10, false}, {6, true}, {1, false}};
    const HyperionOrderEdge edges[] = {{0, 1}, {1, 2}, {0, 1}};
    const HyperionOrderGraph graph = {nodes, edges, 3, 3};
    int order[3] = {-1, -1, -1};
    assert_int_equal(hyperionPlanOrder(&graph, &plain, order).peak_bytes, 16);
    assert_int_equal(hyperionPlanOrder(&graph, &in_place, order).peak_bytes, 10);
    assert_int_equal(order[2], 2);
}

static void graphs_without_an_order_are_refused(void **state)
{
    (void)state;
    const HyperionOrderNode nodes[] = {{1, false}, {SIZE_MAX, false}, {1, false}};
    const HyperionOrderEdge cycle[] = {{0, 2}, {2, 0}};
    const HyperionOrderEdge loop[] = {{0, 0}};
    const HyperionOrderEdge outside[] = {{0, 3}};
    const HyperionOrderNode small[] = {{1, false}, {1, false}, {1, false}};
    const struct {
        HyperionOrderGraph graph;
        const char *message;
    } cases[] = {
        {{small, cycle, 3, 2}, "cycle"},      {{small, loop, 3, 1}, "cycle"},
        {{small, outside, 3, 1}, "expected"}, {{nodes, NULL, 3, 0}, "address space"},
        {{NULL, NULL, 3, 0}, "NULL"},         {{small, NULL, -1, 0}, "-1 nodes"},
    };
    int order[3] = {7, 7, 7};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(hyperionPlanOrder(&cases[i].graph, &plain, order).valid);
        assert_non_null(strstr(hyperionGetLastError(), cases[i].message));
        assert_int_equal(order[0], 7);
    }
    const HyperionOrderGraph good = {small, NULL, 3, 0};
    assert_false(hyperionPlanOrder(NULL, &plain, order).valid);
    assert_false(hyperionPlanOrder(&good, NULL, order).valid);
    assert_false(hyperionPlanOrder(&good, &plain, NULL).valid);
}

static void the_peak_is_told_of_orders_of_the_graph_alone(void **state)
{
    (void)state;
    const HyperionOrderNode nodes[] = {{4, false}, {2, false}};
    const HyperionOrderEdge edge[] = {{0, 1}};
    const HyperionOrderGraph graph = {nodes, edge, 2, 1};
    assert_int_equal(hyperionOrderPeak(&graph, (int[]){0, 1}, false), 6);
    assert_int_equal(hyperionOrderPeak(&graph, (int[]){1, 0}, false), SIZE_MAX);
    assert_int_equal(hyperionOrderPeak(&graph, (int[]){0, 0}, false), SIZE_MAX);
    assert_int_equal(hyperionOrderPeak(&graph, (int[]){0, 2}, false), SIZE_MAX);
    assert_int_equal(hyperionOrderPeak(&graph, NULL, false), SIZE_MAX);
}

static void an_empty_graph_needs_nothing(void **state)
{
    (void)state;
    const HyperionOrderGraph graph = {0};
    int order[1] = {7};
    const HyperionOrderPlan plan = hyperionPlanOrder(&graph, &plain, order);
    assert_true(plan.valid && plan.status == HYPERION_PLAN_OPTIMAL && plan.peak_bytes == 0);
}

static const char *const known[] = {
    "amoebanet_cells1", "darts_cells1",     "nasnet_cells1", "random_00",
    "random_01",        "random_02",        "random_03",     "random_04",
    "random_05",        "random_06",        "random_07",     "randwire_ws16_expanded_s0",
    "randwire_ws32_s0", "randwire_ws32_s1", "tree_0",
};

static void check_known(const char *path)
{
    Problem problem = {0};
    OrderFile file;
    json_t *answers = json_file_read(path, &problem);
    int order[MOST];
    assert_true(order_file_read(&file, path, &problem));
    assert_true(file.node_count <= MOST);
    const HyperionOrderGraph graph = {file.nodes, file.edges, file.node_count, file.edge_count};
    for (int reuse = 0; reuse < 2; reuse++) {
        const json_t *answer = json_object_get(answers, reuse ? "inplace" : "plain");
        const HyperionOrderPlan plan = hyperionPlanOrder(&graph, reuse ? &in_place : &plain, order);
        assert_int_equal(plan.status, HYPERION_PLAN_OPTIMAL);
        assert_int_equal(plan.peak_bytes,
                         json_integer_value(json_object_get(answer, "optimal_peak")));
        assert_int_equal(plan.peak_bytes, hyperionOrderPeak(&graph, order, reuse));
        assert_true(plan.states < 20000);
    }
    order_file_clear(&file);
    json_decref(answers);
}

static void known_graphs_get_their_optimum(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        char path[1024];
        (void)snprintf(path, sizeof path, "%s/../shared/data/order/%s.json", HYPERION_SOURCE_DIR,
                       known[i]);
        FILE *file = fopen(path, "r");
        if (!file) {
            print_message("no %s\n", path);
            skip();
        }
        (void)fclose(file);
        check_known(path);
    }
}

static void malformed_files_are_refused_with_the_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"[]", "expected an object"},
        {"{\"nodes\": 3, \"edges\": []}", "nodes: expected an array"},
        {"{\"nodes\": []}", "edges: expected an array"},
        {"{\"nodes\": [4], \"edges\": []}", "nodes[0]"},
        {"{\"nodes\": [{\"id\": 1}], \"edges\": []}", "bytes"},
        {"{\"nodes\": [{\"id\": 1, \"bytes\": -1}], \"edges\": []}", "bytes"},
        {"{\"nodes\": [{\"id\": 1, \"bytes\": 1, \"inplace\": 2}], \"edges\": []}", "inplace"},
        {"{\"nodes\": [{\"id\": 1, \"bytes\": 1}, {\"id\": 1, \"bytes\": 1}], \"edges\": []}",
         "twice"},
        {"{\"nodes\": [{\"id\": 1, \"bytes\": 1}], \"edges\": [[1, 2]]}", "edges[0]"},
        {"{\"nodes\": [{\"id\": 1, \"bytes\": 1}], \"edges\": [[1]]}", "edges[0]"},
    };
    const char *path = HYPERION_BINARY_DIR "/test_plan_order.json";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        FILE *out = fopen(path, "w");
        assert_non_null(out);
        (void)fputs(cases[i].text, out);
        (void)fclose(out);
        Problem problem = {0};
        OrderFile file;
        assert_false(order_file_read(&file, path, &problem));
        assert_non_null(strstr(problem.text, cases[i].message));
        order_file_clear(&file);
    }
    (void)remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_graphs_get_the_least_peak_of_all_orders),
        cmocka_unit_test(past_its_limit_the_search_is_no_worse_than_heuristics_and_says_so),
        cmocka_unit_test(a_result_in_place_of_a_larger_input_needs_nothing_of_its_own),
        cmocka_unit_test(graphs_without_an_order_are_refused),
        cmocka_unit_test(the_peak_is_told_of_orders_of_the_graph_alone),
        cmocka_unit_test(an_empty_graph_needs_nothing),
        cmocka_unit_test(known_graphs_get_their_optimum),
        cmocka_unit_test(malformed_files_are_refused_with_the_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
