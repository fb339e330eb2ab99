#include "CEmbedded.h"

/* #embed (C23) keeps the data out of the source and costs milliseconds, where a literal of megabytes costs minutes.
   SwiftPM's own resources are not used: they would lie in a folder beside the binary, which has to be one file. */
#pragma clang diagnostic ignored "-Wc23-extensions"

static const _Alignas(64) unsigned char weights[] = {
#embed "../../Models/demo/model.safetensors"
};
static const unsigned char config[] = {
#embed "../../Models/demo/config.json"
};
static const unsigned char generation[] = {
#embed "../../Models/demo/generation_config.json"
};
static const unsigned char tokenizer[] = {
#embed "../../Models/demo/tokenizer.json"
};
static const unsigned char tokenizer_config[] = {
#embed "../../Models/demo/tokenizer_config.json"
};

static const unsigned char page[] = {
#embed "web/index.html"
};
static const unsigned char style[] = {
#embed "web/page.css"
};
static const unsigned char script[] = {
#embed "web/page.js"
};
static const unsigned char openapi[] = {
#embed "web/openapi.json"
};

#define FILE_ENTRY(name, array) {name, array, sizeof array}

static const cembedded_file demo_model[] = {
    FILE_ENTRY("config.json", config),
    FILE_ENTRY("generation_config.json", generation),
    FILE_ENTRY("model.safetensors", weights),
    FILE_ENTRY("tokenizer.json", tokenizer),
    FILE_ENTRY("tokenizer_config.json", tokenizer_config),
};

size_t cembedded_demo_model_count(void) { return sizeof demo_model / sizeof demo_model[0]; }

cembedded_file cembedded_demo_model_file(size_t index) { return demo_model[index]; }

static const cembedded_file web[] = {
    FILE_ENTRY("index.html", page),
    FILE_ENTRY("openapi.json", openapi),
    FILE_ENTRY("page.css", style),
    FILE_ENTRY("page.js", script),
};

size_t cembedded_web_count(void) { return sizeof web / sizeof web[0]; }

cembedded_file cembedded_web_file(size_t index) { return web[index]; }
