pragma circom 2.1.6;

include "../ledger/merkle8.circom";
include "./slot-parts.circom";
include "./wide-kinds.circom";

// One slot for the frequent operations: Null, Transfer, CommitData, PayInference. Rules: slot.ts.
//
// Parameters:  depth of the tree: 1 … 8 (ids have 3·depth bits, in places of 24).
// Inputs:      oldRoot, domain, feePerUnit (64 bits) from the batch. Witness: flags[3] = is Transfer, CommitData,
//              PayInference; aBits, bBits, amountBits; payload; a[9], b[9]: leaf A before the slot, leaf B after A's
//              update; childrenA, childrenB: all eight children on their ways up; maxFeePerUnit; keyY, r8x, r8y, s;
//              opening of a model's counters.
// Outputs:     newRoot; core: the 92-bit record; isUsed; hasPayload; feeWei.
// Assumes:     feePerUnit < 2^64; oldRoot is a root that these rules made; every input may be hostile otherwise.
// Ensures:     the effect of the record's kind, exactly (docs/ledger.md); a null slot changes nothing and posts 0.
// Constraints: constraint-counts.json, "NarrowSlot(8)".
//
// Phases: A kind, B fields, C fee and debit, D effect on B, E authorisation, F tree.
template NarrowSlot(depth) {
    signal input oldRoot;
    signal input domain;
    signal input feePerUnit;
    signal input flags[3];
    signal input aBits[3 * depth];
    signal input bBits[3 * depth];
    signal input amountBits[40];
    signal input payload;
    signal input a[9];
    signal input b[9];
    signal input childrenA[depth][8];
    signal input childrenB[depth][8];
    signal input maxFeePerUnit;
    signal input keyY;
    signal input r8x;
    signal input r8y;
    signal input s;
    signal input cap;
    signal input paymentCount;
    signal input epoch;
    signal input price;
    signal output newRoot;
    signal output core;
    signal output isUsed;
    signal output hasPayload;
    signal output feeWei;

    // Names of the flags, and of the fields of both leaves as LeafHash has them.
    var isTransfer = flags[FLAG_TRANSFER()];
    var isCommit = flags[FLAG_COMMIT_DATA()];
    var isPay = flags[FLAG_PAY_INFERENCE()];
    var tagA = a[0];
    var nonceA = a[1];
    var keyA = a[3];
    var balanceA = a[4];
    var tagB = b[0];
    var ownerB = b[2];
    var keyB = b[3];
    var balanceB = b[4];
    var chainB = b[5];
    var openAmountB = b[6];
    var countersB = b[7];
    var bodyB = b[8];

    // A. Kind: at most one flag.
    for (var i = 0; i < 3; i++) { flags[i] * (1 - flags[i]) === 0; }
    isUsed <== isTransfer + isCommit + isPay;
    isUsed * (1 - isUsed) === 0;
    var kind = WIDE_KIND(FLAG_TRANSFER()) * isTransfer + WIDE_KIND(FLAG_COMMIT_DATA()) * isCommit + WIDE_KIND(FLAG_PAY_INFERENCE()) * isPay;

    // B. Fields, each checked where it enters.
    var aSum = 0;
    var bSum = 0;
    for (var i = 0; i < 3 * depth; i++) {
        aBits[i] * (1 - aBits[i]) === 0;
        bBits[i] * (1 - bBits[i]) === 0;
        aSum += (1 << i) * aBits[i];
        bSum += (1 << i) * bBits[i];
    }
    var codeSum = 0;
    for (var i = 0; i < 40; i++) {
        amountBits[i] * (1 - amountBits[i]) === 0;
        codeSum += (1 << i) * amountBits[i];
    }
    signal aId <== aSum;
    signal code <== codeSum;
    core <== kind + NARROW_CORE_A() * aId + NARROW_CORE_B() * bSum + NARROW_CORE_AMOUNT() * code;
    // A sum of non-negative terms below r is 0 only if all are: a null slot posts 0.
    (1 - isUsed) * core === 0;
    // Absent payloads are 0.
    hasPayload <== isCommit + isPay;
    payload * (1 - hasPayload) === 0;

    // C. Fee and debit. amount < 2^138 and fee < 2^74, so a debit above the balance is negative and fails 96 bits.
    component float = AmountFloat();
    for (var i = 0; i < 40; i++) { float.bits[i] <== amountBits[i]; }
    feeWei <== (WIDE_WEIGHT(FLAG_TRANSFER()) * isTransfer + WIDE_WEIGHT(FLAG_COMMIT_DATA()) * isCommit + WIDE_WEIGHT(FLAG_PAY_INFERENCE()) * isPay) * feePerUnit;
    signal movedWei <== (isTransfer + isPay) * float.wei;
    signal newBalanceA <== balanceA - movedWei - feeWei;
    component balanceRange = RangeCheck(96);
    balanceRange.in <== newBalanceA;
    // no replay: A signs over nonceA, its leaf's nonce (E), and a used slot leaves nonceA + 1.
    signal newNonceA <== nonceA + isUsed;
    component nonceRange = RangeCheck(40);
    nonceRange.in <== newNonceA;
    // maxFeePerUnit = feePerUnit + 64 bits: no range check of its own, it is below 2^65 and the top of its packing.
    component feeRange = RangeCheck(64);
    feeRange.in <== maxFeePerUnit - feePerUnit;

    // D. Effect on B.
    component effects = MemberEffects(0);
    effects.isCommit <== isCommit;
    effects.isPay <== isPay;
    effects.opensModel <== 0;
    effects.aId <== aId;
    effects.code <== code;
    effects.amount <== float.wei;
    effects.payload <== payload;
    effects.tagB <== tagB;
    effects.chainB <== chainB;
    effects.openAmountB <== openAmountB;
    effects.countersB <== countersB;
    effects.ready <== 1;
    effects.approved <== 1;
    effects.cap <== cap;
    effects.paymentCount <== paymentCount;
    effects.epoch <== epoch;
    effects.price <== price;
    signal newBalanceB <== balanceB + isTransfer * float.wei;
    // The one of B's two sums that grew must keep 96 bits.
    signal credited <== newBalanceB + isPay * (effects.openAmount - newBalanceB);
    component creditRange = RangeCheck(96);
    creditRange.in <== credited;

    // E. Authorisation: B's l1Owner and kind are signed too, an id alone may have become someone else's.
    component auth = Authorisation();
    auth.isSigned <== isUsed;
    auth.domain <== domain;
    auth.core <== kind + MESSAGE_A() * aId + MESSAGE_B() * bSum + MESSAGE_AMOUNT() * code + MESSAGE_NONCE() * nonceA + MESSAGE_MAX_FEE() * maxFeePerUnit;
    auth.bRef <== ownerB + REFERENCE_KIND() * (tagB - 256);
    auth.w <== payload;
    auth.keyX <== keyA;
    auth.keyY <== keyY;
    auth.r8x <== r8x;
    auth.r8y <== r8y;
    auth.s <== s;

    // F. Tree: A on the old root, B on A's. Leaf 0 exists from genesis on, so a null slot opens it unchanged.
    component tags[2];
    for (var p = 0; p < 2; p++) {
        tags[p] = LeafTag();
        if (p == 0) { tags[p].tag <== tagA; } else { tags[p].tag <== tagB; }
        tags[p].isEmpty <== 0;
    }
    component hashes[4];
    for (var i = 0; i < 4; i++) { hashes[i] = LeafHash(); }
    for (var i = 0; i < 9; i++) {
        hashes[0].leaf[i] <== a[i];
        hashes[2].leaf[i] <== b[i];
        if (i == 1) { hashes[1].leaf[i] <== newNonceA; } else {
            if (i == 4) { hashes[1].leaf[i] <== newBalanceA; } else { hashes[1].leaf[i] <== a[i]; }
        }
    }
    hashes[3].leaf[0] <== tagB;
    hashes[3].leaf[1] <== b[1];
    hashes[3].leaf[2] <== ownerB;
    hashes[3].leaf[3] <== keyB;
    hashes[3].leaf[4] <== newBalanceB;
    hashes[3].leaf[5] <== effects.chain;
    hashes[3].leaf[6] <== effects.openAmount;
    hashes[3].leaf[7] <== effects.counters;
    hashes[3].leaf[8] <== bodyB;
    component paths[2];
    for (var p = 0; p < 2; p++) {
        paths[p] = PathUpdate8(depth);
        paths[p].oldLeaf <== hashes[2 * p].out;
        paths[p].newLeaf <== hashes[2 * p + 1].out;
        for (var i = 0; i < depth; i++) {
            for (var j = 0; j < 8; j++) {
                if (p == 0) { paths[p].children[i][j] <== childrenA[i][j]; } else { paths[p].children[i][j] <== childrenB[i][j]; }
            }
        }
        for (var i = 0; i < 3 * depth; i++) {
            if (p == 0) { paths[p].idBits[i] <== aBits[i]; } else { paths[p].idBits[i] <== bBits[i]; }
        }
    }
    paths[0].oldRoot <== oldRoot;
    paths[1].oldRoot <== paths[0].newRoot;
    newRoot <== paths[1].newRoot;
}
