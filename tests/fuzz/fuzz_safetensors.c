// SPDX-License-Identifier: Apache-2.0
// fuzz_safetensors.c - the reader of safetensors, and that of the graph in a streaming file.
#include "fuzz/fuzz.h"
#include "fuzz/fuzz_model.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, MOST_BYTES = 128 * 1024, FIXED_BYTES = 4096 };

const char *const fuzz_file_ending = ".safetensors";

static void open_weights(const uint8_t *bytes, size_t count)
{
    const char *path = fuzz_put_file(bytes, count);
    const size_t before_bytes = fuzz_memory_bytes();
    fuzz_reset_peak();
    HyperionWeightsFile *file = hyperionOpenWeights(path);
    const size_t peak_bytes = fuzz_peak_bytes() - before_bytes;
    if (peak_bytes > 4 * count + FIXED_BYTES)
        fuzz_give_up("the header took this many bytes too many", peak_bytes - 4 * count);
    if (!file && !hyperionGetLastError()[0])
        fuzz_give_up("refused without a message", 0);
    uint64_t end = 0;
    for (int i = 0; file && i < hyperionWeightsTensorCount(file); i++) {
        const HyperionStoredTensor tensor = hyperionWeightsTensor(file, i);
        if (tensor.file_offset < end || tensor.size_bytes > count - tensor.file_offset ||
            strlen(tensor.name) > tensor.name_bytes)
            fuzz_give_up("a tensor that cannot be", (size_t)i);
        end = tensor.file_offset + tensor.size_bytes;
    }
    hyperionCloseWeights(file);
    if (fuzz_memory_bytes() > before_bytes)
        fuzz_give_up("bytes were left", fuzz_memory_bytes() - before_bytes);
}

// The largest number that ends data_offsets of a tensor; 0: there is none.
static size_t find_end(const char *header)
{
    static const char key[] = "\"data_offsets\":[";
    size_t end = 0;
    for (const char *at = strstr(header, key); at; at = strstr(at + 1, key)) {
        char *comma = NULL;
        (void)strtoull(at + sizeof key - 1, &comma, 10);
        const size_t number = *comma == ',' ? (size_t)strtoull(comma + 1, NULL, 10) : 0;
        end = number > end ? number : end;
    }
    return end;
}

// Most changes of a header make its length, or that of the data, wrong, and nothing else is seen:
// the bytes with both made right. Returns their number; 0: not to be mended.
static size_t mend(const uint8_t *bytes, size_t count, char *mended)
{
    size_t header_bytes = count;
    if (count < LENGTH_BYTES || count > MOST_BYTES / 2)
        return 0;
    memset(mended, 0, MOST_BYTES);
    memcpy(mended, bytes, count);
    while (header_bytes > LENGTH_BYTES && mended[header_bytes - 1] != '}')
        header_bytes--;
    header_bytes -= LENGTH_BYTES;
    for (int i = 0; i < LENGTH_BYTES; i++)
        mended[i] = (char)((uint64_t)header_bytes >> 8 * i);
    const char first_data = mended[LENGTH_BYTES + header_bytes];
    mended[LENGTH_BYTES + header_bytes] = 0;
    const size_t data_bytes = find_end(mended + LENGTH_BYTES);
    mended[LENGTH_BYTES + header_bytes] = first_data;
    return data_bytes < MOST_BYTES / 2 ? LENGTH_BYTES + header_bytes + data_bytes : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
    static char mended[MOST_BYTES];
    const HyperionLoadOptions options = {0};
    open_weights(bytes, count);
    fuzz_load_model(bytes, count, &options);
    const size_t mended_count = mend(bytes, count, mended);
    if (mended_count > 0) {
        open_weights((const uint8_t *)mended, mended_count);
        fuzz_load_model((const uint8_t *)mended, mended_count, &options);
    }
    return 0;
}
