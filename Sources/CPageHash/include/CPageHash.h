// Digests for pages that leave the process: BLAKE2b (RFC 7693, from libsodium) names a page by the tokens that lead to
// it, so that nobody can make up other tokens with the same name; XXH3 (from xxHash) finds damaged bytes at the speed of
// memory.
#ifndef CPAGEHASH_H
#define CPAGEHASH_H

#include <stddef.h>
#include <stdint.h>

#define PAGEHASH_DIGEST_BYTES 32

/// BLAKE2b-256 of `count` bytes, keyed with `key` (PAGEHASH_DIGEST_BYTES bytes, or NULL for none).
void pagehash_digest(
    const void *_Nullable key, const void *_Nullable data, size_t count, uint8_t *_Nonnull digest);

/// XXH3-64 of `count` bytes.
uint64_t pagehash_checksum(const void *_Nullable data, size_t count);

#endif
