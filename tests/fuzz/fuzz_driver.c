// SPDX-License-Identifier: Apache-2.0
// fuzz_driver.c - replays files on a fuzz target, then mutations of them.
//   PROGRAM [--mutations N] [--seed S] [--keep FILE] FILE-OR-FOLDER...
// Folders are searched for files the target reads. The input at hand is in FILE, if one is named,
// so that one that does harm can be replayed. 77 where no file was found.
#define _XOPEN_SOURCE 700
#include "fuzz/fuzz.h"

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Larger files are replayed but not mutated whole: their weights are left to themselves.
enum { MOST_SEEDS = 2048, MOST_BYTES = 64 * 1024, SLOW_SECONDS = 10 };

typedef struct Seed {
    uint8_t *bytes;
    size_t count;
} Seed;

static Seed seeds[MOST_SEEDS];
static size_t seed_count;
static const char *keep_path;
static uint64_t random_state = 1;

// SplitMix64 (Steele, Lea and Flood 2014).
static uint64_t draw(uint64_t limit)
{
    uint64_t z = random_state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return limit ? (z ^ z >> 31) % limit : 0;
}

static int add_file(const char *path, const struct stat *facts, int type, struct FTW *place)
{
    (void)place;
    const size_t length = strlen(path);
    const size_t ending = strlen(fuzz_file_ending);
    if (type != FTW_F || length < ending || strcmp(path + length - ending, fuzz_file_ending) != 0 ||
        seed_count == MOST_SEEDS)
        return 0;
    FILE *file = fopen(path, "rb");
    Seed *seed = &seeds[seed_count];
    seed->count = (size_t)facts->st_size;
    seed->bytes = malloc(seed->count + 1);
    if (file && seed->bytes && fread(seed->bytes, 1, seed->count, file) == seed->count)
        seed_count++;
    if (file)
        (void)fclose(file);
    return 0;
}

// One change of `*count` bytes, which stay at most MOST_BYTES.
static void mutate(uint8_t *bytes, size_t *count)
{
    static const uint8_t telling[] = {0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x12, 0x2a};
    const size_t place = (size_t)draw(*count);
    const size_t length = (size_t)draw(16) + 1;
    if (*count < 2 * length)
        return;
    const size_t from = (size_t)draw(*count - length);
    switch (draw(6)) {
    case 0: bytes[place] ^= (uint8_t)(1U << draw(8)); break;
    case 1: bytes[place] = (uint8_t)draw(256); break;
    case 2: bytes[place] = telling[draw(sizeof telling)]; break;
    case 3: // take bytes out
        memmove(bytes + from, bytes + from + length, *count - from - length);
        *count -= length;
        break;
    case 4: // repeat bytes
        if (*count + length > MOST_BYTES)
            return;
        memmove(bytes + from + length, bytes + from, *count - from);
        *count += length;
        break;
    default: // copy bytes over others
        memmove(bytes + draw(*count - length), bytes + from, length);
    }
}

static void run_input(const uint8_t *bytes, size_t count, const char *what, size_t number)
{
    FILE *file = keep_path ? fopen(keep_path, "wb") : NULL;
    if (file) {
        (void)fwrite(bytes, 1, count, file);
        (void)fclose(file);
    }
    const time_t begin = time(NULL);
    (void)LLVMFuzzerTestOneInput(bytes, count);
    if (time(NULL) - begin > SLOW_SECONDS) {
        (void)fprintf(stderr, "fuzz: %s %zu took more than %d s\n", what, number, SLOW_SECONDS);
        abort();
    }
}

// One to eight changes to a file; of a large one the beginning and the end, where the structure is.
static void run_mutation(size_t number)
{
    static uint8_t bytes[MOST_BYTES];
    const Seed *seed = &seeds[draw(seed_count)];
    size_t count = seed->count;
    if (count > MOST_BYTES / 2) {
        count = MOST_BYTES / 2;
        memcpy(bytes, seed->bytes, count / 2);
        memcpy(bytes + count / 2, seed->bytes + seed->count - count / 2, count / 2);
    } else {
        memcpy(bytes, seed->bytes, count);
    }
    for (uint64_t changes = draw(8) + 1; changes > 0; changes--)
        mutate(bytes, &count);
    run_input(bytes, count, "mutation", number);
}

int main(int argument_count, char **arguments)
{
    size_t mutation_count = 0;
    for (int i = 1; i < argument_count; i++) {
        const bool has_value = i + 1 < argument_count;
        if (has_value && strcmp(arguments[i], "--mutations") == 0)
            mutation_count = strtoull(arguments[++i], NULL, 10);
        else if (has_value && strcmp(arguments[i], "--seed") == 0)
            random_state = strtoull(arguments[++i], NULL, 10);
        else if (has_value && strcmp(arguments[i], "--keep") == 0)
            keep_path = arguments[++i];
        else
            (void)nftw(arguments[i], add_file, 16, FTW_PHYS);
    }
    if (seed_count == 0) {
        printf("skipped: no file ending in %s\n", fuzz_file_ending);
        return 77;
    }
    printf("%zu files, %zu mutations, seed %llu\n", seed_count, mutation_count,
           (unsigned long long)random_state);
    (void)fflush(stdout);
    for (size_t i = 0; i < seed_count; i++)
        run_input(seeds[i].bytes, seeds[i].count, "file", i);
    for (size_t i = 0; i < mutation_count; i++)
        run_mutation(i);
    return 0;
}
