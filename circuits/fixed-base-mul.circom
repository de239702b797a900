pragma circom 2.1.6;

include "./montgomery.circom";
include "./eddsa-tables.circom";

// C + scalar * B8 - (8^84 - 1) * (B8 / 2), where C is EDDSA_OFFSET and B8 / 2 the half modulo l.
//
// scalar = (sum of d_i * 8^i + 8^84 - 1) / 2 with 84 odd digits d in {-7, -5, .. 7}; the chain adds
// d_i * 8^i * (B8 / 2) to C one after another. Odd digits need no point at infinity and get the sign of a table
// entry for nothing: u is even in the digit, v odd.
//
// Inputs:     scalar: field element, any value.
// Outputs:    out[2]: Montgomery coordinates.
// Assumes:    nobody knows a discrete logarithm of C.
// Ensures:    scalar < 2^252 and out is the point above. Exceptions: a sum's terms are equal only if
//             C = (known) * B8, a discrete logarithm of a hash; opposite terms have no witness.
// Constraints: 84 * 8 = 672; none linear.
template FixedBaseMul() {
    signal input scalar;
    signal output out[2];

    var n = 84;
    var table[84][8] = EDDSA_TABLE();
    signal digit[n]; // digit[0] stays unused
    signal z[n];
    signal t[n];
    signal w[n];
    signal v[n];
    signal slope[n];
    signal chainU[n];
    signal chainV[n];

    // Digit 0 is a combination. The doubled equation holds between integers: both sides are below 2^253 < r, so
    // the digits are those of one integer scalar < 2^252.
    var lowest = 2 * scalar + 1 - (1 << (3 * n));
    digit[0] <== 0;
    for (var i = 1; i < n; i++) {
        // A hint, since a shift is not quadratic. Digit in the set (below) and the equation pin it.
        digit[i] <-- 2 * ((scalar >> (3 * i)) & 7) - 7;
        lowest -= digit[i] * (1 << (3 * i));
    }

    var offset[2] = EDDSA_OFFSET();
    var u0 = offset[0];
    var v0 = offset[1];
    for (var i = 0; i < n; i++) {
        var d = i == 0 ? lowest : digit[i];
        // z in {1, 9, 25, 49}: t = 0 leaves 1 and 49; t = -16z - 176 leaves z^2 - 34z + 225 = 0, so 9 and 25.
        z[i] <== d * d;
        t[i] <== (z[i] - 1) * (z[i] - 49);
        t[i] * (t[i] + 16 * z[i] + 176) === 0;
        // (1, z, t, w) is a basis of the functions on these four values: the table is a combination.
        w[i] <== z[i] * t[i];
        var u = table[i][0] + table[i][1] * z[i] + table[i][2] * t[i] + table[i][3] * w[i];
        v[i] <== d * (table[i][4] + table[i][5] * z[i] + table[i][6] * t[i] + table[i][7] * w[i]);
        // An incomplete addition; a division, hence a hint. See Ensures.
        slope[i] <-- (v[i] - v0) / (u - u0);
        slope[i] * (u - u0) === v[i] - v0;
        chainU[i] <== slope[i] * slope[i] - MONTGOMERY_A() - u0 - u;
        chainV[i] <== slope[i] * (u0 - chainU[i]) - v0;
        u0 = chainU[i];
        v0 = chainV[i];
    }
    out[0] <== chainU[n - 1];
    out[1] <== chainV[n - 1];
}
