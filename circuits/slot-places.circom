pragma circom 2.1.6;

include "./narrow-slot.circom";
include "./wide-slot.circom";

// A slot as the batch lays it out: the batch's input narrowX[i] or wideX[i] is the i-th place's input x. Each template is
// compiled by itself, too (docs/composition.md): what a place shares with its neighbours and the frame are then its public
// signals, all else is its own.

// Parameters:  depth of the tree. Inputs, outputs, assumptions and rules: NarrowSlot. rest: maxFeePerUnit, keyY, r8x,
//              r8y, s, cap, paymentCount, epoch, price.
// Constraints: NarrowSlot's; every line is an equality of two signals.
template NarrowPlace(depth) {
    signal input oldRoot;
    signal input domain;
    signal input feePerUnit;
    signal input payload;
    signal input flags[3];
    signal input aBits[3 * depth];
    signal input bBits[3 * depth];
    signal input amountBits[40];
    signal input a[9];
    signal input b[9];
    signal input childrenA[depth][8];
    signal input childrenB[depth][8];
    signal input rest[9];
    signal output newRoot;
    signal output core;
    signal output isUsed;
    signal output hasPayload;
    signal output feeWei;

    component slot = NarrowSlot(depth);
    slot.oldRoot <== oldRoot;
    slot.domain <== domain;
    slot.feePerUnit <== feePerUnit;
    slot.payload <== payload;
    slot.flags <== flags;
    slot.aBits <== aBits;
    slot.bBits <== bBits;
    slot.amountBits <== amountBits;
    slot.a <== a;
    slot.b <== b;
    slot.childrenA <== childrenA;
    slot.childrenB <== childrenB;
    slot.maxFeePerUnit <== rest[0];
    slot.keyY <== rest[1];
    slot.r8x <== rest[2];
    slot.r8y <== rest[3];
    slot.s <== rest[4];
    slot.cap <== rest[5];
    slot.paymentCount <== rest[6];
    slot.epoch <== rest[7];
    slot.price <== rest[8];
    newRoot <== slot.newRoot;
    core <== slot.core;
    isUsed <== slot.isUsed;
    hasPayload <== slot.hasPayload;
    feeWei <== slot.feeWei;
}

// Parameters:  depth of the tree; approvalDelay. Inputs, outputs, assumptions and rules: WideSlot. isMissing: isMissingA,
//              isMissingB. rest: maxFeePerUnit, keyY, r8x, r8y, s, ready, approved, cap, paymentCount, epoch, price.
//              model: statics[5], sealed, accruedRoot, claimedRoot, epochStart, newAccruedRoot, claimedWei.
// Constraints: WideSlot's; every line is an equality of two signals.
template WidePlace(depth, approvalDelay) {
    signal input oldRoot;
    signal input nextId;
    signal input domain;
    signal input timestamp;
    signal input batchNumber;
    signal input feePerUnit;
    signal input idFee;
    signal input words[7];
    signal input flags[20];
    signal input aBits[3 * depth];
    signal input bBits[3 * depth];
    signal input amountBits[40];
    signal input isMissing[2];
    signal input a[9];
    signal input b[9];
    signal input childrenA[depth][8];
    signal input childrenB[depth][8];
    signal input rest[11];
    signal input datanet[7];
    signal input model[11];
    signal input accruedChildren[3][8];
    signal input claimedChildren[3][8];
    signal input scratchBits[201];
    signal output newRoot;
    signal output newNextId;
    signal output core;
    signal output hasWord[7];
    signal output isUsed;
    signal output isSigned;
    signal output feeWei;

    component slot = WideSlot(depth, approvalDelay);
    slot.oldRoot <== oldRoot;
    slot.nextId <== nextId;
    slot.domain <== domain;
    slot.timestamp <== timestamp;
    slot.batchNumber <== batchNumber;
    slot.feePerUnit <== feePerUnit;
    slot.idFee <== idFee;
    slot.words <== words;
    slot.flags <== flags;
    slot.aBits <== aBits;
    slot.bBits <== bBits;
    slot.amountBits <== amountBits;
    slot.isMissingA <== isMissing[0];
    slot.isMissingB <== isMissing[1];
    slot.a <== a;
    slot.b <== b;
    slot.childrenA <== childrenA;
    slot.childrenB <== childrenB;
    slot.maxFeePerUnit <== rest[0];
    slot.keyY <== rest[1];
    slot.r8x <== rest[2];
    slot.r8y <== rest[3];
    slot.s <== rest[4];
    slot.ready <== rest[5];
    slot.approved <== rest[6];
    slot.cap <== rest[7];
    slot.paymentCount <== rest[8];
    slot.epoch <== rest[9];
    slot.price <== rest[10];
    slot.datanet <== datanet;
    for (var j = 0; j < 5; j++) { slot.statics[j] <== model[j]; }
    slot.sealed <== model[5];
    slot.accruedRoot <== model[6];
    slot.claimedRoot <== model[7];
    slot.epochStart <== model[8];
    slot.newAccruedRoot <== model[9];
    slot.claimedWei <== model[10];
    slot.accruedChildren <== accruedChildren;
    slot.claimedChildren <== claimedChildren;
    slot.scratchBits <== scratchBits;
    newRoot <== slot.newRoot;
    newNextId <== slot.newNextId;
    core <== slot.core;
    hasWord <== slot.hasWord;
    isUsed <== slot.isUsed;
    isSigned <== slot.isSigned;
    feeWei <== slot.feeWei;
}
