pragma circom 2.1.6;

include "./data-commitment.circom";
include "./narrow-slot.circom";
include "./wide-slot.circom";

// A batch of the ledger. The statement: "C commits to a data vector that describes a correct transition, and the
// vector's polynomial has the value y at z" (docs/ledger.md, "Batch data"). Model: batch.ts, batch-data.ts.
//
// Parameters:  depth 1 … 8; narrow (even) and wide: numbers of slots; approvalDelay in seconds.
// Public:      commitment (C), y; z. L1 computes z from C and from every element that it evaluates, so the vector is
//              fixed before z is known.
// Inputs:      header fields; slots' witnesses (narrow-slot.circom, wide-slot.circom) as arrays over slots; the fee
//              leaf and its path.
// Assumes:     L1 compares oldRoot, batchNumber, firstOpIndex, oldNextId with its own state, domain and idFee with its
//              constants, timestamp with its clock, queue words with its queue.
// Ensures:     slots are applied in order, narrow first; nulls are a suffix of each section; the fee leaf gets exactly
//              the fees; counts and ids in the header are those of the slots; every element is bound by C.
// Constraints: constraint-counts.json, "LedgerBatch(8, narrow, wide)".
//
// Phases: A header, B narrow slots, C wide slots, D fee leaf, E elements and C, F y.
template LedgerBatch(depth, narrow, wide, approvalDelay) {
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

    signal input narrowFlags[narrow][3];
    signal input narrowABits[narrow][3 * depth];
    signal input narrowBBits[narrow][3 * depth];
    signal input narrowAmountBits[narrow][40];
    signal input narrowPayload[narrow];
    signal input narrowA[narrow][9];
    signal input narrowB[narrow][9];
    signal input narrowChildrenA[narrow][depth][8];
    signal input narrowChildrenB[narrow][depth][8];
    // maxFeePerUnit, keyY, r8x, r8y, s, cap, paymentCount, epoch, price
    signal input narrowRest[narrow][9];

    signal input wideFlags[wide][20];
    signal input wideABits[wide][3 * depth];
    signal input wideBBits[wide][3 * depth];
    signal input wideAmountBits[wide][40];
    signal input wideWords[wide][7];
    signal input wideIsMissing[wide][2];
    signal input wideA[wide][9];
    signal input wideB[wide][9];
    signal input wideChildrenA[wide][depth][8];
    signal input wideChildrenB[wide][depth][8];
    // maxFeePerUnit, keyY, r8x, r8y, s, ready, approved, cap, paymentCount, epoch, price
    signal input wideRest[wide][11];
    signal input wideDatanet[wide][7];
    // statics[5], sealed, accruedRoot, claimedRoot, epochStart, newAccruedRoot, claimedWei
    signal input wideModel[wide][11];
    signal input wideAccruedChildren[wide][3][8];
    signal input wideClaimedChildren[wide][3][8];
    signal input wideScratchBits[wide][201];

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

    // B. Narrow slots.
    component n[narrow];
    var fees = 0;
    var signedSum = 0;
    var payloadSum = 0;
    for (var i = 0; i < narrow; i++) {
        n[i] = NarrowSlot(depth);
        if (i == 0) { n[i].oldRoot <== oldRoot; } else { n[i].oldRoot <== n[i - 1].newRoot; }
        n[i].domain <== domain;
        n[i].feePerUnit <== feePerUnit;
        n[i].flags <== narrowFlags[i];
        n[i].aBits <== narrowABits[i];
        n[i].bBits <== narrowBBits[i];
        n[i].amountBits <== narrowAmountBits[i];
        n[i].payload <== narrowPayload[i];
        n[i].a <== narrowA[i];
        n[i].b <== narrowB[i];
        n[i].childrenA <== narrowChildrenA[i];
        n[i].childrenB <== narrowChildrenB[i];
        n[i].maxFeePerUnit <== narrowRest[i][0];
        n[i].keyY <== narrowRest[i][1];
        n[i].r8x <== narrowRest[i][2];
        n[i].r8y <== narrowRest[i][3];
        n[i].s <== narrowRest[i][4];
        n[i].cap <== narrowRest[i][5];
        n[i].paymentCount <== narrowRest[i][6];
        n[i].epoch <== narrowRest[i][7];
        n[i].price <== narrowRest[i][8];
        fees += n[i].feeWei;
        signedSum += n[i].isUsed;
        payloadSum += n[i].hasPayload;
        if (i > 0) { n[i].isUsed * (1 - n[i - 1].isUsed) === 0; }
    }

    // C. Wide slots.
    component w[wide];
    for (var i = 0; i < wide; i++) {
        w[i] = WideSlot(depth, approvalDelay);
        if (i == 0) {
            if (narrow == 0) { w[i].oldRoot <== oldRoot; } else { w[i].oldRoot <== n[narrow - 1].newRoot; }
            w[i].nextId <== oldNextId;
        } else {
            w[i].oldRoot <== w[i - 1].newRoot;
            w[i].nextId <== w[i - 1].newNextId;
        }
        w[i].domain <== domain;
        w[i].timestamp <== timestamp;
        w[i].batchNumber <== batchNumber;
        w[i].feePerUnit <== feePerUnit;
        w[i].idFee <== idFee;
        w[i].flags <== wideFlags[i];
        w[i].aBits <== wideABits[i];
        w[i].bBits <== wideBBits[i];
        w[i].amountBits <== wideAmountBits[i];
        w[i].words <== wideWords[i];
        w[i].isMissingA <== wideIsMissing[i][0];
        w[i].isMissingB <== wideIsMissing[i][1];
        w[i].a <== wideA[i];
        w[i].b <== wideB[i];
        w[i].childrenA <== wideChildrenA[i];
        w[i].childrenB <== wideChildrenB[i];
        w[i].maxFeePerUnit <== wideRest[i][0];
        w[i].keyY <== wideRest[i][1];
        w[i].r8x <== wideRest[i][2];
        w[i].r8y <== wideRest[i][3];
        w[i].s <== wideRest[i][4];
        w[i].ready <== wideRest[i][5];
        w[i].approved <== wideRest[i][6];
        w[i].cap <== wideRest[i][7];
        w[i].paymentCount <== wideRest[i][8];
        w[i].epoch <== wideRest[i][9];
        w[i].price <== wideRest[i][10];
        w[i].datanet <== wideDatanet[i];
        for (var j = 0; j < 5; j++) { w[i].statics[j] <== wideModel[i][j]; }
        w[i].sealed <== wideModel[i][5];
        w[i].accruedRoot <== wideModel[i][6];
        w[i].claimedRoot <== wideModel[i][7];
        w[i].epochStart <== wideModel[i][8];
        w[i].newAccruedRoot <== wideModel[i][9];
        w[i].claimedWei <== wideModel[i][10];
        w[i].accruedChildren <== wideAccruedChildren[i];
        w[i].claimedChildren <== wideClaimedChildren[i];
        w[i].scratchBits <== wideScratchBits[i];
        fees += w[i].feeWei;
        signedSum += w[i].isSigned;
        if (i > 0) { w[i].isUsed * (1 - w[i - 1].isUsed) === 0; }
    }

    // D. Fee leaf, after all slots: as A or B of a slot it has no rule of its own. It exists, since no fields hash to 0
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
    feePath.oldRoot <== w[wide - 1].newRoot;
    feePath.oldLeaf <== feeHash[0].out;
    feePath.newLeaf <== feeHash[1].out;
    feePath.idBits <== feeIdBits;
    feePath.children <== feeChildren;

    // E. Elements, every one at a fixed place.
    var half = narrow \ 2;
    var fixedCount = 5 + half + wide;
    var total = fixedCount + narrow + 7 * wide;
    signal e[total];
    e[0] <== domain;
    e[1] <== oldRoot;
    e[2] <== feePath.newRoot;
    e[3] <== batchNumber + (1 << 40) * timestamp + (1 << 80) * firstOpIndex + (1 << 120) * oldNextId + (1 << 145) * w[wide - 1].newNextId + (1 << 170) * feeIdSum + (1 << 194) * signedSum + (1 << 210) * payloadSum;
    e[4] <== feePerUnit + (1 << 64) * idFee;
    for (var i = 0; i < half; i++) { e[5 + i] <== n[2 * i].core + (1 << 92) * n[2 * i + 1].core; }
    for (var i = 0; i < wide; i++) { e[5 + half + i] <== w[i].core; }
    for (var i = 0; i < narrow; i++) { e[fixedCount + i] <== narrowPayload[i]; }
    for (var i = 0; i < wide; i++) {
        for (var j = 0; j < 7; j++) { e[fixedCount + narrow + 7 * i + j] <== wideWords[i][j]; }
    }
    component data = DataCommitment(total);
    data.in <== e;
    commitment <== data.out;

    // F. y by Horner from the last element. An absent place neither adds (its element is 0) nor shifts. Presence
    //    comes from kinds, which C fixes: a free flag would let a prover move elements after z is known.
    signal shifted[narrow + 7 * wide];
    signal horner[total + 1];
    horner[total] <== 0;
    for (var i = total - 1; i >= 0; i--) {
        if (i >= fixedCount) {
            var k = i - fixedCount;
            shifted[k] <== horner[i + 1] * z;
            if (k < narrow) {
                horner[i] <== horner[i + 1] + n[k].hasPayload * (shifted[k] - horner[i + 1]) + e[i];
            } else {
                horner[i] <== horner[i + 1] + w[(k - narrow) \ 7].hasWord[(k - narrow) % 7] * (shifted[k] - horner[i + 1]) + e[i];
            }
        } else {
            horner[i] <== horner[i + 1] * z + e[i];
        }
    }
    y <== horner[0];
}
