/* Exponentials on v16. Include a vector_*.h first. Polynomials: minimax fits of this project, error below 2.7 units in
 * the last place over the reduced range. exp(0) = exp2(0) = 1 and exp(-infinity) = 0 exactly: merging an empty softmax
 * state, or weighing a masked token, must change nothing. */
#ifndef CK_VECTOR_MATH_H
#define CK_VECTOR_MATH_H

/* 2^x for x <= 0 (up to 126 is allowed). */
CK_INLINE v16 v_exp2(v16 x) {
    x = v_max(x, v_set1(-200));
    v16 n = v_round(x), f = v_sub(x, n);
    v16 p = v_set1(0x1.5bba14p-10f);
    p = v_fma(p, f, v_set1(0x1.3cea88p-7f));
    p = v_fma(p, f, v_set1(0x1.c6b752p-5f));
    p = v_fma(p, f, v_set1(0x1.ebf9bcp-3f));
    p = v_fma(p, f, v_set1(0x1.62e42ap-1f));
    p = v_fma(p, f, v_set1(1));
    return v_scale2(p, n);
}

/* e^x for x <= 88. */
CK_INLINE v16 v_exp(v16 x) {
    x = v_max(x, v_set1(-130));
    v16 n = v_round(v_mul(x, v_set1(0x1.715476p0f)));
    /* ln 2 in two parts (Cody and Waite): the first has few enough bits that its multiple is exact. */
    v16 r = v_fnma(n, v_set1(0x1.62e400p-1f), x);
    r = v_fnma(n, v_set1(0x1.7f7d1cp-20f), r);
    v16 p = v_set1(0x1.6a2434p-10f);
    p = v_fma(p, r, v_set1(0x1.1239e2p-7f));
    p = v_fma(p, r, v_set1(0x1.5558f2p-5f));
    p = v_fma(p, r, v_set1(0x1.555492p-3f));
    p = v_fma(p, r, v_set1(0x1.fffffcp-2f));
    p = v_fma(p, r, v_set1(1));
    p = v_fma(p, r, v_set1(1));
    return v_scale2(p, n);
}

/* x * sigmoid(y). e^88 is finite; beyond, x / (1 + e^88) is as good as 0. */
CK_INLINE v16 v_mul_sigmoid(v16 x, v16 y) {
    v16 e = v_exp(v_min(v_sub(v_zero(), y), v_set1(88)));
    return v_div(x, v_add(v_set1(1), e));
}

/* With an absolute error of some 1e-7. */
CK_INLINE v16 v_tanh(v16 x) {
    v16 e = v_exp(v_min(v_add(x, x), v_set1(40)));
    return v_sub(v_set1(1), v_div(v_set1(2), v_add(v_set1(1), e)));
}

#endif
