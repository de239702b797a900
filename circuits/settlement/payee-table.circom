pragma circom 2.1.6;

include "./scores/draw-shares.circom";
include "../ledger/model-statics.circom";
include "./payees.circom";
include "../ledger/rewards-tree.circom";
include "./settlement-vector.circom";
include "./shards/shard-lists.circom";

// The activation of a model, or the default split of a closed epoch: by row counts, without queries and scores
// (docs/reference/settlement.md). One proof is of one shard of the model. Rules: payee-table-rules.ts.
//
// Parameters:  payees ≤ 512, at least the shard's M_s.
// Public:      commitment (C), y; z.
// Inputs:      all private; what they are is said where they are declared.
// Assumes:     L1 compares E: isActivation with the record's kind, cap with the named circuit, seed with 0. Of S ≥ 2 shards it takes a
//              proof for each place 0 … S − 1 in one order, all of one J and S, and what they earned adds up to the total that each shows.
//              The ledger opens J over the model's leaf. A default split's leaf had an activation; its closed amount is below 2^96.
// Ensures:     a model of several datanets, two to six, has a shard for each, at its place.
//              Activation: items are contributor 24 | validator 24 | n_m 32 for the M_s payees with n_m ≥ 1 at this place; their subtree
//              is that of the payee root, their counts and N_s are those of the statics, N is the sum of all N_s, and
//              ownerParts + TREASURY_PARTS ≤ 65,536. Otherwise: items are T_m = floor(μ n_m / 2^40) quanta, μ = floor(2^40 · R / N),
//              R = rD in quanta; the owner's part is burned; the rest of the amount that
//              no shard's payees earn is the treasury's; this place's new subtree of the accrued root is the old one plus T.
// Constraints: constraint-counts.json, "PayeeTable(…)".
//
// Phases: A model and lists, B amounts, C payees, D place, E J, F elements.
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
    signal input further[5]; // ids of datanets 1 … 5, 0 where the model has none
    signal input shape;
    signal input ownerParts;
    signal input validatorParts;
    // The shards: ShardOwners; which of them this is, all subtrees before and after, what all payees earn in wei.
    signal input place[8];
    signal input shardPresent[8];
    signal input shardRows[8];
    signal input shardOwners[8];
    signal input oldSubroot[8];
    signal input newSubroot[8];
    signal input earnedTotal;
    // The shard's payees: Payees, RewardsSubtree.
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
    isActivation * earnedTotal === 0;

    component table = Payees(payees);
    table.present <== present;
    table.rowCounts <== rowCounts;
    component owned = ShardOwners(8);
    owned.present <== shardPresent;
    owned.rowTotals <== shardRows;
    owned.owners <== shardOwners;
    // Several datanets: datanet s ≥ 1 is there exactly where shard s is, so S ≥ 2, and without a gap. One has no further ids. So
    // isSeveral is 1 exactly where further[0] ≠ 0: else the line of j = 0 asks for ids to be 0 that it asks to have an inverse.
    signal isSeveral <-- further[0] == 0 ? 0 : 1;
    isSeveral * (1 - shardPresent[1]) === 0;
    isSeveral * shardPresent[6] === 0;
    component furtherRange[5];
    signal isListed[5];
    signal idInverse[5];
    var furtherSum = 0;
    for (var j = 0; j < 5; j++) {
        furtherRange[j] = RangeCheck(24);
        furtherRange[j].in <== further[j];
        furtherSum += (1 << (24 * j)) * further[j];
        isListed[j] <== isSeveral * shardPresent[j + 1];
        // A hint, since an inverse is not quadratic: free where the id is 0, and nothing else reads it.
        idInverse[j] <-- further[j] == 0 ? 0 : 1 / further[j];
        further[j] * idInverse[j] === isListed[j];
        further[j] * (1 - isListed[j]) === 0;
    }
    component statics = ModelStatics();
    statics.featuresCommitment <== featuresCommitment;
    statics.ownersCommitment <== owned.ownersCommitment;
    statics.payeeRoot <== payeeRoot;
    statics.rowTotal <== owned.rowTotal;
    statics.origin <== origin;
    statics.predecessor <== predecessor;
    statics.further <== furtherSum;
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
    signal mu <-- owned.rowTotal == 0 ? 0 : ((1 << 40) * shares.rewardQuanta) \ owned.rowTotal;
    signal rest <-- owned.rowTotal == 0 ? 0 : ((1 << 40) * shares.rewardQuanta) % owned.rowTotal;
    mu * owned.rowTotal === (1 << 40) * shares.rewardQuanta - rest;
    component muRange = RangeCheck(80);
    muRange.in <== mu;
    component restRange = RangeCheck(32);
    restRange.in <== rest;
    component belowRange = RangeCheck(32);
    belowRange.in <== owned.rowTotal - 1 - rest;

    // C. Payees. In an activation the amount is 0, hence μ = 0 and T = 0: the tree stays, and the item is the payee's. Otherwise the
    //    item is T, 40 bits: μ n_m is below 2^80 as n_m ≤ N, so quotient and remainder, each with a range of its own, are unique.
    //    Counts are bounded by the item here, in a default split by the owners commitment, which an activation has shown.
    component tree = RewardsSubtree(payees);
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

    // D. The place, of one shard that is there. At it, lists and subtrees are this table's. J binds those of other places, which
    //    are what the other places' proofs show, of the same J.
    var places = 0;
    var shard = 0;
    for (var s = 0; s < 8; s++) {
        place[s] * (place[s] - 1) === 0;
        place[s] * (1 - shardPresent[s]) === 0;
        place[s] * (shardRows[s] - table.rowTotal) === 0;
        place[s] * (shardOwners[s] - table.ownersCommitment) === 0;
        place[s] * (oldSubroot[s] - tree.oldRoot) === 0;
        place[s] * (newSubroot[s] - tree.newRoot) === 0;
        (1 - shardPresent[s]) * (oldSubroot[s] - EMPTY_PAYEE_NODE(3)) === 0;
        (1 - shardPresent[s]) * (newSubroot[s] - EMPTY_PAYEE_NODE(3)) === 0;
        places += place[s];
        shard += s * place[s];
    }
    places === 1;
    component top = RewardsTop(8);
    top.oldSubroot <== oldSubroot;
    top.newSubroot <== newSubroot;
    isActivation * (payeeRoot - top.oldRoot) === 0;
    component totalRange = RangeCheck(96);
    totalRange.in <== earnedTotal;
    (1 - owned.isSharded) * (earnedTotal - earnedSum) === 0;

    // E. J. Activation: (modelId, statics, cap, 0, payeeRoot, payeeRoot); ownerWei is 0 in a default split. With amount = 0 the
    //    treasury's part is 0.
    component j = HashTaggedVar(6);
    j.tag <== 12 + isActivation;
    j.in[0] <== modelId;
    j.in[1] <== closed.out + isActivation * (statics.statics - closed.out);
    j.in[2] <== cap;
    j.in[3] <== amount - shares.ownerWei - earnedTotal;
    j.in[4] <== top.oldRoot;
    j.in[5] <== top.newRoot;

    // F. Elements.
    //    Three items an element in an activation, else six.
    component vector = SettlementVector(5, (payees + 2) \ 3, 0);
    //    Packed: modelId, epoch, closingBatch and cap by their ranges (A), ownerWei below 2^96 by DrawShares. The place and S
    //    where S ≥ 2, else 0; Σ T of the shard and of all.
    signal shardWei <== owned.isSharded * (earnedSum + (1 << 96) * earnedTotal);
    vector.z <== z;
    vector.head[0] <== j.out;
    vector.head[1] <== modelId + (1 << 24) * epoch + (1 << 48) * closingBatch + (1 << 96) * isActivation + (1 << 100) * shard + (1 << 103) * (owned.shardCount - 1 + owned.isSharded);
    vector.head[2] <== chain;
    vector.head[3] <== shares.ownerWei + (1 << 96) * cap;
    vector.head[4] <== shardWei;
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
