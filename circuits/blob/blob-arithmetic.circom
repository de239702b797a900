pragma circom 2.1.6;

include "../field/range-check.circom";

// Numbers of three limbs of 92 bits, the lowest first, modulo p: BLS12-381's scalar field, in which blobs are evaluated. p is
// above r, so a number below p is no field element here. All numbers below are integers; a line that equates field elements
// says why it equates integers.

// Limbs of p (255 bits) and of r (254 bits).
function BLOB_FIELD(i) {
    var p[3] = [4949776744771971770602225665, 1118863218341754095743418415, 2138500316022899034163];
    return p[i];
}
function FIELD(i) {
    var r[3] = [3009547949736244790029189121, 1552692407931949034443277447, 892671556301560490424];
    return r[i];
}

// The smallest number of bits in which n fits as a count: 2^bits >= n.
function COUNT_BITS(n) {
    var bits = 0;
    while ((1 << bits) < n) { bits++; }
    return bits;
}

// The number of three limbs is below m.
//
// Parameters:  m0, m1, m2: limbs of m, each below 2^92, the last below 2^71.
// Inputs:      limb[3].
// Assumes:     each limb < 2^92.
// Ensures:     limb[0] + 2^92 limb[1] + 2^184 limb[2] < m.
// Constraints: 185 + 71 + 2, of which 2 are linear.
template BelowLimbs(m0, m1, m2) {
    signal input limb[3];
    // It is below m where limb[2] < m2, and where limb[2] = m2 and the two others are below m's: limb[2] + isOver <= m2.
    component isOver = GreaterEq(184);
    isOver.a <== limb[0] + (1 << 92) * limb[1];
    isOver.b <== m0 + (1 << 92) * m1;
    // From -2^92 to 2^71, and what is negative has no 71 bits.
    component rest = RangeCheck(71);
    rest.in <== m2 - limb[2] - isOver.out;
}

// Limbs of z as an integer below r: the point at which L1 evaluates the blob.
//
// Inputs:      z: field element, any value.
// Outputs:     limb[3], each below 2^92.
// Assumes:     nothing.
// Ensures:     the limbs are those of z itself.
// Attack:      without the comparison z + r has limbs, too, where it is below 2^254: another point modulo p.
// Constraints: 92 + 92 + 70 + 1 and BelowLimbs.
template PointLimbs() {
    signal input z;
    signal output limb[3];
    // Hints, pinned by their ranges and by the sum, which is below 2 r; the comparison leaves one of its two openings.
    limb[1] <-- (z >> 92) & ((1 << 92) - 1);
    limb[2] <-- z >> 184;
    limb[0] <== z - (1 << 92) * limb[1] - (1 << 184) * limb[2];
    component range[3];
    var widths[3] = [92, 92, 70];
    for (var i = 0; i < 3; i++) {
        range[i] = RangeCheck(widths[i]);
        range[i].in <== limb[i];
    }
    component below = BelowLimbs(FIELD(0), FIELD(1), FIELD(2));
    below.limb <== limb;
}

// Limbs of a payload as an integer.
//
// Inputs:      payload: field element, any value.
// Outputs:     limb[3]: the first two below 2^92, the last below FIELD(2), r's own last limb.
// Assumes:     nothing.
// Ensures:     payload < 2^184 FIELD(2) <= r, and the limbs are its own: no sum of such limbs reaches r, so none has an alias.
// Cost:        a payload from there to r is refused. That is one hash in 2^70; it goes into a wide slot (table-limits.ts).
// Constraints: 92 + 92 + 69 + 1, and 2 linear ones.
template PayloadLimbs() {
    signal input payload;
    signal output limb[3];
    limb[1] <-- (payload >> 92) & ((1 << 92) - 1);
    limb[2] <-- payload >> 184;
    limb[0] <== payload - (1 << 92) * limb[1] - (1 << 184) * limb[2];
    component range[2];
    for (var i = 0; i < 2; i++) {
        range[i] = RangeCheck(92);
        range[i].in <== limb[i];
    }
    // limb[2] = isTop (FIELD(2) - 2^69) + a rest of 69 bits: all from 0 to FIELD(2) - 1, and nothing else. Some have two such
    // sums; that changes no limb. A value of 254 bits has bit 253 where the rest alone is too small for it.
    signal isTop <-- (payload >> 253) & 1;
    isTop * (1 - isTop) === 0;
    component rest = RangeCheck(69);
    rest.in <== limb[2] - isTop * (FIELD(2) - (1 << 69));
}

// The product of two numbers as a polynomial in 2^92, at the points 0, 1, -1, 2, and with 3 limbs at infinity, where it is its
// highest coefficient. With 2 limbs that of X^4 is 0.
//
// Parameters:  limbs of a, 2 or 3.
// Inputs:      a[limbs], b[3].
// Outputs:     at: of the polynomial Σ a[i] X^i times Σ b[j] X^j. Sums of products are sums of these.
// Constraints: 4, and 1 more with 3 limbs; none linear.
template LimbProduct(limbs) {
    assert(limbs == 2 || limbs == 3);
    signal input a[limbs];
    signal input b[3];
    signal output at[limbs + 2];
    var last = 0;
    if (limbs == 3) { last = a[limbs - 1]; }
    at[0] <== a[0] * b[0];
    at[1] <== (a[0] + a[1] + last) * (b[0] + b[1] + b[2]);
    at[2] <== (a[0] - a[1] + last) * (b[0] - b[1] + b[2]);
    at[3] <== (a[0] + 2 * a[1] + 4 * last) * (b[0] + 2 * b[1] + 4 * b[2]);
    if (limbs == 3) { at[limbs + 1] <== a[limbs - 1] * b[2]; }
}

// T = quotient · p + remainder, over the integers.
//
// Parameters:  terms: how many products T is the sum of, at most 2^12.
// Inputs:      at[5]: T as a polynomial in 2^92, at the points of LimbProduct; quotient[3], remainder[3]: witness.
// Assumes:     each product is of two numbers below 2^255, with limbs below 2^92, the last two limbs of 71 bits at most.
// Ensures:     T and the remainder are equal modulo p. The remainder is below 2^255, its limbs below 2^92 and the last below
//              2^71. It may be p or more.
// Constraints: reductionConstraints in blob-counts.ts.
template ReduceModP(terms) {
    assert(terms >= 1 && terms <= (1 << 12));
    var bits = COUNT_BITS(terms);
    signal input at[5];
    signal input quotient[3];
    signal input remainder[3];

    // A. Ranges. T < terms · 2^510 and p > 2^254, so the right quotient is below 2^(256 + bits).
    component quotientRange[3];
    component remainderRange[3];
    var quotientBits[3] = [92, 92, 72 + bits];
    var remainderBits[3] = [92, 92, 71];
    for (var i = 0; i < 3; i++) {
        quotientRange[i] = RangeCheck(quotientBits[i]);
        quotientRange[i].in <== quotient[i];
        remainderRange[i] = RangeCheck(remainderBits[i]);
        remainderRange[i].in <== remainder[i];
    }

    // B. T's coefficients from its values: five points fix a polynomial of degree 4. Each coefficient is a sum of at most
    //    3 · terms products of limbs, an integer below 2^(186 + bits), so the field element is the integer.
    var t[5];
    var even = (at[1] + at[2]) * (1 / 2);
    var odd = (at[1] - at[2]) * (1 / 2);
    t[0] = at[0];
    t[4] = at[4];
    t[2] = even - at[0] - at[4];
    var outer = (at[3] - at[0] - 4 * t[2] - 16 * at[4]) * (1 / 2);
    t[3] = (outer - odd) * (1 / 3);
    t[1] = odd - t[3];

    // C. X = T - quotient · p - remainder as coefficients x, each between -2^186 and 2^(186 + bits).
    var x[5];
    for (var i = 0; i < 5; i++) { x[i] = t[i]; }
    for (var i = 0; i < 3; i++) {
        x[i] -= remainder[i];
        for (var j = 0; j < 3; j++) { x[i + j] -= quotient[i] * BLOB_FIELD(j); }
    }

    // D. X = 0 modulo r. (A shift by 254 bits or more gives 0.)
    var sum = 0;
    var weight = 1;
    for (var i = 0; i < 5; i++) {
        sum += weight * x[i];
        weight *= 1 << 92;
    }
    sum === 0;

    // E. X = 0 modulo 2^276: coefficient by coefficient, what is carried out of the lowest three is an integer. With x as in C
    //    a carry is between -2^94 and 2^(94 + bits). In the field carry · 2^92 = x + the carry before; both sides are below
    //    2^(188 + bits) < r / 2, so they are equal integers.
    var carry = 0;
    component carryRange[3];
    for (var i = 0; i < 3; i++) {
        carry = (x[i] + carry) * (1 / (1 << 92));
        carryRange[i] = RangeCheck(95 + bits);
        carryRange[i].in <== carry + (1 << 94);
    }

    // F. r is odd, so X is a multiple of r · 2^276 > 2^529. T and quotient · p + remainder are both between 0 and
    //    2^(512 + bits), and bits <= 12: X is 0.
}
