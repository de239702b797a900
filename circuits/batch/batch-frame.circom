pragma circom 2.1.6;

include "../field/data-commitment.circom";
include "../ledger/merkle8.circom";
include "./slot-parts.circom";

// What a batch states beside its slots: header, fee leaf, elements, C and y. Slots and frame meet in named values only,
// so a batch of any size can be put together from one compiled slot of each sort and one frame (docs/composition.md).
//
// Parameters:  depth 1 … 8; narrow (even) and wide ≥ 1: numbers of slots.
// Inputs:      z; header fields; the fee leaf and its path; of every slot what it puts out (narrow-slot.circom,
//              wide-slot.circom) and its words; lastRoot and lastNextId: the last slot's.
// Outputs:     commitment (C), y.
// Assumes:     isUsed, isSigned, hasPayload and hasWord are booleans; fees below 2^70 and ids below 2^25, as slots ensure.
// Ensures:     nulls are a suffix of each section; the fee leaf gets exactly the fees; header fields have their widths;
//              every element is bound by C; y is their polynomial's value at z.
// Constraints: constraint-counts.json, "BatchFrame(8, narrow, wide)".
//
// Phases: A header, B order of slots, C fee leaf, D elements and C, E y.
template BatchFrame(depth, narrow, wide) {
    // An odd last narrow core would be in no element, so its slot would be executed and not posted; ids have 24 bits in
    // cores, and the header's counts 16.
    assert(depth >= 1 && depth <= 8 && narrow % 2 == 0 && wide >= 1 && narrow + wide < (1 << 16));
    signal input z;
    signal input domain;
    signal input oldRoot;
    signal input batchNumber;
    signal input timestamp;
    signal input firstOpIndex;
    signal input oldNextId;
    signal input feePerUnit;
    signal input idFee;
    signal input feeIdBits[3 * depth];
    signal input feeLeaf[9];
    signal input feeChildren[depth][8];

    signal input narrowPayload[narrow];
    signal input narrowCore[narrow];
    signal input narrowIsUsed[narrow];
    signal input narrowHasPayload[narrow];
    signal input narrowFeeWei[narrow];
    signal input wideWords[wide][7];
    signal input wideCore[wide];
    signal input wideHasWord[wide][7];
    signal input wideIsUsed[wide];
    signal input wideIsSigned[wide];
    signal input wideFeeWei[wide];
    signal input lastRoot;
    signal input lastNextId;

    signal output commitment;
    signal output y;

    // A. Header. Every packed field is range-checked, so the packing is injective.
    component ranges[5];
    var widths[5] = [40, 40, 40, 25, 64];
    for (var i = 0; i < 5; i++) { ranges[i] = RangeCheck(widths[i]); }
    ranges[0].in <== batchNumber;
    ranges[1].in <== timestamp;
    ranges[2].in <== firstOpIndex;
    ranges[3].in <== oldNextId;
    ranges[4].in <== feePerUnit;
    component idFeeRange = RangeCheck(96);
    idFeeRange.in <== idFee;

    // B. Order and sums of the slots.
    var fees = 0;
    var signedSum = 0;
    var payloadSum = 0;
    for (var i = 0; i < narrow; i++) {
        fees += narrowFeeWei[i];
        signedSum += narrowIsUsed[i];
        payloadSum += narrowHasPayload[i];
        if (i > 0) { narrowIsUsed[i] * (1 - narrowIsUsed[i - 1]) === 0; }
    }
    for (var i = 0; i < wide; i++) {
        fees += wideFeeWei[i];
        signedSum += wideIsSigned[i];
        if (i > 0) { wideIsUsed[i] * (1 - wideIsUsed[i - 1]) === 0; }
    }

    // C. Fee leaf, after all slots: as A or B of a slot it has no rule of its own. It exists, since no fields hash to 0
    //    under a leaf's tag.
    var feeIdSum = 0;
    for (var i = 0; i < 3 * depth; i++) {
        feeIdBits[i] * (1 - feeIdBits[i]) === 0;
        feeIdSum += (1 << i) * feeIdBits[i];
    }
    signal newFeeBalance <== feeLeaf[4] + fees;
    component feeRange = RangeCheck(96);
    feeRange.in <== newFeeBalance;
    component feeTag = LeafTag();
    feeTag.tag <== feeLeaf[0];
    feeTag.isEmpty <== 0;
    component feeHash[2];
    feeHash[0] = LeafHash();
    feeHash[1] = LeafHash();
    for (var i = 0; i < 9; i++) {
        feeHash[0].leaf[i] <== feeLeaf[i];
        if (i == 4) { feeHash[1].leaf[i] <== newFeeBalance; } else { feeHash[1].leaf[i] <== feeLeaf[i]; }
    }
    component feePath = PathUpdate8(depth);
    feePath.oldRoot <== lastRoot;
    feePath.oldLeaf <== feeHash[0].out;
    feePath.newLeaf <== feeHash[1].out;
    feePath.idBits <== feeIdBits;
    feePath.children <== feeChildren;

    // D. Elements, every one at a fixed place.
    var half = narrow \ 2;
    var fixedCount = 5 + half + wide;
    var total = fixedCount + narrow + 7 * wide;
    signal e[total];
    e[0] <== domain;
    e[1] <== oldRoot;
    e[2] <== feePath.newRoot;
    e[3] <== batchNumber + (1 << 40) * timestamp + (1 << 80) * firstOpIndex + (1 << 120) * oldNextId + (1 << 145) * lastNextId + (1 << 170) * feeIdSum + (1 << 194) * signedSum + (1 << 210) * payloadSum;
    e[4] <== feePerUnit + (1 << 64) * idFee;
    for (var i = 0; i < half; i++) { e[5 + i] <== narrowCore[2 * i] + (1 << 92) * narrowCore[2 * i + 1]; }
    for (var i = 0; i < wide; i++) { e[5 + half + i] <== wideCore[i]; }
    for (var i = 0; i < narrow; i++) { e[fixedCount + i] <== narrowPayload[i]; }
    for (var i = 0; i < wide; i++) {
        for (var j = 0; j < 7; j++) { e[fixedCount + narrow + 7 * i + j] <== wideWords[i][j]; }
    }
    component data = DataCommitment(total);
    data.in <== e;
    commitment <== data.out;

    // E. y by Horner from the last element. An absent place neither adds (its element is 0) nor shifts. Presence
    //    comes from kinds, which C fixes: a free flag would let a prover move elements after z is known.
    signal shifted[narrow + 7 * wide];
    signal horner[total + 1];
    horner[total] <== 0;
    for (var i = total - 1; i >= 0; i--) {
        if (i >= fixedCount) {
            var k = i - fixedCount;
            shifted[k] <== horner[i + 1] * z;
            if (k < narrow) {
                horner[i] <== horner[i + 1] + narrowHasPayload[k] * (shifted[k] - horner[i + 1]) + e[i];
            } else {
                horner[i] <== horner[i + 1] + wideHasWord[(k - narrow) \ 7][(k - narrow) % 7] * (shifted[k] - horner[i + 1]) + e[i];
            }
        } else {
            horner[i] <== horner[i + 1] * z + e[i];
        }
    }
    y <== horner[0];
}
