pragma circom 2.1.6;

include "../montgomery.circom";
include "../eddsa-tables.circom";
include "./signature-tables.circom";

// As FixedBaseMul, but for a scalar that nothing is asked of, which is what a signature's S is:
// C + s * B8 - (16^63 - 1) * (B8 / 2) for some integer s < 2^252 that the prover knows, where C is EDDSA_OFFSET and B8 / 2 the half modulo l.
//
// s = (sum of d_i * 16^i + 16^63 - 1) / 2 with 63 odd digits d in {-15, -13, .. 15}; the chain adds d_i * 16^i * (B8 / 2)
// to C one after another. Odd digits need no point at infinity, and a digit's sign is that of v alone.
//
// Inputs:     scalar: s, for hints. No rule but the line that names it reads it: the points themselves say which s it is.
// Outputs:    out[2]: Montgomery coordinates.
// Assumes:    nobody knows a discrete logarithm of C.
// Ensures:    out is the point above for the s that the shown points spell. Exceptions: a sum's terms are equal only if
//             C = (known) * B8, a discrete logarithm of a hash; opposite terms have no witness.
// Constraints: 1 + 63 * 7 = 442; none linear.
template BasePoints() {
    signal input scalar;
    signal output out[2];

    var n = 63;
    var points[63][16] = SIGNATURE_POINTS();
    var forms[63][9] = SIGNATURE_FORMS();
    signal baseU[n];
    signal baseV[n];
    signal t[n];
    signal w[n];
    signal slope[n];
    signal chainU[n];
    signal chainV[n];

    // It only tells row-steps.ts which wire the hints are of.
    signal scalarSquare <== scalar * scalar;

    // A. A window's point is one of 16, in four rows. t and w follow from u. The third row's difference is N(u), of degree 8,
    //    with the window's eight u as its roots (windowForm). The fourth is the curve's equation v^2 = u t + 168698 t + u:
    //    with w = t^2 + q u t and p = (1 + q) / 2, the square (t + p u)^2 is w + u t + p^2 t. So v has one of two values.
    for (var i = 0; i < n; i++) {
        // Looked up, hence hints: the four rows leave these 16 points only.
        var digit = (scalar >> (4 * i)) & 15;
        var at = digit < 8 ? 2 * (7 - digit) : 2 * (digit - 8);
        baseU[i] <-- points[i][at];
        baseV[i] <-- digit < 8 ? -points[i][at + 1] : points[i][at + 1];
        t[i] <== baseU[i] * baseU[i];
        w[i] <== t[i] * (t[i] + forms[i][0] * baseU[i]);
        (w[i] + forms[i][1] * t[i] + forms[i][2] * baseU[i]) * (w[i] + forms[i][3] * t[i] + forms[i][4] * baseU[i]) === forms[i][5] * w[i] + forms[i][6] * t[i] + forms[i][7] * baseU[i] + forms[i][8];
        var p = (1 + forms[i][0]) / 2;
        (baseV[i] - t[i] - p * baseU[i]) * (baseV[i] + t[i] + p * baseU[i]) === (MONTGOMERY_A() - p * p) * t[i] + baseU[i] - w[i];
    }

    // B. The slopes, for the witness only, with one division: see FixedBaseMul, B.
    var offset[2] = EDDSA_OFFSET();
    var X = offset[0];
    var Y = offset[1];
    var Z = 1;
    var R[n];
    var Zs[n];
    var before[n]; // product of the Z before this one
    var product = 1;
    for (var i = 0; i < n; i++) {
        var ZZ = Z * Z;
        var H = baseU[i] * ZZ - X;
        var HH = H * H;
        R[i] = baseV[i] * ZZ * Z - Y;
        Z = H * Z;
        var XHH = X * HH;
        X = R[i] * R[i] - MONTGOMERY_A() * Z * Z - XHH - baseU[i] * ZZ * HH;
        Y = R[i] * (XHH - X) - Y * HH * H;
        before[i] = product;
        Zs[i] = Z;
        product = product * Z;
    }
    var inverse = 1 / product;
    var hint[n];
    for (var i = n - 1; i >= 0; i--) {
        hint[i] = R[i] * inverse * before[i];
        inverse = inverse * Zs[i];
    }

    // C. The incomplete additions.
    var u0 = offset[0];
    var v0 = offset[1];
    for (var i = 0; i < n; i++) {
        // A division, hence a hint; the next line determines it, see Ensures for baseU[i] = u0.
        slope[i] <-- hint[i];
        (baseU[i] - u0) * slope[i] === baseV[i] - v0;
        chainU[i] <== slope[i] * slope[i] - MONTGOMERY_A() - u0 - baseU[i];
        chainV[i] <== (u0 - chainU[i]) * slope[i] - v0;
        u0 = chainU[i];
        v0 = chainV[i];
    }
    out[0] <== chainU[n - 1];
    out[1] <== chainV[n - 1];
}
