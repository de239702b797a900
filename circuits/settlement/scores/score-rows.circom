pragma circom 2.1.6;

include "../../field/curve/montgomery.circom";

// The generators' tables come from a generated file that the main source includes (generator-tables.ts):
//   SCORE_TABLE_ROWS()     how many rows the tables are for
//   SCORE_TABLE(block)     64 rows of 8 constants: for the rows 64 * block ... the coefficients over (1, z, t, w) of the
//                          u-coordinate of d * H, then of its v-coordinate divided by d, for d = 1, 3, 5, 7
//   BLIND_TABLE()          the same for H', one row
//   PLANE_START(p)         B_p
//   SCORE_CORRECTION(D)    sum of all H_k + H' + sum of 8^p * B_p

// start + sum of digit[k] * H_k over a block of rows, for digits in {-7, -5, .. 7}: one digit plane.
//
// Parameters:  count: rows of the block; table[count][8]: as above.
// Inputs:      digit[count]: field elements, any values; start[2].
// Outputs:     out[2]; z, t, w[count]: the basis, of which a caller may combine functions of |digit|.
// Assumes:     start is B_p plus a sum of generators, the coefficients known; nobody knows a relation of B_p and the
//              generators.
// Ensures:     every digit is in the set and out is the sum. Exceptions: a sum equal to the next digit's point would
//              be a relation in which B_p has the coefficient 1; opposite points have no witness.
// Constraints: 8 * count; none linear.
template DigitPlane(count, table) {
    signal input digit[count];
    signal input start[2];
    signal output out[2];
    signal output z[count];
    signal output t[count];
    signal output w[count];
    signal v[count];
    signal slope[count];
    signal sumU[count];
    signal sumV[count];

    // A. Digits and points, as in FixedBaseMul: z in {1, 9, 25, 49}, and (1, z, t, w) is a basis of the functions
    //    on these four values. B. The slopes, for the witness only, with one division.
    var u[count];
    var X = start[0];
    var Y = start[1];
    var Z = 1;
    var R[count];
    var Zs[count];
    var before[count];
    var product = 1;
    for (var i = 0; i < count; i++) {
        z[i] <== digit[i] * digit[i];
        t[i] <== (z[i] - 1) * (z[i] - 49);
        t[i] * (t[i] + 16 * z[i] + 176) === 0;
        w[i] <== z[i] * t[i];
        var ui = table[i][0] + table[i][1] * z[i] + table[i][2] * t[i] + table[i][3] * w[i];
        v[i] <== digit[i] * (table[i][4] + table[i][5] * z[i] + table[i][6] * t[i] + table[i][7] * w[i]);
        u[i] = ui;

        var ZZ = Z * Z;
        var H = ui * ZZ - X;
        var HH = H * H;
        var Ri = v[i] * ZZ * Z - Y;
        Z = H * Z;
        var XHH = X * HH;
        X = Ri * Ri - MONTGOMERY_A() * Z * Z - XHH - ui * ZZ * HH;
        Y = Ri * (XHH - X) - Y * HH * H;
        before[i] = product;
        R[i] = Ri;
        Zs[i] = Z;
        product = product * Z;
    }
    var inverse = 1 / product;
    var hint[count];
    for (var i = count - 1; i >= 0; i--) {
        hint[i] = R[i] * inverse * before[i];
        inverse = inverse * Zs[i];
    }

    // C. The incomplete additions.
    var u0 = start[0];
    var v0 = start[1];
    for (var i = 0; i < count; i++) {
        // A division, hence a hint; the next line determines it, see Ensures.
        slope[i] <-- hint[i];
        slope[i] * (u[i] - u0) === v[i] - v0;
        sumU[i] <== slope[i] * slope[i] - MONTGOMERY_A() - u0 - u[i];
        sumV[i] <== slope[i] * (u0 - sumU[i]) - v0;
        u0 = sumU[i];
        v0 = sumV[i];
    }
    out[0] <== sumU[count - 1];
    out[1] <== sumV[count - 1];
}

// The digit planes of a block of rows, and the rows' weights.
//
// Parameters:  block: the block's number (rows 64 * block ...); count <= 64: its rows; D = 2 ... 9: digits of a score.
// Inputs:      scores[count]: hints only; no constraint reads them. start[D][2]: where the planes stand.
// Outputs:     out[D][2]: start plus the block's sums; positive[count] = max(0, s).
// Assumes:     as DigitPlane, for every plane.
// Ensures:     there is one integer s for every row, |2s + 1| < 8^D, such that out[p] - start[p] = sum of d_p * H_k for
//              the digits d_p of 2s + 1 = sum of 8^p * d_p (every odd number has exactly one such form), and
//              positive = s where s >= 0, else 0.
// Constraints: count * (8 * D + 2); none linear.
template ScoreRows(block, count, D) {
    signal input scores[count];
    signal input start[D][2];
    signal output out[D][2];
    signal output positive[count];
    signal digit[D][count];
    signal isPositive[count];

    component plane[D];
    for (var p = 0; p < D; p++) {
        plane[p] = DigitPlane(count, SCORE_TABLE(block));
        plane[p].start <== start[p];
        for (var k = 0; k < count; k++) {
            // A hint, since a shift is not quadratic: (2s + 1 + 8^D - 1) / 2 = sum of 8^p * (d_p + 7) / 2. DigitPlane
            // checks the set; which digits they are is the caller's equation.
            digit[p][k] <-- 2 * (((scores[k] + (1 << (3 * D - 1))) >> (3 * p)) & 7) - 7;
            plane[p].digit[k] <== digit[p][k];
        }
        out[p] <== plane[p].out;
    }
    var eighth = 1 / 8;
    var half = 1 / 2;
    var absT = SCORE_ABS_T();
    var absW = SCORE_ABS_W();
    for (var k = 0; k < count; k++) {
        // |d| as a combination of (1, z, t, w): 7 and 1 at z = 49 and 1, where t = w = 0; 3 at z = 9, t = -320;
        // 5 at z = 25, t = -576.
        var z = plane[D - 1].z[k];
        var absolute = 1 + (z - 1) * eighth + absT * plane[D - 1].t[k] + absW * plane[D - 1].w[k];
        // A hint, since a sign is not quadratic. d is not 0 and |d| as above, so this has the one solution
        // 2 * isPositive - 1 = |d| / d, which is 1 or -1. The top digit has the sign of the sum: the others add up
        // to at most 7 * (8^(D-1) - 1) / 7 in absolute value.
        isPositive[k] <-- ((scores[k] + (1 << (3 * D - 1))) >> (3 * D - 1)) & 1;
        (2 * isPositive[k] - 1) * digit[D - 1][k] === absolute;
        var doubled = -1;
        for (var p = 0; p < D; p++) { doubled += digit[p][k] * (1 << (3 * p)); }
        positive[k] <== isPositive[k] * (doubled * half);
    }
}

// At z = 9 and 25 the line 1 + (z - 1) / 8 has 2 and 4; a and b in (a + b * z) * t make 3 and 5 of them:
// a + 9b = -1 / 320, a + 25b = -1 / 576.
function SCORE_ABS_T() { return -1 / 320 - 9 * SCORE_ABS_W(); }
function SCORE_ABS_W() { return (1 / 320 - 1 / 576) / 16; }

// Number of base-8 digits of a doubled score: 2 * 127 * 255 * features + 1 < 8^D.
function SCORE_DIGITS(features) {
    assert(features <= 2072);
    return features <= 32 ? 7 : (features <= 259 ? 8 : 9);
}
