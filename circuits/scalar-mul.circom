pragma circom 2.1.6;

include "./montgomery.circom";

// The order l of the subgroup.
function SUBGROUP_ORDER() {
    return 2736030358979909402780800718157159386076813972158567259200215660948447373041;
}

// -V * point for an odd integer V with V = scalar (mod l), up to the two variants below.
//
// V = sum of d_i * 4^i with 127 odd digits d in {-3, -1, 1, 3}, the top one 1 or 3; the chain starts with the top
// digit and does acc <- 4 acc + d * point, as one doubling and one combined (D + d) + D.
//
// Which V. The digits give every odd integer 1 <= V < 4^127 = 2^254 once. The equation is V = scalar + e * l in
// the field, e boolean, and 2^254 < 1.33 r, so V = scalar + e * l + j * r with j in {-1, 0, 1}. l and r are odd:
// an even scalar leaves scalar + l and scalar + r, an odd one scalar and one of scalar + l + r, scalar + l - r.
// So a cheating prover has at most two scalars (mod l) to choose from, both fixed by `scalar`: see
// EdDSAPoseidonCheck, 3. An honest one takes e = 1 iff scalar is even, j = 0; scalar + l < 9/8 r < 2^254.
//
// Exceptions. D + d with D = 2k * point, k >= 1 the odd number read so far, d odd: D = d needs 2k - d = 0 (mod l),
// an odd multiple of l. k < 4^m after m digits and 2 * 4^124 + 3 < l, so only the last two steps can meet it:
// the last with V = 3d (mod l), the one before with V = 12d + d' (mod l), at most 20 values. scalar is a hash and
// meets one of 3 * 20 values with probability below 2^-243 at each query. D = -d has no witness (0 = 2v).
// (D + d) + D: D + d = D is impossible, D + d = -D is V = 0 (mod l) for what is read so far: no witness.
//
// Inputs:     point[2]: Montgomery coordinates; scalar: field element.
// Outputs:    out[2].
// Assumes:    point is of order l; scalar is the output of a hash that covers point (else the exceptions are open).
// Ensures:    out = -V * point.
// Constraints: 1 + 7 + 3 + 126 * 14 = 1,775; none linear.
template NegatedScalarMul() {
    signal input point[2];
    signal input scalar;
    signal output out[2];

    var n = 127;
    var l = SUBGROUP_ORDER();
    var A = MONTGOMERY_A();
    signal isEven;
    signal digit[n]; // digit[0] stays unused
    signal z[n];
    signal u[n];
    signal g[n];
    signal v[n];
    signal accU[n];
    signal accV[n];
    signal uSquare[n];
    signal slope0[n];
    signal slope1[n];
    signal slope2[n];
    signal doubleU[n];
    signal doubleV[n];
    signal sumU[n];

    // A. Digits. V may exceed r, so the hint adds two halves of 127 bits. Digit i is 2b - 3 for the bits 2i + 1 and
    //    2i + 2 of V; set membership (below) and the sum pin all of them. Digit 0 is a combination.
    isEven <-- 1 - (scalar & 1);
    isEven * (isEven - 1) === 0;
    var mask = (1 << 127) - 1;
    var low = (scalar & mask) + isEven * (l & mask);
    var high = (scalar >> 127) + isEven * (l >> 127) + (low >> 127);
    low = low & mask;
    var lowest = scalar + isEven * l;
    digit[0] <== 0;
    for (var i = 1; i < n; i++) {
        var bits = i < 63 ? (low >> (2 * i + 1)) & 3 : (high >> (2 * i - 126)) & 3;
        digit[i] <-- i < n - 1 ? 2 * bits - 3 : 2 * bits + 1;
        lowest -= digit[i] * (1 << (2 * i));
    }

    // B. The table: point and 3 * point. 2 * point = +-point would mean order 3 or 1; l is neither.
    component twice = MontgomeryDouble();
    twice.u <== point[0];
    twice.v <== point[1];
    twice.uSquare <== point[0] * point[0];
    component thrice = UnsafeMontgomeryAdd();
    thrice.a <== point;
    thrice.b[0] <== twice.outU;
    thrice.b[1] <== twice.outV;

    // C. The top digit, 1 or 3: then k >= 1, and V > 0.
    var top = n - 1;
    (digit[top] - 1) * (digit[top] - 3) === 0;
    accU[top] <== (digit[top] - 1) * ((thrice.out[0] - point[0]) / 2) + point[0];
    accV[top] <== (digit[top] - 1) * ((thrice.out[1] - point[1]) / 2) + point[1];

    for (var i = n - 2; i >= 0; i--) {
        // D. d * point: u from z = d^2 in {1, 9}, v = d * g with g the table's v divided by |d|.
        var d = i == 0 ? lowest : digit[i];
        z[i] <== d * d;
        (z[i] - 1) * (z[i] - 9) === 0;
        u[i] <== (z[i] - 1) * ((thrice.out[0] - point[0]) / 8) + point[0];
        g[i] <== (z[i] - 1) * ((thrice.out[1] / 3 - point[1]) / 8) + point[1];
        v[i] <== d * g[i];

        // E. D = 2 acc. acc is of order l, so its v is not 0 and the slope is determined.
        uSquare[i] <== accU[i + 1] * accU[i + 1];
        slope0[i] <-- (3 * uSquare[i] + 2 * A * accU[i + 1] + 1) / (2 * accV[i + 1]);
        slope0[i] * (2 * accV[i + 1]) === 3 * uSquare[i] + 2 * A * accU[i + 1] + 1;
        doubleU[i] <== slope0[i] * slope0[i] - A - 2 * accU[i + 1];
        doubleV[i] <== slope0[i] * (accU[i + 1] - doubleU[i]) - accV[i + 1];

        // F. (D + d) + D without the v of D + d: with v' = slope1 (uD - u') - vD, the second slope
        //    (v' - vD) / (u' - uD) gives (slope1 + slope2)(uD - u') = 2 vD. Divisions, hence hints: see Exceptions.
        slope1[i] <-- (v[i] - doubleV[i]) / (u[i] - doubleU[i]);
        slope1[i] * (u[i] - doubleU[i]) === v[i] - doubleV[i];
        sumU[i] <== slope1[i] * slope1[i] - A - doubleU[i] - u[i];
        slope2[i] <-- 2 * doubleV[i] / (doubleU[i] - sumU[i]) - slope1[i];
        (slope1[i] + slope2[i]) * (doubleU[i] - sumU[i]) === 2 * doubleV[i];
        accU[i] <== slope2[i] * slope2[i] - A - doubleU[i] - sumU[i];
        if (i > 0) {
            accV[i] <== slope2[i] * (doubleU[i] - accU[i]) - doubleV[i];
        } else {
            // G. The last v, negated.
            accV[0] <== slope2[0] * (accU[0] - doubleU[0]) + doubleV[0];
        }
    }
    out[0] <== accU[0];
    out[1] <== accV[0];
}
