#include "CPageHash.h"

#include <pthread.h>
#include <sodium.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static pthread_once_t chosen = PTHREAD_ONCE_INIT;

// Picks the vector code for this processor. Without it, or if it fails, the portable one gives the same digests.
static void choose(void) { (void)sodium_init(); }

void pagehash_digest(const void *key, const void *data, size_t count, uint8_t *digest)
{
    pthread_once(&chosen, choose);
    crypto_generichash_blake2b(
        digest, PAGEHASH_DIGEST_BYTES, data, count, key, key ? PAGEHASH_DIGEST_BYTES : 0);
}

uint64_t pagehash_checksum(const void *data, size_t count) { return XXH3_64bits(data, count); }
