// SPDX-License-Identifier: Apache-2.0
#include "loader/layer_reader.h"

#include "common/checksum.h"
#include "common/fail.h"
#include "loader/part_values.h"
#include "loader/read_access.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

// Layers that may be begun and not ended: small ones fill the queue together.
enum { MOST_LOADS = 16 };

static const uint64_t patience_ns = 1000000000;

typedef struct LayerLoad {
    int layer;
    const HyperionModel *model;
    const HypLayerSource *source;
    char *block;
    int asked_part;     // the part that is asked for,
    size_t asked_bytes; // and how much of the pages that hold it has been
    int reads;          // under way
    int part;           // that comes
    HypPartValues values;
    size_t done_bytes; // of all parts
    uint64_t begin_ns;
    HyperionErrorKind error_kind; // HYPERION_ERROR_NONE: none
    char error[HYP_LAYER_ERROR_BYTES];
} LayerLoad;

struct HypLayerReader {
    HypReadQueue *queue;
    HypReadAccess access;
    HyperionLoaderIO in_force;
    uint64_t last_end_ns; // of a load
    int first, count;     // of `loads` under way: `count` from `first` on, and round
    LayerLoad loads[MOST_LOADS];
};

// io_uring costs less where reads wait for the disk. Those that the page cache answers are copied
// by whoever asks: there threads share the work.
static bool open_queue(HypLayerReader *reader, HyperionLoaderBackend wanted)
{
    HyperionLoaderIO *in_force = &reader->in_force;
    const bool is_direct = in_force->mode == HYPERION_LOADER_MODE_DIRECT;
    const bool is_auto = wanted == HYPERION_LOADER_BACKEND_AUTO;
    const char *reason = "";
    if (wanted == HYPERION_LOADER_BACKEND_URING || (is_auto && is_direct)) {
        reader->queue = hyp_platform_open_read_queue(HYP_READ_URING, in_force->queue_depth);
        in_force->backend = HYPERION_LOADER_BACKEND_URING;
        reason = is_auto ? "auto: direct reads wait for the disk" : "";
        if (!reader->queue)
            reason = hyperionGetLastError();
    } else if (is_auto) {
        reason = "auto: what the page cache holds is copied by several threads";
    }
    (void)snprintf(in_force->backend_reason, sizeof in_force->backend_reason, "%s", reason);
    if (reader->queue)
        return true;
    in_force->backend = HYPERION_LOADER_BACKEND_THREADS;
    reader->queue = hyp_platform_open_read_queue(HYP_READ_THREADS, in_force->queue_depth);
    return reader->queue != NULL;
}

HypLayerReader *hyp_layer_reader_create(const HyperionLoaderIOConfig *config)
{
    HypLayerReader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return hyp_fail_null(HYPERION_ERROR_MEMORY, "read layers: out of memory");
    reader->in_force = (HyperionLoaderIO){
        .mode = config->mode,
        .block_bytes = config->block_bytes ? config->block_bytes : (size_t)1 << 20,
        .queue_depth = config->queue_depth ? config->queue_depth : 8,
        .valid = true};
    reader->access.mode = config->mode;
    if (open_queue(reader, config->backend))
        return reader;
    hyp_layer_reader_free(reader);
    return NULL;
}

void hyp_layer_reader_free(HypLayerReader *reader)
{
    if (!reader)
        return;
    assert(reader->count == 0);
    hyp_platform_close_read_queue(reader->queue);
    hyp_read_access_close(&reader->access);
    free(reader);
}

void hyp_layer_reader_forget_model(HypLayerReader *reader)
{
    assert(reader->count == 0);
    hyp_read_access_close(&reader->access);
}

const HyperionLoaderIO *hyp_layer_reader_in_force(const HypLayerReader *reader)
{
    return &reader->in_force;
}

HypReadCounts hyp_layer_reader_counts(const HypLayerReader *reader)
{
    return hyp_platform_read_counts(reader->queue);
}

bool hyp_layer_reader_is_idle(const HypLayerReader *reader)
{
    return reader->count == 0;
}

static LayerLoad *oldest_load(HypLayerReader *reader)
{
    return &reader->loads[reader->first];
}

static LayerLoad *newest_load(HypLayerReader *reader)
{
    return &reader->loads[(reader->first + reader->count - 1) % MOST_LOADS];
}

static bool is_all_asked(const LayerLoad *load)
{
    return load->error_kind || load->asked_part == load->source->part_count;
}

bool hyp_layer_reader_has_room(const HypLayerReader *reader)
{
    const int newest = (reader->first + reader->count + MOST_LOADS - 1) % MOST_LOADS;
    return reader->count < MOST_LOADS && hyp_platform_read_queue_has_room(reader->queue) &&
           (reader->count == 0 || is_all_asked(&reader->loads[newest]));
}

static void fail_load(LayerLoad *load)
{
    if (load->error_kind)
        return;
    load->error_kind = hyperionGetLastErrorKind();
    (void)snprintf(load->error, sizeof load->error, "%s", hyperionGetLastError());
}

// Asks for a block of the pages that hold the part in question.
static void ask_block(HypLayerReader *reader, LayerLoad *load)
{
    const HypLayerPart *part = &load->source->parts[load->asked_part];
    const size_t into_page = (size_t)(part->file_offset % HYP_READ_ALIGNMENT);
    const size_t needed_bytes = into_page + part->stored_bytes;
    const size_t page_bytes =
        (needed_bytes + HYP_READ_ALIGNMENT - 1) / HYP_READ_ALIGNMENT * HYP_READ_ALIGNMENT;
    const size_t begin = load->asked_bytes;
    const size_t left = page_bytes - begin;
    const size_t size_bytes =
        left < reader->in_force.block_bytes ? left : reader->in_force.block_bytes;
    const HypRead read = {
        .file = hyp_read_access_file(&reader->access, load->model, part->file, &reader->in_force),
        .offset = part->file_offset - into_page + begin,
        .memory = load->block + part->landing + begin,
        .size_bytes = size_bytes,
        .least_bytes = begin + size_bytes < needed_bytes ? size_bytes : needed_bytes - begin,
        .owner = load};
    hyp_platform_start_read(reader->queue, &read);
    load->reads++;
    load->asked_bytes += size_bytes;
    if (load->asked_bytes < page_bytes)
        return;
    load->asked_bytes = 0;
    load->asked_part++;
}

// Asks for as much of the layer that was begun last as there is room for.
static void ask(HypLayerReader *reader)
{
    LayerLoad *load = newest_load(reader);
    while (!is_all_asked(load) && hyp_platform_read_queue_has_room(reader->queue)) {
        if (load->source->parts[load->asked_part].file < 0)
            load->asked_part++;
        else
            ask_block(reader, load);
    }
}

void hyp_layer_reader_begin(HypLayerReader *reader, const HyperionModel *model, int layer,
                            const HypLayerSource *source, void *block, uint64_t begin_ns)
{
    assert(hyp_layer_reader_has_room(reader));
    reader->count++;
    *newest_load(reader) = (LayerLoad){
        .layer = layer, .model = model, .source = source, .block = block, .begin_ns = begin_ns};
    ask(reader);
}

// Handles parts that come from no file, up to one that does.
static void generate(LayerLoad *load)
{
    while (!load->error_kind && load->part < load->source->part_count &&
           load->source->parts[load->part].file < 0) {
        const HypLayerPart *part = &load->source->parts[load->part++];
        if (!hyp_part_values_generate(load->model, part, load->block))
            fail_load(load);
        load->done_bytes += part->stored_bytes;
    }
}

// Once more, where the file refused to be read as it was.
static bool read_otherwise(HypLayerReader *reader, const LayerLoad *load, const HypRead *read)
{
    const int index = load->source->parts[load->part].file;
    hyp_read_access_refuse(&reader->access, index, &reader->in_force);
    return hyp_platform_read(load->model->files[index], read->offset, read->memory,
                             read->least_bytes);
}

// A block that came, or did not, of the part in question.
static void take_block(HypLayerReader *reader, LayerLoad *load, const HypRead *read,
                       HypReadState state)
{
    const HypLayerPart *part = &load->source->parts[load->part];
    const bool has_come =
        state == HYP_READ_DONE || (state == HYP_READ_REFUSED && read_otherwise(reader, load, read));
    const size_t before_bytes = load->values.come_bytes;
    if (has_come)
        hyp_read_access_leave(&reader->access, part->file, read, &reader->in_force);
    if (!has_come || !hyp_part_values_add(&load->values, load->model, part, load->block, read)) {
        fail_load(load);
        return;
    }
    load->done_bytes += load->values.come_bytes - before_bytes;
    if (load->values.come_bytes < part->stored_bytes)
        return;
    if (!hyp_part_values_end(&load->values, load->model, part, load->block))
        fail_load(load);
    load->part++;
}

// Whether nothing more of the load comes.
static bool has_ended(const LayerLoad *load)
{
    return load->error_kind ? load->reads == 0 : load->part == load->source->part_count;
}

static HypReaderEvent end_load(HypLayerReader *reader, LayerLoad *load, HypReaderReport *report)
{
    if (!load->error_kind &&
        !hyp_layer_source_pack(load->model, load->layer, load->source, load->block))
        fail_load(load);
    hyp_part_values_drop(&load->values);
    report->error_kind = load->error_kind;
    (void)snprintf(report->error, sizeof report->error, "%s", load->error);
    report->end_ns = reader->last_end_ns = hyp_platform_now_ns();
    reader->first = (reader->first + 1) % MOST_LOADS;
    reader->count--;
    return load->error_kind ? HYP_READER_FAILED : HYP_READER_LOADED;
}

// The next block, unless none comes for a while or there is none.
static HypReaderEvent await_block(HypLayerReader *reader, LayerLoad *load)
{
    HypRead read;
    generate(load);
    if (has_ended(load))
        return HYP_READER_CAME;
    const HypReadState state = hyp_platform_await_read(reader->queue, patience_ns, &read);
    if (state == HYP_READ_PENDING)
        return HYP_READER_WAITS;
    assert(read.owner == load);
    load->reads--;
    ask(reader);
    if (!load->error_kind)
        take_block(reader, load, &read, state);
    generate(load);
    return HYP_READER_CAME;
}

void hyp_layer_reader_step(HypLayerReader *reader, HypReaderReport *report)
{
    LayerLoad *load = oldest_load(reader);
    *report = (HypReaderReport){
        .layer = load->layer,
        .begin_ns = load->begin_ns,
        .start_ns = load->begin_ns > reader->last_end_ns ? load->begin_ns : reader->last_end_ns};
    report->event = await_block(reader, load);
    report->done_bytes = load->done_bytes;
    if (report->event == HYP_READER_CAME && has_ended(load))
        report->event = end_load(reader, load, report);
}
