// SPDX-License-Identifier: Apache-2.0
#include "model/tensor_places.h"

#include "model/run_plan.h"

// A view is needed for as long as what it is a view of: the root stands for both.
static void note_step(const HyperionModel *model, int tensor, int step,
                      HyperionProfilePlace *places)
{
    HyperionProfilePlace *place = &places[hyp_model_root(model, tensor)];
    if (place->first_step < 0)
        place->first_step = step;
    place->last_step = step;
}

void hyp_tensor_places_find(const HyperionModel *model, const HypRunPlan *plan,
                            HyperionProfilePlace *places)
{
    for (int i = 0; i < model->tensor_count; i++)
        places[i] = (HyperionProfilePlace){.first_step = -1, .last_step = -1};
    for (int step = 0; step < plan->step_count; step++) {
        const HypLayer *layer = &model->layers[plan->steps[step]];
        for (int i = 0; i < layer->input_count; i++)
            note_step(model, layer->inputs[i], step, places);
        for (int i = 0; i < layer->output_count; i++)
            note_step(model, layer->outputs[i], step, places);
    }
    for (int i = 0; i < model->tensor_count; i++) {
        if (plan->offsets[i] == SIZE_MAX)
            places[i] = (HyperionProfilePlace){.first_step = -1, .last_step = -1};
        else
            places[i].placed = true;
        places[i].offset_bytes = places[i].placed ? plan->offsets[i] : 0;
        places[i].size_bytes = places[i].placed ? hyp_run_plan_tensor_bytes(model, plan, i) : 0;
        places[i].valid = true;
    }
}
