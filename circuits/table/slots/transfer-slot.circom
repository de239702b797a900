pragma circom 2.1.6;

include "./slot-head.circom";

// A slot of the table's first section: Null or Transfer. It has no leaf, no balance and no path.
//
// Parameters:  window: levels that the table reaches.
// Inputs:      domain, feePerUnit, gamma, power[9] from the batch; used, which the frame takes too; all else is witness, see SlotHead.
// Outputs:     challenge, core, feeWei, sum.
// Assumes:     C absorbs challenge.
// Ensures:     used = 1: terms that take amount + fee from A's balance, add amount to B's, use A's nonce under the key that
//              signed, and ask for B's owner and kind. used = 0: no terms.
// Constraints: constraint-counts.json, "TransferSlot(2)"; 6 more for every level.
template TransferSlot(window) {
    signal input domain;
    signal input feePerUnit;
    signal input gamma;
    signal input power[9];
    signal input used;
    signal input aBits[3 * window];
    signal input bBits[3 * window];
    signal input amountBits[40];
    signal input nextBits[40];
    signal input slackBits[64];
    signal input bRef;
    signal input signature[4];
    signal output challenge;
    signal output core;
    signal output feeWei;
    signal output sum;

    used * (1 - used) === 0;
    component head = SlotHead(window, 10);
    head.domain <== domain;
    head.feePerUnit <== feePerUnit;
    head.gamma <== gamma;
    head.power <== power;
    head.isUsed <== used;
    head.kind <== used;
    head.w <== 0;
    head.aBits <== aBits;
    head.bBits <== bBits;
    head.amountBits <== amountBits;
    head.nextBits <== nextBits;
    head.slackBits <== slackBits;
    head.bRef <== bRef;
    head.keyX <== signature[0];
    head.keyY <== signature[1];
    head.r8x <== signature[2];
    head.s <== signature[3];
    challenge <== head.challenge;
    core <== head.core;
    feeWei <== head.feeWei;

    signal debit <-- (head.wei + head.feeWei) / (gamma - head.aId - SORT_BALANCE() * power[8]);
    debit * (gamma - head.aId - SORT_BALANCE() * power[8]) === head.wei + head.feeWei;
    signal credit <-- head.wei / (gamma - head.bId - SORT_BALANCE() * power[8]);
    credit * (gamma - head.bId - SORT_BALANCE() * power[8]) === head.wei;
    signal byReference <== power[0] * bRef;
    signal reference <-- used / (gamma - head.bId - byReference - SORT_REFERENCE() * power[8]);
    reference * (gamma - head.bId - byReference - SORT_REFERENCE() * power[8]) === used;
    sum <== head.sum - debit + credit + reference;
}
