// SPDX-License-Identifier: Apache-2.0
#include "platform/platform.h"

#include <stdlib.h>

const char *hyp_platform_environment(const char *name)
{
    return getenv(name);
}
