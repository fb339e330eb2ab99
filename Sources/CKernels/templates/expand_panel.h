/* Widens runs of a panel of codes for the micro-kernels of one path. Include after gemm_vector.h and coded_vector.h,
 * within the file's target attributes, and with EXPAND_PAIRS: whether the kernels read pairs of bf16, or else float32 of
 * the same numbers. */
#include "../coded_layout.h"
#include "../half_floats.h"

/* Bytes that are widened at once: half of a first-level cache. */
enum { EXPAND_BYTES = 16 << 10 };

#pragma STDC FP_CONTRACT OFF

/* How numbers are had from codes. */
typedef enum {
    EXPAND_COUNTING,    /* half a byte, of a table that counts up in ones from an integer */
    EXPAND_SMALL,       /* half a byte, of a table of int8, or of halves of int8 */
    EXPAND_TABLE,       /* half a byte, of any table */
    EXPAND_BYTE,
    EXPAND_E4M3,
} expand_way;

/* A weight of codes, and how its elements are had: see expand_run. */
typedef struct expander {
    const ck_coded *coded;
    ck_dtype dtype;     /* of the product */
    expand_way way;
    bool fuses;
    int8_t small[16];   /* EXPAND_SMALL: the table times `unit` */
    float unit;         /* what expand_number gives is a number times this; a power of two */
} expander;

/* Whether an element is rounded once, or its products with a scale are exact: then a fused multiply-add rounds as the
 * operations one by one do. */
static bool expand_fuses(const ck_coded *c, expand_way way) {
    const bool four = c->codes == CK_CODES_4, two_levels = c->factors == CK_FACTORS_TWO_LEVEL;
    const bool counts = way == EXPAND_COUNTING;
    const bool subtracts = c->has_zeros || (counts && c->table[0] != 0);
    if (!subtracts && !c->has_offsets) return true;
    if ((subtracts && c->has_offsets) || c->factors == CK_FACTORS_F32) return false;
    if (two_levels && (c->has_zeros || !four)) return false;
    if (c->has_zeros && four && !counts) return false;
    /* A scale has 11 bits, of two levels 19: numbers may have 8, or 5. */
    for (int i = 0; i < 16 && four; i++)
        if ((ck_bits(c->table[i]) & (two_levels ? 0x7ffff : 0xffff)) != 0) return false;
    return true;
}

/* Whether a table times `unit` is of int8. A zero may lose its sign: sums begin with 0, so that it does not show. */
static bool expand_is_small(const ck_coded *c, float unit) {
    for (int i = 0; i < 16; i++) {
        float number = c->table[i] * unit;
        if (!(number >= -128 && number <= 127 && number == (float)(int)number)) return false;
    }
    return true;
}

static bool expand_counts(const ck_coded *c) {
    for (int i = 0; i < 16; i++)
        if (c->table[i] != c->table[0] + (float)i) return false;
    return expand_is_small(c, 1);
}

static expander expander_of(const ck_coded *c, ck_dtype dtype) {
    expander e = {.coded = c, .dtype = dtype, .way = EXPAND_TABLE, .unit = 1};
    if (c->codes == CK_CODES_8) {
        e.way = EXPAND_BYTE;
    } else if (c->codes == CK_CODES_E4M3) {
        e.way = EXPAND_E4M3;
        e.unit = 0x1p-8f;
    } else if (expand_counts(c)) {
        e.way = EXPAND_COUNTING;
    } else if (expand_is_small(c, 1) || expand_is_small(c, 2)) {
        e.way = EXPAND_SMALL;
        e.unit = expand_is_small(c, 1) ? 1 : 2;
        for (int i = 0; i < 16; i++) e.small[i] = (int8_t)(c->table[i] * e.unit);
    }
    e.fuses = expand_fuses(c, e.way);
    return e;
}

typedef struct expand_factors {
    vector scale, zero, offset;
} expand_factors;

/* Lanes lane ... of a row of factors. */
VECTOR_INLINE vector expand_factor(
    const ck_coded *c, const unsigned char *row, const unsigned char *block, int64_t lane) {
    switch (c->factors) {
    case CK_FACTORS_F32: return vector_load((const float *)(row + lane * 4));
    case CK_FACTORS_F16: return vector_from_f16(row + lane * 2);
    case CK_FACTORS_BF16: return vector_from_bf16(row + lane * 2);
    case CK_FACTORS_TWO_LEVEL: break;
    }
    return vector_mul(vector_from_f16(block + lane * 2), vector_from_i8(row + lane));
}

VECTOR_INLINE expand_factors expand_group(const ck_coded *c, const unsigned char *panel, int64_t i, int64_t lane) {
    expand_factors f = {.zero = vector_zero(), .offset = vector_zero()};
    const unsigned char *group = ck_coded_group(c, panel, c->group_of[i]), *block = ck_coded_block(c, panel, i);
    int64_t bytes = CK_PANEL * ck_coded_factor_bytes(c);
    f.scale = expand_factor(c, group, block, lane);
    group += bytes;
    if (c->has_offsets) {
        f.offset = expand_factor(c, group, block + 2 * CK_PANEL, lane);
        group += bytes;
    }
    if (c->has_zeros) f.zero = vector_from_i8(group + lane);
    return f;
}

/* Rounds to bf16 what is 0 or far from the ends of float32's range: with d = 2^16 v, whose unit in the last place is
 * that of bf16 at v, d - v is rounded where v has to be, and the other difference is exact. */
VECTOR_INLINE vector expand_rounded(const ck_dtype dtype, vector v) {
    if (dtype == CK_F32) return v;
    if (dtype == CK_F16) return vector_round_to_f16(v);
    vector d = vector_mul(v, vector_set1(0x1p16f));
    return vector_sub(d, vector_sub(d, v));
}

/* Whether elements stay in the range that expand_rounded is right for. */
VECTOR_INLINE bool expand_is_usual(expand_factors f) {
    return vector_within(f.scale, 0x1p-80f, 0x1p80f) && vector_within(f.offset, 0x1p-80f, 0x1p80f);
}

/* What the numbers of codes are looked up in. */
typedef struct expand_tables {
    vector_table numbers;
    __m128i small;
} expand_tables;

VECTOR_INLINE expand_tables expand_tables_of(const expander *e) {
    return (expand_tables){vector_table_load(e->coded->table), _mm_loadu_si128((const __m128i *)e->small)};
}

/* The number of a code times the expander's unit; nothing for a NaN. `upper`: of a byte's half. */
VECTOR_INLINE vector expand_number(const expand_way way, expand_tables tables, const unsigned char *p, const int upper) {
    switch (way) {
    case EXPAND_COUNTING: return vector_of_nibble(p, upper);
    case EXPAND_SMALL: return vector_of_small(tables.small, p, upper);
    case EXPAND_TABLE: return vector_of_code4(tables.numbers, p, upper);
    case EXPAND_BYTE: return vector_from_i8(p);
    case EXPAND_E4M3: break;
    }
    return vector_from_e4m3_256th(p);
}

/* Factors for the numbers that expand_number gives. */
VECTOR_INLINE expand_factors expand_adapted(const expander *e, expand_factors f) {
    if (e->way == EXPAND_COUNTING) f.zero = vector_sub(f.zero, vector_set1(e->coded->table[0]));
    f.zero = vector_mul(f.zero, vector_set1(e->unit));
    f.scale = vector_mul(f.scale, vector_set1(1 / e->unit));
    return f;
}

/* (number - zero) * scale - offset, rounded. `rest`: zero * scale + offset, one of which is nothing where `fuses`. */
VECTOR_INLINE vector expand_value(
    const bool fuses, const ck_dtype dtype, vector number, expand_factors f, vector rest) {
    vector value = fuses ? vector_fms(number, f.scale, rest)
                         : vector_sub(vector_mul(vector_sub(number, f.zero), f.scale), f.offset);
    return expand_rounded(dtype, value);
}

VECTOR_INLINE vector expand_rest(expand_factors f) { return vector_add(vector_mul(f.zero, f.scale), f.offset); }

#define EXPAND_HALVES(way) ((way) <= EXPAND_TABLE)

/* A run of one group: elements begin ..< end of a vector of lanes, `stride` floats apart in `out`. */
VECTOR_INLINE void expand_run(
    const expand_way way, const bool fuses, const ck_dtype dtype, const expander *e, expand_factors f,
    const unsigned char *codes, int64_t begin, int64_t end, float *out, int64_t stride) {
    const expand_tables tables = expand_tables_of(e);
    const vector rest = expand_rest(f);
    const unsigned char *p = codes + (EXPAND_HALVES(way) ? begin / 2 : begin) * CK_PANEL;
#define EXPAND_ONE(p, upper) expand_value(fuses, dtype, expand_number(way, tables, p, upper), f, rest)
    if (!EXPAND_HALVES(way)) {
        for (; begin < end; begin++, p += CK_PANEL, out += stride) vector_store(out, EXPAND_ONE(p, 0));
        return;
    }
    if (begin % 2 != 0) {
        vector_store(out, EXPAND_ONE(p, 1));
        begin++, p += CK_PANEL, out += stride;
    }
    for (; begin + 2 <= end; begin += 2, p += CK_PANEL, out += 2 * stride) {
        vector low = EXPAND_ONE(p, 0), high = EXPAND_ONE(p, 1);
        vector_store(out, low);
        vector_store(out + stride, high);
    }
    if (begin < end) vector_store(out, EXPAND_ONE(p, 0));
#undef EXPAND_ONE
}

/* The same for any factors and codes, operation by operation. */
static void expand_run_carefully(
    const expander *e, const unsigned char *panel, int64_t lane, int64_t begin, int64_t end, float *out, int64_t stride) {
    for (int64_t i = begin; i < end; i++, out += stride) {
        for (int64_t l = 0; l < VECTOR_LANES; l++) out[l] = ck_coded_value(e->coded, panel, lane + l, i, e->dtype);
    }
}

/* Chooses the constants of a run. */
#define EXPAND_CHOOSE_FUSES(e, run, way) \
    if ((e)->fuses) { \
        run(way, true); \
    } else { \
        run(way, false); \
    } \
    break
#define EXPAND_CHOOSE(e, run) \
    switch ((e)->way) { \
    case EXPAND_COUNTING: EXPAND_CHOOSE_FUSES(e, run, EXPAND_COUNTING); \
    case EXPAND_SMALL: EXPAND_CHOOSE_FUSES(e, run, EXPAND_SMALL); \
    case EXPAND_TABLE: EXPAND_CHOOSE_FUSES(e, run, EXPAND_TABLE); \
    case EXPAND_BYTE: EXPAND_CHOOSE_FUSES(e, run, EXPAND_BYTE); \
    case EXPAND_E4M3: EXPAND_CHOOSE_FUSES(e, run, EXPAND_E4M3); \
    }

static void expand_group_run(
    const expander *e, const unsigned char *panel, int64_t lane, int64_t begin, int64_t end, float *out, int64_t stride) {
    expand_factors f = expand_group(e->coded, panel, begin, lane);
    if (!expand_is_usual(f)) {
        expand_run_carefully(e, panel, lane, begin, end, out, stride);
        return;
    }
    f = expand_adapted(e, f);
#define RUN(way, fuses) \
    if (e->dtype == CK_BF16) expand_run(way, fuses, CK_BF16, e, f, panel + lane, begin, end, out, stride); \
    else if (e->dtype == CK_F16) expand_run(way, fuses, CK_F16, e, f, panel + lane, begin, end, out, stride); \
    else expand_run(way, fuses, CK_F32, e, f, panel + lane, begin, end, out, stride)
    EXPAND_CHOOSE(e, RUN)
#undef RUN
}

/* Whether lanes lane ..< lane + width of elements begin ..< end have a code of E4M3 that is no number. */
static bool expand_has_nan(const unsigned char *panel, int64_t lane, int64_t width, int64_t begin, int64_t end) {
    unsigned char found = 0;
    for (int64_t i = begin; i < end; i++) {
        const unsigned char *p = panel + i * CK_PANEL + lane;
        for (int64_t l = 0; l < width; l++) found |= (unsigned char)((p[l] & 0x7f) + 1);
    }
    return (found & 0x80) != 0;
}

/* Where the run of one group and one block ends that begins at an element. */
static inline int64_t expand_run_end(const ck_coded *c, int64_t begin, int64_t last) {
    int64_t block_end = (begin / CK_CODED_BLOCK + 1) * CK_CODED_BLOCK, end = begin + 1;
    if (last > block_end) last = block_end;
    while (end < last && c->group_of[end] == c->group_of[begin]) end++;
    return end;
}

/* Elements first ..< first + count of lanes lane ..< lane + width, as float32 [count][width]. What lies beyond k is 0. */
static void expand_floats(
    const expander *e, const unsigned char *panel, int64_t lane, int64_t width, int64_t first, int64_t count, float *out) {
    const ck_coded *c = e->coded;
    int64_t last = first + count < c->k ? first + count : c->k;
    for (int64_t begin = first, end; begin < last; begin = end) {
        end = expand_run_end(c, begin, last);
        bool careful = c->codes == CK_CODES_E4M3 && expand_has_nan(panel, lane, width, begin, end);
        for (int64_t l = 0; l < width; l += VECTOR_LANES) {
            float *to = out + (begin - first) * width + l;
            if (careful) expand_run_carefully(e, panel, lane + l, begin, end, to, width);
            else expand_group_run(e, panel, lane + l, begin, end, to, width);
        }
    }
    if (last < first + count)
        memset(out + (last - first) * width, 0, sizeof(float) * (size_t)((first + count - last) * width));
}

#if EXPAND_PAIRS
/* Elements first ..< first + count of a panel as pairs of bf16, in the layout of ck_gemm.h; `count` is even. */
static void expand_pairs(
    const expander *e, const unsigned char *panel, int64_t first, int64_t count, unsigned char *out) {
    enum { AT_ONCE = EXPAND_BYTES / 2 / CK_PANEL / 4 };
    _Alignas(64) float numbers[AT_ONCE * CK_PANEL];
    for (int64_t i = 0; i < count; i += AT_ONCE) {
        int64_t taken = count - i < AT_ONCE ? count - i : AT_ONCE;
        expand_floats(e, panel, 0, CK_PANEL, first + i, taken, numbers);
        for (int64_t pair = 0; pair < taken / 2; pair++) {
            const float *from = numbers + 2 * pair * CK_PANEL;
            unsigned char *to = out + (i / 2 + pair) * CK_PANEL * 4;
            for (int64_t lane = 0; lane < CK_PANEL; lane += VECTOR_LANES)
                vector_store_bf16_pairs(to + lane * 4, vector_load(from + lane), vector_load(from + CK_PANEL + lane));
        }
    }
}
#endif
