pragma circom 2.1.6;

include "../../field/curve/montgomery.circom";
include "../../field/hash-chain.circom";

// One column commitment C = (u, v): on the curve, and 3C. Shared by all draws of a proof.
//
// Inputs:      u, v: the prover's.
// Outputs:     triple[2].
// Assumes:     nothing.
// Ensures:     (u, v) is on the curve and not (0, 0); triple = 3 * (u, v).
// Constraints: 3 + 3 + 3 = 9; none linear.
template FeatureColumn() {
    signal input u;
    signal input v;
    signal output triple[2];

    signal uSquare <== u * u;
    signal right <== u * (uSquare + MONTGOMERY_A() * u + 1);
    v * v === right;
    // The doubling has no witness for v = 0, and any other point on the curve has one slope.
    component twice = MontgomeryDouble();
    twice.u <== u;
    twice.v <== v;
    twice.uSquare <== uSquare;
    // 2C = C would be C = 0, which has no coordinates; 2C = -C would be order 3, which 8l has not.
    component thrice = UnsafeMontgomeryAdd();
    thrice.a[0] <== twice.outU;
    thrice.a[1] <== twice.outV;
    thrice.b[0] <== u;
    thrice.b[1] <== v;
    triple <== thrice.out;
}

// The column commitments of a model: checked, tripled and hashed once a proof. Rules: columnsCommitment in
// feature-commitment.ts; format: docs/reference/settlement.md.
//
// Parameters:  features >= 1.
// Inputs:      u[features], v[features]: Montgomery coordinates of C_j, the prover's.
// Outputs:     tripleU, tripleV: 3 * C_j; commitment.
// Assumes:     nothing.
// Ensures:     every C_j is on the curve and not (0, 0); commitment is columnsCommitment of them. A second set of
//              columns with the same commitment is a collision of the hash: the u are hashed themselves, and of the
//              two v that a u has, the groups' sums tell which: rho is fixed by all u, and two different choices of
//              signs have the same sum for fewer than 3^64 / 2^252 of all rho.
// Constraints: 9 * features + 609 * (ceil(features / 15) + ceil(ceil(features / 64) / 15))
//              + features - ceil(features / 64); none linear.
template FeatureColumns(features) {
    signal input u[features];
    signal input v[features];
    signal output tripleU[features];
    signal output tripleV[features];
    signal output commitment;

    component column[features];
    for (var j = 0; j < features; j++) {
        column[j] = FeatureColumn();
        column[j].u <== u[j];
        column[j].v <== v[j];
        tripleU[j] <== column[j].triple[0];
        tripleV[j] <== column[j].triple[1];
    }
    component uHash = HashChain(features, 16);
    uHash.start <== features;
    uHash.in <== u;

    // Horner in rho over groups of 64; a group's first value is v itself.
    var groups = (features + 63) \ 64;
    signal sum[features];
    component groupHash = HashChain(groups, 16);
    groupHash.start <== uHash.out;
    for (var j = 0; j < features; j++) {
        if (j % 64 == 0) { sum[j] <== v[j]; } else { sum[j] <== sum[j - 1] * uHash.out + v[j]; }
        if (j % 64 == 63 || j == features - 1) { groupHash.in[j \ 64] <== sum[j]; }
    }
    commitment <== groupHash.out;
}
