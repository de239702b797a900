pragma circom 2.1.6;

include "./payees.circom";
include "../ledger/rewards-tree.circom";
include "../field/range-check.circom";

// A model's payees, what each earns of a sampled settlement, and the rewards tree before and after. Rules: settlement-rules.ts.
//
// Parameters:  payees ≤ 256.
// Inputs:      present, rowCounts: Payees. leaf: RewardsTree. earned (T_m), remainder (W_m mod 2^40). All private.
// Outputs:     payeeCount (M); rowTotal (N); ownersCommitment; earnedSum = Σ T_m; oldRoot, newRoot; private[…]: remainders,
//              six an element, for C.
// Assumes:     nothing; the caller compares ownersCommitment and oldRoot with the model's, and says what W_m is.
// Ensures:     earned < 2^96 and remainder < 2^40, so W_m = 2^40 T_m + remainder_m is an integer below 2^136 with no other
//              parts; absent payees have none, no leaf and no rows.
// Constraints: a payee as docs/reference/constraints.md says, less the row identity's; none else.
template PayeeEarnings(payees) {
    var ofRemainders = (payees + 5) \ 6;
    signal input present[payees];
    signal input rowCounts[payees];
    signal input leaf[payees];
    signal input earned[payees];
    signal input remainder[payees];
    signal output payeeCount;
    signal output rowTotal;
    signal output ownersCommitment;
    signal output earnedSum;
    signal output oldRoot;
    signal output newRoot;
    signal output private[ofRemainders];

    component table = Payees(payees);
    table.present <== present;
    table.rowCounts <== rowCounts;
    component tree = RewardsTree(payees);
    tree.leaf <== leaf;
    tree.earned <== earned;
    component earnedRange[payees];
    component remainderRange[payees];
    var sum = 0;
    for (var m = 0; m < payees; m++) {
        earnedRange[m] = RangeCheck(96);
        earnedRange[m].in <== earned[m];
        remainderRange[m] = RangeCheck(40);
        remainderRange[m].in <== remainder[m];
        // Both have ranges, so a W of 0 has no other parts.
        ((1 << 40) * earned[m] + remainder[m]) * (1 - present[m]) === 0;
        leaf[m] * (1 - present[m]) === 0;
        sum += earned[m];
    }
    payeeCount <== table.payeeCount;
    rowTotal <== table.rowTotal;
    ownersCommitment <== table.ownersCommitment;
    earnedSum <== sum;
    oldRoot <== tree.oldRoot;
    newRoot <== tree.newRoot;
    for (var i = 0; i < ofRemainders; i++) {
        var packed = 0;
        for (var m = 6 * i; m < 6 * i + 6 && m < payees; m++) { packed += (1 << (40 * (m - 6 * i))) * remainder[m]; }
        private[i] <== packed;
    }
}
