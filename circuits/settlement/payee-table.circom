pragma circom 2.1.6;

include "./scores/draw-shares.circom";
include "../ledger/model-statics.circom";
include "./payees.circom";
include "../ledger/rewards-tree.circom";
include "./settlement-vector.circom";

// The activation of a model, or the default split of a closed epoch: by row counts, without queries and scores
// (docs/reference/settlement.md). Rules: payee-table-rules.ts.
//
// Parameters:  payees ≤ 512, at least M.
// Public:      commitment (C), y; z.
// Inputs:      all private; what they are is said where they are declared.
// Assumes:     L1 compares E: isActivation with the record's kind, cap with the named circuit, seed with 0. The ledger opens J over
//              the model's leaf. A default split's leaf had an activation; its closed amount is below 2^96.
// Ensures:     Activation: items are contributor 24 | validator 24 | n_m 32 for M payees with n_m ≥ 1, their payee root, counts and
//              sum N are those of the statics, and ownerParts + TREASURY_PARTS ≤ 65,536. Otherwise: items are
//              T_m = floor(μ n_m / 2^40) quanta, μ = floor(2^40 · R / N), R = rD in quanta; the owner's part is burned; the rest of the amount that
//              payees do not earn is the treasury's; the new accrued root is the old one plus T.
// Constraints: constraint-counts.json, "PayeeTable(…)".
//
// Phases: A model, B amounts, C payees, D J, E elements.
template PayeeTable(payees) {
    signal input z;
    signal input isActivation;
    signal input modelId;
    signal input epoch;
    signal input closingBatch;
    signal input chain;
    signal input amount; // P; activation: 0
    signal input cap; // activation only
    // The statics' opening; ModelStatics.
    signal input featuresCommitment;
    signal input payeeRoot;
    signal input origin;
    signal input predecessor;
    signal input shape;
    signal input ownerParts;
    signal input validatorParts;
    // The payees: Payees, RewardsTree.
    signal input present[payees];
    signal input rowCounts[payees];
    signal input leaf[payees];
    // What is posted of each payee, and W_m mod 2^40.
    signal input item[payees];
    signal input remainder[payees];

    signal output commitment;
    signal output y;

    // A. The model. Every packed field is range-checked, so the packings are injective. What only the other case has is 0.
    isActivation * (1 - isActivation) === 0;
    component ranges[5];
    var widths[5] = [24, 24, 40, 16, 15];
    for (var i = 0; i < 5; i++) { ranges[i] = RangeCheck(widths[i]); }
    ranges[0].in <== modelId;
    ranges[1].in <== epoch;
    ranges[2].in <== closingBatch;
    ranges[3].in <== cap;
    ranges[4].in <== shape;
    isActivation * (epoch + (1 << 24) * closingBatch) === 0;
    isActivation * chain === 0;
    isActivation * amount === 0;
    (1 - isActivation) * cap === 0;

    component table = Payees(payees);
    table.present <== present;
    table.rowCounts <== rowCounts;
    component statics = ModelStatics();
    statics.featuresCommitment <== featuresCommitment;
    statics.ownersCommitment <== table.ownersCommitment;
    statics.payeeRoot <== payeeRoot;
    statics.rowTotal <== table.rowTotal;
    statics.origin <== origin;
    statics.predecessor <== predecessor;
    statics.shape <== shape;
    statics.ownerParts <== ownerParts;
    statics.validatorParts <== validatorParts;
    component partsRange = RangeCheck(16);
    partsRange.in <== 65536 - TREASURY_PARTS() - ownerParts;
    component closed = HashTagged(4, 11);
    closed.in[0] <== chain;
    closed.in[1] <== statics.statics;
    closed.in[2] <== epoch + (1 << 24) * closingBatch;
    closed.in[3] <== amount;

    // B. Amounts: the whole epoch is one draw. μ by division: quotient and remainder are hints, pinned by their ranges. N ≥ 1
    //    and below 2^32 (ModelStatics), μ < 2^80: no side reaches 2^113 < r.
    component shares = DrawShares(0);
    shares.amount <== amount;
    shares.ownerParts <== ownerParts;
    signal mu <-- table.rowTotal == 0 ? 0 : ((1 << 40) * shares.rewardQuanta) \ table.rowTotal;
    signal rest <-- table.rowTotal == 0 ? 0 : ((1 << 40) * shares.rewardQuanta) % table.rowTotal;
    mu * table.rowTotal === (1 << 40) * shares.rewardQuanta - rest;
    component muRange = RangeCheck(80);
    muRange.in <== mu;
    component restRange = RangeCheck(32);
    restRange.in <== rest;
    component belowRange = RangeCheck(32);
    belowRange.in <== table.rowTotal - 1 - rest;

    // C. Payees. In an activation the amount is 0, hence μ = 0 and T = 0: the tree stays, and the item is the payee's. Otherwise the
    //    item is T, 40 bits: μ n_m is below 2^80 as n_m ≤ N, so quotient and remainder, each with a range of its own, are unique.
    //    Counts are bounded by the item here, in a default split by the owners commitment, which an activation has shown.
    component tree = RewardsTree(payees);
    component remainderRange[payees];
    signal bit[payees][80]; // bit[m][0] stays unused
    signal inverse[payees];
    signal earned[payees];
    signal earnedWei[payees];
    var earnedSum = 0;
    for (var m = 0; m < payees; m++) {
        // The item's 80 bits, bit 0 as the combination of the others; hints, pinned as in RangeCheck.
        var lowest = item[m];
        var ids = 0;
        var count = 0;
        var upper = 0;
        bit[m][0] <== 0;
        for (var i = 1; i < 80; i++) {
            bit[m][i] <-- (item[m] >> i) & 1;
            bit[m][i] * (1 - bit[m][i]) === 0;
            lowest -= bit[m][i] * (1 << i);
            if (i >= 40) { upper += bit[m][i] * (1 << (i - 40)); }
            if (i < 48) { ids += bit[m][i] * (1 << i); } else { count += bit[m][i] * (1 << (i - 48)); }
        }
        lowest * (1 - lowest) === 0;
        ids += lowest;

        // Present payees have a row: a hint, since an inverse is not quadratic; no other value satisfies the line where
        // the count is not 0, and where it is 0 the payee cannot be present.
        inverse[m] <-- rowCounts[m] == 0 ? 0 : 1 / rowCounts[m];
        inverse[m] * rowCounts[m] === present[m];
        leaf[m] * (1 - present[m]) === 0;
        item[m] * (1 - present[m]) === 0;

        // Activation: the leaf is contributor | validator << 24, and the item's upper 32 bits are the count, whose
        // sum ModelStatics bounds to 32 bits. Otherwise the item has 40 bits.
        isActivation * (leaf[m] - ids) === 0;
        isActivation * (rowCounts[m] - count) === 0;
        (1 - isActivation) * upper === 0;

        earned[m] <== item[m] * (1 - isActivation);
        earnedWei[m] <== shares.quantum * earned[m];
        mu * rowCounts[m] === (1 << 40) * earned[m] + remainder[m];
        remainderRange[m] = RangeCheck(40);
        remainderRange[m].in <== remainder[m];
        earnedSum += earnedWei[m];
    }
    tree.leaf <== leaf;
    tree.earned <== earnedWei;
    isActivation * (payeeRoot - tree.oldRoot) === 0;

    // D. J. Activation: (modelId, statics, cap, 0, payeeRoot, payeeRoot); ownerWei is 0 in a default split. With amount = 0 the
    //    treasury's part is 0.
    component j = HashTaggedVar(6);
    j.tag <== 12 + isActivation;
    j.in[0] <== modelId;
    j.in[1] <== closed.out + isActivation * (statics.statics - closed.out);
    j.in[2] <== cap;
    j.in[3] <== amount - shares.ownerWei - earnedSum;
    j.in[4] <== tree.oldRoot;
    j.in[5] <== tree.newRoot;

    // E. Elements.
    //    Three items an element in an activation, else six.
    component vector = SettlementVector((payees + 2) \ 3, 0);
    //    Packed: modelId, epoch, closingBatch and cap by their ranges (A), ownerWei below 2^96 by DrawShares.
    vector.z <== z;
    vector.head[0] <== j.out;
    vector.head[1] <== modelId + (1 << 24) * epoch + (1 << 48) * closingBatch + (1 << 96) * isActivation;
    vector.head[2] <== chain;
    vector.head[3] <== shares.ownerWei + (1 << 96) * cap;
    vector.head[4] <== 0;
    for (var i = 0; i < (payees + 2) \ 3; i++) {
        var three = 0;
        var six = 0;
        for (var k = 0; k < 6; k++) {
            if (k < 3 && 3 * i + k < payees) { three += (1 << (80 * k)) * item[3 * i + k]; }
            if (6 * i + k < payees) { six += (1 << (40 * k)) * item[6 * i + k]; }
        }
        vector.items[i] <== six + isActivation * (three - six);
    }
    commitment <== vector.commitment;
    y <== vector.y;
}
