// SPDX-License-Identifier: Apache-2.0
// small_builtins.h - built-in models of each generator that run in milliseconds.
#ifndef SMALL_BUILTINS_H
#define SMALL_BUILTINS_H

static const char *const small_builtins[] = {
    "builtin:mlp:batch=3,input=33,hidden=65,layers=3",
    "builtin:cnn:batch=2,image=12,channels=5,stages=2,classes=7",
    "builtin:transformer:seq=13,hidden=24,heads=3,layers=2",
    "builtin:transformer:batch=2,seq=9,hidden=16,causal=0",
    "builtin:bert:batch=2,seq=7,hidden=24,heads=3,layers=2,inner=40,vocab=50,positions=9",
    "builtin:minilm:seq=9,hidden=32,heads=4,layers=1,inner=16,vocab=50,positions=9",
    "builtin:gpt2:batch=2,seq=11,hidden=24,heads=3,layers=2,vocab=50,positions=16",
    "builtin:llama:seq=5,hidden=24,heads=6,kv_heads=2,layers=2,inner=40,vocab=50",
    "builtin:llama:seq=1,past=9,cache=1,hidden=24,heads=6,kv_heads=2,layers=2,inner=40,vocab=50",
    "builtin:resnet18:image=33,width=4,classes=7",
    "builtin:resnet50:image=33,width=4,classes=7",
    "builtin:mobilenetv2:image=33,width=10,classes=7",
    "builtin:densenet121:image=33,growth=2,classes=7",
    "builtin:inceptionv3:image=75,width=5,classes=7",
    "builtin:squeezenet:version=10,image=33,classes=7",
    "builtin:squeezenet:version=11,image=33,classes=7",
    "builtin:shufflenet:image=33,width=6,last=32,classes=7",
    "builtin:unet:image=28,width=4,depth=1",
    "builtin:vgg16:image=32,width=4,hidden=24,classes=7",
};
enum { SMALL_BUILTIN_COUNT = sizeof small_builtins / sizeof small_builtins[0] };

#endif
