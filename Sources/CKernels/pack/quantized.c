/* Places bytes that are quantized already where quantize_panels.h would place its own. */
#include "../gemm_layout.h"

void ck_place_i8(
    const uint8_t *values, const float *scales, int64_t count, int64_t k, unsigned char *panel, int64_t first_lane) {
    float *panel_scales = (float *)(panel + ck_gemm_steps(CK_I8, k) * ck_gemm_step_bytes(CK_I8));
    /* A run of inputs of all lanes stays in the first-level cache. */
    for (int64_t first = 0; first < k; first += 128) {
        int64_t end = first + 128 < k ? first + 128 : k;
        for (int64_t row = 0; row < count; row++) {
            unsigned char *lane = panel + (first_lane + row) * 4;
            for (int64_t i = first; i < end; i++)
                lane[ck_quantized_word(CK_I8, i / 4) + i % 4] = values[row * k + i] ^ 0x80;
        }
    }
    for (int64_t row = 0; row < count; row++) panel_scales[first_lane + row] = scales[row];
}
