pragma circom 2.1.6;

include "../../node_modules/circomlib/circuits/poseidon_constants.circom";
include "./poseidon-constants.circom";

// Poseidon with circomlib's constants and circomlib's values, written to emit no linear constraint at --O1.
// What each form cost when it was chosen, for 8 inputs (constraints, non-zeros, of these in A and B,
// milliseconds for a witness): circomlib 405 + 766 linear, 4401, 810, 2.1; state in vars 402, about 11,500,
// 7,500; this file 402, 7007, 4014, 0.74; this file with the state named once after the partial rounds
// 402 + 8 linear, 5871, 2286, 0.76. Two per cent more wires cost a prover more than those non-zeros do.

function POSEIDON_PARTIAL_ROUNDS(t) {
    var counts[16] = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];
    return counts[t - 2];
}

// The permutation over linear combinations of signals: hash input i is the sum of W[i][j] * in[j].
//
// Components take combinations only through a linear constraint each; a caller that wants to hash sums of its
// signals passes the signals and the matrix instead.
//
// Parameters: n = 1 .. 16 hash inputs; k signals; W[n][k] constants; tagSignalCount = 0 (capacity is the
//             constant `tag`) or 1 (capacity is tagSignal[0], `tag` is ignored).
// Inputs:     in[k], tagSignal[tagSignalCount]: field elements, any value.
// Outputs:    out: first element of the permuted state (tag, hash inputs).
// Assumes:    nothing.
// Ensures:    out is circomlib's Poseidon of the n combinations with that initial state; every wire is
//             determined by the inputs.
// Constraints: 3 * (8t + partial rounds), t = n + 1, less 3 where the capacity is constant; none linear.
template PoseidonCore(n, k, W, tagSignalCount, tag) {
    assert(n >= 1 && n <= 16);
    signal input in[k];
    signal input tagSignal[tagSignalCount];
    signal output out;

    var t = n + 1;
    var RP = POSEIDON_PARTIAL_ROUNDS(t);
    var C[8 * t + RP] = POSEIDON_C(t);
    var S[RP * (2 * t - 1)] = POSEIDON_S(t);
    var M[t][t] = POSEIDON_M(t);
    var P[t][t] = POSEIDON_P(t);
    var M00_INV = POSEIDON_M00_INV(t);

    signal f2[8][t];
    signal f3[8][t];
    signal f5[8][t];
    signal p2[RP];
    signal p3[RP];
    signal x[RP + 1];

    // The state s is never a signal: each element is a linear combination of signals, kept in a var.
    var s[t];
    var z[t];
    for (var i = 0; i < n; i++) {
        s[i + 1] = C[i + 1];
        for (var j = 0; j < k; j++) {
            if (W[i][j] != 0) { s[i + 1] += W[i][j] * in[j]; }
        }
    }

    // A. Four full rounds: three constraints for each fifth power. A constant capacity's first one is free. The power is the
    //    cube times the square, each factor on a side of its own: so a cube is no wire of matrix B, a square none of A, and the
    //    proving key has a third fewer points there than by the square's square. In partial rounds it is the other way round.
    for (var r = 0; r < 4; r++) {
        for (var j = 0; j < t; j++) {
            if (r == 0 && j == 0 && tagSignalCount == 0) {
                var c = tag + C[0];
                z[0] = c * c * c * c * c;
            } else {
                if (r == 0 && j == 0) { s[0] = tagSignal[0] + C[0]; }
                f2[r][j] <== s[j] * s[j];
                f3[r][j] <== f2[r][j] * s[j];
                f5[r][j] <== f3[r][j] * f2[r][j];
                z[j] = f5[r][j];
            }
            z[j] += C[(r + 1) * t + j];
        }
        for (var i = 0; i < t; i++) {
            s[i] = 0;
            for (var j = 0; j < t; j++) {
                if (r == 3) { s[i] += P[j][i] * z[j]; } else { s[i] += M[j][i] * z[j]; }
            }
        }
    }

    // B. Partial rounds in the sparse form: next s[0] = M00 * z + rest, other s[j] += S * z, z = s[0]^5 + C.
    //    Naming the *next input* x[r+1] of the fifth power, not its output, keeps that input a single wire in
    //    all three constraints; z is written as (x[r+1] - rest) / M00. Only one long combination is left a round.
    for (var r = 0; r < RP; r++) {
        var rest = 0;
        for (var j = 1; j < t; j++) { rest += S[(2 * t - 1) * r + j] * s[j]; }
        p2[r] <== s[0] * s[0];
        p3[r] <== p2[r] * s[0];
        // A hint, since <== would need z as a signal too. The constraint two lines on is linear in x[r+1] with
        // the coefficient 1 / M00, which is not 0: one x[r+1] satisfies it. Forged in poseidon.test.ts.
        x[r + 1] <-- (p2[r] * p3[r] + C[5 * t + r]) * S[(2 * t - 1) * r] + rest;
        var y = (x[r + 1] - rest) * M00_INV;
        p2[r] * p3[r] === y - C[5 * t + r];
        for (var j = 1; j < t; j++) { s[j] += S[(2 * t - 1) * r + t + j - 1] * y; }
        s[0] = x[r + 1];
    }

    // C. Four full rounds. Of the last one's mix only the first element is needed.
    for (var r = 4; r < 8; r++) {
        for (var j = 0; j < t; j++) {
            f2[r][j] <== s[j] * s[j];
            f3[r][j] <== f2[r][j] * s[j];
            if (r < 7) {
                f5[r][j] <== f3[r][j] * f2[r][j];
                z[j] = f5[r][j] + C[(r + 1) * t + RP + j];
            }
        }
        if (r < 7) {
            for (var i = 0; i < t; i++) {
                s[i] = 0;
                for (var j = 0; j < t; j++) { s[i] += M[j][i] * z[j]; }
            }
        }
    }
    var others = 0;
    for (var j = 1; j < t; j++) {
        f5[7][j] <== f3[7][j] * f2[7][j];
        others += M[j][0] * f5[7][j];
    }
    // The last fifth power is not named: out = M00 * power + others, hence power = (out - others) / M00. Its
    // constraint has the coefficient 1 / M00 at out, so one value satisfies it, and no linear constraint is left
    // over for the output. Forged in poseidon.test.ts.
    out <-- M[0][0] * (f2[7][0] * f3[7][0]) + others;
    f3[7][0] * f2[7][0] === (out - others) * M00_INV;
}

// Poseidon with a constant domain tag as its capacity, which costs nothing.
//
// Parameters: n = 1 .. 16; tag: a constant below r, one for each use (see protocol.ts).
// Inputs:     in[n]: field elements, any value.
// Outputs:    out = circomlibjs' poseidon(in, tag).
// Assumes:    nothing.
// Ensures:    out is determined by in.
// Constraints: n = 2, 4, 5, 6, 8, 10, 16: 240, 297, 321, 354, 402, 459, 609; none linear.
template HashTagged(n, tag) {
    signal input in[n];
    signal output out;
    component core = PoseidonCore(n, n, POSEIDON_IDENTITY(n), 0, tag);
    core.in <== in;
    out <== core.out;
}

// As HashTagged, with the tag as a signal.
//
// Parameters: n = 1 .. 16.
// Inputs:     tag, in[n]: field elements, any value.
// Outputs:    out = circomlibjs' poseidon(in, tag).
// Assumes:    nothing: which tags may occur is the caller's rule.
// Ensures:    out is determined by tag and in.
// Constraints: 3 more than HashTagged(n); none linear.
template HashTaggedVar(n) {
    signal input tag;
    signal input in[n];
    signal output out;
    component core = PoseidonCore(n, n, POSEIDON_IDENTITY(n), 1, 0);
    core.in <== in;
    core.tagSignal[0] <== tag;
    out <== core.out;
}

function POSEIDON_IDENTITY(n) {
    var identity[16][16];
    for (var i = 0; i < n; i++) { identity[i][i] = 1; }
    return identity;
}
