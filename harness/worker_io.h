// SPDX-License-Identifier: Apache-2.0
// worker_io.h - what the worker programs have in common: one request, one answer.
#ifndef HYP_WORKER_IO_H
#define HYP_WORKER_IO_H

#include "run/protocol.h"

// Reads the request from standard input, lets `answer` fill the outcome and writes it to
// PROTOCOL_ANSWER_DESCRIPTOR; a problem becomes an outcome with that reason. Returns the exit
// status.
int worker_answer(bool (*answer)(const WorkerRequest *request, Sample *outcome, Problem *problem));

#endif
