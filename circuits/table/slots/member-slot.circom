pragma circom 2.1.6;

include "./slot-head.circom";

// A slot of the table's second section: Null, CommitData or PayInference. B is a datanet or a model, of which the batch has
// a MemberUnit.
//
// Parameters:  window: levels that the table reaches.
// Inputs:      domain, feePerUnit, gamma, power[9] from the batch; timePoint = t · alpha^3 of the slot's number t ≥ 1. Witness:
//              used, isPay; payload; chain, open: B's before the slot; surplusBits: what is paid above the price; gapBits:
//              slots since B's last one, less 1; the rest as in SlotHead.
// Outputs:     challenge, core, feeWei, sum; newChain; packed: surplus and gap.
// Assumes:     C absorbs challenge, newChain and packed, which has 75 bits.
// Ensures:     used = 1: terms that take fee (and the payment) from A's balance, use A's nonce, move B's chain one step from
//              a state that B was left in by an earlier slot, or had before the batch, count, and ask for B's owner, kind
//              and, in a payment, for a ready and approved model whose price is wei - surplus, so at most wei.
//              used = 0: no terms.
// Constraints: constraint-counts.json, "MemberSlot(2)"; 6 more for every level.
template MemberSlot(window) {
    signal input domain;
    signal input feePerUnit;
    signal input gamma;
    signal input power[9];
    signal input timePoint;
    signal input payload;
    signal input used;
    signal input isPay;
    signal input aBits[3 * window];
    signal input bBits[3 * window];
    signal input amountBits[40];
    signal input nextBits[40];
    signal input slackBits[64];
    signal input bRef;
    signal input signature[4];
    signal input chain;
    signal input open;
    signal input surplusBits[64];
    signal input gapBits[11];
    signal output challenge;
    signal output core;
    signal output feeWei;
    signal output newChain;
    signal output packed;
    signal output sum;

    // A. Kind 2 or 3. Both flags follow from the core.
    used * (1 - used) === 0;
    isPay * (1 - isPay) === 0;
    isPay * (1 - used) === 0;
    payload * (1 - used) === 0;
    component head = SlotHead(window, 14);
    head.domain <== domain;
    head.feePerUnit <== feePerUnit;
    head.gamma <== gamma;
    head.power <== power;
    head.isUsed <== used;
    head.kind <== 2 * used + isPay;
    head.w <== payload;
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

    // B. What C absorbs of the slot's own witness.
    var surplus = 0;
    for (var i = 0; i < 64; i++) {
        surplusBits[i] * (1 - surplusBits[i]) === 0;
        surplus += (1 << i) * surplusBits[i];
    }
    var gap = 0;
    for (var i = 0; i < 11; i++) {
        gapBits[i] * (1 - gapBits[i]) === 0;
        gap += (1 << i) * gapBits[i];
    }
    packed <== surplus + (1 << 64) * gap;

    // C. Money and counters. A datanet's row count is the amount field's number.
    signal paid <== isPay * head.wei;
    signal debit <-- (paid + head.feeWei) / (gamma - head.aId - SORT_BALANCE() * power[8]);
    debit * (gamma - head.aId - SORT_BALANCE() * power[8]) === paid + head.feeWei;
    signal added <== (used - isPay) * head.code;
    signal count <-- (added + COUNTER_PAYMENT_COUNT() * isPay) / (gamma - head.bId - SORT_COUNTERS() * power[8]);
    count * (gamma - head.bId - SORT_COUNTERS() * power[8]) === added + COUNTER_PAYMENT_COUNT() * isPay;

    // D. The chain. No hash covers a commit's open amount, so it is 0 by a rule; else it were free after z.
    (1 - isPay) * open === 0;
    component step = HashTaggedVar(3);
    step.tag <== 6 + isPay;
    step.in[0] <== chain;
    step.in[1] <== payload;
    step.in[2] <== head.aId + (1 << 24) * (open + paid + added);
    newChain <== step.out;
    signal byChain <== power[0] * chain;
    signal byOpen <== power[1] * open;
    signal byNewChain <== power[0] * newChain;
    signal byNewOpen <== power[1] * (open + paid);
    signal byGap <== power[2] * gap;
    var read = head.bId + byChain + byOpen + timePoint - power[2] - byGap + SORT_CHAIN() * power[8];
    var written = head.bId + byNewChain + byNewOpen + timePoint + SORT_CHAIN() * power[8];
    signal taken <-- used / (gamma - read);
    taken * (gamma - read) === used;
    signal given <-- used / (gamma - written);
    given * (gamma - written) === used;

    // E. B's owner, kind and price.
    signal byReference <== power[0] * bRef;
    signal price <== isPay * (PRICE_OF_MODEL() + 4 * (head.wei - surplus) + 3);
    signal byPrice <== power[1] * price;
    var asked = head.bId + byReference + byPrice + SORT_PRICE() * power[8];
    signal reference <-- used / (gamma - asked);
    reference * (gamma - asked) === used;
    sum <== head.sum - debit + count + given - taken + reference;
}
