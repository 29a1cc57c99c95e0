// SPDX-License-Identifier: Apache-2.0
// fuzz_model.h - any file given to hyperionLoadModel is refused with a message or becomes a model;
// what it says must not make the reader hold more than four times its bytes, and the model may be
// run.
#ifndef HYP_TEST_FUZZ_MODEL_H
#define HYP_TEST_FUZZ_MODEL_H

#include "hyperion/hyperion.h"

void fuzz_load_model(const uint8_t *bytes, size_t count, const HyperionLoadOptions *options);

// Says what is wrong and ends the program.
void fuzz_give_up(const char *what, size_t number);

#endif
