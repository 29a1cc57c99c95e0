// SPDX-License-Identifier: Apache-2.0
#include "model/zoo.h"

#include <math.h>

#define PARAMETERS(P)                                                                              \
    P(BATCH, batch, 1, 1, 65536)                                                                   \
    P(INPUT, input, 784, 1, 65536)                                                                 \
    P(HIDDEN, hidden, 512, 1, 65536)                                                               \
    P(OUTPUT, output, 10, 1, 65536)                                                                \
    P(LAYERS, layers, 3, 1, 1024)                                                                  \
    P(SEED, seed, 1, 0, 4294967295)

enum { PARAMETERS(HYP_ZOO_INDEX) PARAMETER_COUNT };
static const HypZooParameter parameters[] = {PARAMETERS(HYP_ZOO_ROW)};

static bool build(HypZooSketch *sketch, const int64_t *values)
{
    int x = hyperionAddInput(sketch->model, "x", HYPERION_TYPE_F32, 2,
                             (int64_t[]){values[BATCH], values[INPUT]});
    const HypZooGemm hidden = {
        .columns = values[HIDDEN], .activation = HYPERION_ACTIVATION_RELU, .gain = sqrtf(2.0F)};
    for (int i = 0; i < (int)values[LAYERS] - 1 && x >= 0; i++) {
        HypZooName name;
        x = hyp_zoo_gemm(sketch, hyp_zoo_name(&name, "fc%d", i), x, &hidden);
    }
    x = hyp_zoo_gemm(sketch, "head", x, &(HypZooGemm){.columns = values[OUTPUT]});
    return x >= 0 && hyperionAddOutput(sketch->model, x);
}

const HypZooGenerator hyp_zoo_mlp = {
    .name = "mlp",
    .help = "matrix products with relu between them:" PARAMETERS(HYP_ZOO_HELP),
    .parameters = parameters,
    .parameter_count = PARAMETER_COUNT,
    .build = build,
};
