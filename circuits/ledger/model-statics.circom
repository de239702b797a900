pragma circom 2.1.6;

include "../field/poseidon.circom";
include "../field/range-check.circom";

// The hash of a model's statics, over its opened binding and split. Rules: hashStatics in leaf.ts.
//
// Inputs:      featuresCommitment, ownersCommitment, payeeRoot; rowTotal: N; origin: datanet 24 | version 32 << 24;
//              predecessor; shape: log2 K 3 | d 12 << 3 of the settlement circuit; further: ids of datanets 1 … 5, 24 bits each;
//              ownerParts, validatorParts.
// Outputs:     statics.
// Assumes:     shape < 2^15, further < 2^120: constants of Settlement, range-checked by the others.
// Ensures:     statics is the hash, origin < 2^56, rowTotal < 2^32, predecessor < 2^24, parts < 2^16: binding (247 bits) and
//              split (32 bits) have no other opening, since each summand has a range of its own.
// Constraints: 321 + 56 + 32 + 24 + 2 · 16 + 2; of these 2 linear.
template ModelStatics() {
    signal input featuresCommitment;
    signal input ownersCommitment;
    signal input payeeRoot;
    signal input rowTotal;
    signal input origin;
    signal input predecessor;
    signal input shape;
    signal input further;
    signal input ownerParts;
    signal input validatorParts;
    signal output statics;

    component ranges[5];
    var widths[5] = [56, 32, 24, 16, 16];
    for (var i = 0; i < 5; i++) { ranges[i] = RangeCheck(widths[i]); }
    ranges[0].in <== origin;
    ranges[1].in <== rowTotal;
    ranges[2].in <== predecessor;
    ranges[3].in <== ownerParts;
    ranges[4].in <== validatorParts;

    component hash = HashTagged(5, 10);
    hash.in[0] <== featuresCommitment;
    hash.in[1] <== ownersCommitment;
    hash.in[2] <== payeeRoot;
    hash.in[3] <== origin + (1 << 56) * rowTotal + (1 << 88) * predecessor + (1 << 112) * shape + (1 << 127) * further;
    hash.in[4] <== ownerParts + (1 << 16) * validatorParts;
    statics <== hash.out;
}
