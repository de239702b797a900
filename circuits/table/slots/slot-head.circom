pragma circom 2.1.6;

include "../../batch/wide/places.circom";
include "../../batch/slot-parts.circom";
include "../terms.circom";

// What every signed slot of the table has: fields, fee, signature, and the use of one nonce. It touches no leaf: it states
// terms, which the whole batch demands to cancel (docs/explanation/leaf-table.md).
//
// Parameters:  window: levels that the table reaches, so ids have 3 bits each; units: fee units of the kind.
// Inputs:      domain, feePerUnit; gamma, power[9] (terms.circom); isUsed; kind; w: the message's word. Witness: aBits,
//              bBits, amountBits, nextBits (nonce + 1; 0 where isUsed = 0), slackBits (maxFeePerUnit - feePerUnit), bRef, keyX, keyY, r8x, s.
// Outputs:     challenge: the signature's, which C absorbs; core: the 92-bit record; feeWei, wei, aId, bId, code; sum: its
//              terms.
// Assumes:     isUsed is boolean and a function of kind, kind < 4 and 0 where isUsed = 0, w = 0 where isUsed = 0;
//              feePerUnit < 2^64.
// Ensures:     isUsed = 1: the key signed this message; one term of its nonce is taken, one of the next is given.
//              wei is below 2^96, and nonce + 1 below 2^40.
//              isUsed = 0: core, nonce + 1 and bRef are 0 and the key is the dummy: no denominator of the slot has anything
//              left to choose.
// Attack:      without the last rule a null slot's key is free after z. Whoever sets it to a pole of its own term has an
//              inverse that may be anything, and balances the batch with it.
// Constraints: part of "TransferSlot(2)" and "MemberSlot(2)" in constraint-counts.json.
template SlotHead(window, units) {
    signal input domain;
    signal input feePerUnit;
    signal input gamma;
    signal input power[9];
    signal input isUsed;
    signal input kind;
    signal input w;
    signal input aBits[3 * window];
    signal input bBits[3 * window];
    signal input amountBits[40];
    signal input nextBits[40];
    signal input slackBits[64];
    signal input bRef;
    signal input keyX;
    signal input keyY;
    signal input r8x;
    signal input s;
    signal output challenge;
    signal output core;
    signal output feeWei;
    signal output wei;
    signal output aId;
    signal output bId;
    signal output code;
    signal output sum;

    // A. Fields, each checked where it enters.
    var aSum = 0;
    var bSum = 0;
    for (var i = 0; i < 3 * window; i++) {
        aBits[i] * (1 - aBits[i]) === 0;
        bBits[i] * (1 - bBits[i]) === 0;
        aSum += (1 << i) * aBits[i];
        bSum += (1 << i) * bBits[i];
    }
    var codeSum = 0;
    var next = 0;
    for (var i = 0; i < 40; i++) {
        amountBits[i] * (1 - amountBits[i]) === 0;
        nextBits[i] * (1 - nextBits[i]) === 0;
        codeSum += (1 << i) * amountBits[i];
        next += (1 << i) * nextBits[i];
    }
    var slack = 0;
    for (var i = 0; i < 64; i++) {
        slackBits[i] * (1 - slackBits[i]) === 0;
        slack += (1 << i) * slackBits[i];
    }
    // The next nonce has 40 bits, not this one: so the leaf's new nonce needs no range of its own. Nothing gives the term
    // of -1, so a used slot with next = 0 has no batch.
    var nonce = next - 1;
    aId <== aSum;
    bId <== bSum;
    code <== codeSum;
    core <== kind + NARROW_CORE_A() * aId + NARROW_CORE_B() * bId + NARROW_CORE_AMOUNT() * code;
    // Sums of non-negative terms below r: a null slot's core and next nonce are 0.
    (1 - isUsed) * (core + (1 << 93) * next) === 0;
    (1 - isUsed) * bRef === 0;

    // B. Money. An exponent has at most 18, so wei < 2^35 · 10^18 < 2^96: of 16 and more, only 16, 17 and 18 have neither
    //    bit 2 nor bit 3, nor bits 0 and 1 together. The summands are booleans, so none makes up for another.
    signal both <== amountBits[35] * amountBits[36];
    amountBits[39] * (amountBits[37] + amountBits[38] + both) === 0;
    component float = AmountFloat();
    for (var i = 0; i < 40; i++) { float.bits[i] <== amountBits[i]; }
    wei <== float.wei;
    feeWei <== units * isUsed * feePerUnit;

    // C. Authorisation, by the dummy key over zeros and under the tag 0 where the slot is null: bRef and w are 0 then.
    //    challenge fixes isUsed, as a used slot's core is not 0, and with it all parts. w is fixed by it and isUsed.
    signal signer <== DUMMY_KEY_X() + isUsed * (keyX - DUMMY_KEY_X());
    component check = SignatureCheck();
    check.keyX <== signer;
    check.keyY <== keyY;
    check.R8x <== r8x;
    check.S <== s;
    check.tag <== isUsed * domain;
    check.parts[0] <== isUsed * (kind + MESSAGE_A() * aId + MESSAGE_B() * bId + MESSAGE_AMOUNT() * code + MESSAGE_NONCE() * nonce + MESSAGE_MAX_FEE() * (feePerUnit + slack));
    check.parts[1] <== bRef;
    check.parts[2] <== w;
    challenge <== check.challenge;

    // D. The nonce.
    // no replay: the slot takes the term of n, which the leaf's row or another slot gives once, and gives that of n + 1.
    signal byKey <== power[0] * signer;
    signal byNonce <== power[1] * nonce;
    var point = aId + byKey + byNonce + SORT_NONCE() * power[8];
    signal taken <-- isUsed / (gamma - point);
    taken * (gamma - point) === isUsed;
    signal given <-- isUsed / (gamma - point - power[1]);
    given * (gamma - point - power[1]) === isUsed;
    sum <== given - taken;
}
