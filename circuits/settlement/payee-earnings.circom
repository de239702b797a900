pragma circom 2.1.6;

include "./payees.circom";
include "../ledger/rewards-tree.circom";
include "../field/range-check.circom";

// A shard's payees, what each earns of a sampled settlement, and its subtree of the rewards tree before and after. A model of one
// shard has all its payees in it. Rules: settlement-rules.ts.
//
// Parameters:  payees ≤ 512.
// Inputs:      present, rowCounts: Payees. leaf: RewardsSubtree. quantum: what a unit of earned is, in wei; earned (T_m), remainder
//              (W_m mod 2^40). All private.
// Outputs:     payeeCount (M); rowTotal (N); ownersCommitment; earnedSum = Σ T_m in wei; oldSubroot, newSubroot; private[…]: remainders,
//              six an element, for C; items: T_m, six an element, for E.
// Assumes:     quantum ≤ 2^56; the caller compares ownersCommitment and oldSubroot with the model's, and says what W_m is.
// Ensures:     earned < 2^40 and remainder < 2^40, so W_m = 2^40 T_m + remainder_m is an integer below 2^80 with no other
//              parts; absent payees have none, no leaf and no rows.
// Constraints: a payee as docs/reference/constraints.md says, less the row identity's; none else.
template PayeeEarnings(payees) {
    var ofRemainders = (payees + 5) \ 6;
    signal input present[payees];
    signal input rowCounts[payees];
    signal input leaf[payees];
    signal input quantum;
    signal input earned[payees];
    signal input remainder[payees];
    signal output payeeCount;
    signal output rowTotal;
    signal output ownersCommitment;
    signal output earnedSum;
    signal output oldSubroot;
    signal output newSubroot;
    signal output private[ofRemainders];
    signal output items[ofRemainders];

    component table = Payees(payees);
    table.present <== present;
    table.rowCounts <== rowCounts;
    component tree = RewardsSubtree(payees);
    tree.leaf <== leaf;
    signal earnedWei[payees];
    component earnedRange[payees];
    component remainderRange[payees];
    var sum = 0;
    for (var m = 0; m < payees; m++) {
        earnedRange[m] = RangeCheck(40);
        earnedRange[m].in <== earned[m];
        remainderRange[m] = RangeCheck(40);
        remainderRange[m].in <== remainder[m];
        // Both have ranges, so a W of 0 has no other parts.
        ((1 << 40) * earned[m] + remainder[m]) * (1 - present[m]) === 0;
        leaf[m] * (1 - present[m]) === 0;
        earnedWei[m] <== quantum * earned[m];
        sum += earnedWei[m];
    }
    tree.earned <== earnedWei;
    payeeCount <== table.payeeCount;
    rowTotal <== table.rowTotal;
    ownersCommitment <== table.ownersCommitment;
    earnedSum <== sum;
    oldSubroot <== tree.oldRoot;
    newSubroot <== tree.newRoot;
    for (var i = 0; i < ofRemainders; i++) {
        var ofRest = 0;
        var ofItem = 0;
        for (var m = 6 * i; m < 6 * i + 6 && m < payees; m++) {
            ofRest += (1 << (40 * (m - 6 * i))) * remainder[m];
            ofItem += (1 << (40 * (m - 6 * i))) * earned[m];
        }
        private[i] <== ofRest;
        items[i] <== ofItem;
    }
}
