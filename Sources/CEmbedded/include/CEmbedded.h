/* Files that the binary carries: data only, put in by embed.c at compile time. */
#ifndef CEMBEDDED_H
#define CEMBEDDED_H

#include <stddef.h>

/* One file: its name inside its folder, and its bytes, which live as long as the process. */
typedef struct {
    const char *name;
    const unsigned char *bytes;
    size_t count;
} cembedded_file;

/* The demo model: the files of Models/demo that a Hugging Face model directory needs; index < count. */
size_t cembedded_demo_model_count(void);
cembedded_file cembedded_demo_model_file(size_t index);

/* The page of the server and the description of its API: the files of web/; index < count. */
size_t cembedded_web_count(void);
cembedded_file cembedded_web_file(size_t index);

#endif
