pragma circom 2.1.6;

include "../sampled-draws.circom";
include "../scores/draw-shares.circom";
include "../settlement-vector.circom";
include "../../ledger/rewards-tree.circom";
include "./shard-link.circom";
include "./shard-lists.circom";

// The draws of a sampled settlement whose rows are in several shards (docs/reference/settlement.md): the payments, who is drawn,
// μ by the shards' totals, J over the shards' roots. Rules: settleShards in settle-shards.ts.
//
// Parameters:  payments; drawBits: log2 of the draws, at most 7; shards 2 … 8, at least S; features: exactly d, or a direct
//              model's shape; totalBits ≥ 32 with Σ s⁺ < 2^totalBits of each draw.
// Public:      commitment (C), y; z. L1 computes z from C and from every element that it evaluates.
// Inputs:      all private; what they are is said where they are declared.
// Assumes:     of L1 and the ledger, what SampledDraws does. L1 compares each link with that of a proof of Shard or DirectShard. So of
//              each shard a valid draw's positiveTotal is an integer ≥ 0, a function of its features and the query, at most 2^20 rows of 3 D − 1 bits each;
//              earnedSum is what its payees earn by mu; and newSubroot is its oldSubroot plus that.
// Ensures:     with the S proofs of shards, what docs/explanation/attribution-proof.md states, 1 to 7. The links are of shards
//              0 … S − 1 of the model's lists, S ≥ 2, each in its place; behind them they are 0.
//
// L1 does not see whether a shard's circuit is for direct models. Both kinds hash columns alike, but queries by other tags: a
// proof of the other kind has the link of no valid draw, and what void ones score is not paid.
//
// What a challenge must not precede is in C, as in Settlement: E, hits and draws. Here γ is of PaymentReplay's identity only.
// One settlement has one C, by one circuit, as a gate that is asked for C needs: chain, seed and statics fix all that C absorbs,
// but which of the draws are void. A void draw's query and totals are in no link. The model signs J, which has the number of void ones.
// Constraints: constraint-counts.json, "ShardedSettlement(…)".
//
// Phases: A lists and roots, B payments, draws and J, C links, D elements.
template ShardedSettlement(payments, drawBits, shards, features, totalBits) {
    var draws = 1 << drawBits;
    assert(shards >= 2 && shards <= 8 && totalBits >= 32);
    signal input z;
    signal input modelId;
    signal input epoch;
    signal input closingBatch;
    signal input seed;
    signal input amount; // P
    // The statics' opening: SampledDraws; ShardOwners, ShardFeatures.
    signal input payeeRoot;
    signal input origin;
    signal input predecessor;
    signal input further;
    signal input ownerParts;
    signal input validatorParts;
    signal input shardPresent[shards];
    signal input shardFeatures[shards];
    signal input shardOwners[shards];
    signal input shardRows[shards];
    // Of each shard its subtree of the rewards tree before and after, Σ T in wei, and Σ s⁺ of each draw. Absent ones: the empty
    // subtree and 0.
    signal input oldSubroot[shards];
    signal input newSubroot[shards];
    signal input shardEarned[shards];
    signal input shardPositive[shards][draws];
    // PaymentReplay.
    signal input active[payments];
    signal input receipt[payments];
    signal input packed[payments];
    signal input hits[payments];
    // The draws: their payment, whether its receipt is opened, the opening.
    signal input drawBefore[draws];
    signal input drawAfter[draws];
    signal input drawReceipt[draws];
    signal input isValid[draws];
    signal input answerHash[draws];
    signal input salt[draws];
    signal input queryCommitment[draws];

    signal output commitment;
    signal output y;

    // A. Lists and roots. Two shards at least; what an absent one has is nothing.
    shardPresent[1] === 1;
    component owned = ShardOwners(shards);
    owned.present <== shardPresent;
    owned.rowTotals <== shardRows;
    owned.owners <== shardOwners;
    component featured = ShardFeatures(shards);
    featured.present <== shardPresent;
    featured.shardCount <== owned.shardCount;
    featured.features <== shardFeatures;
    var earnedSum = 0;
    for (var s = 0; s < shards; s++) {
        (1 - shardPresent[s]) * (oldSubroot[s] - EMPTY_PAYEE_NODE(3)) === 0;
        (1 - shardPresent[s]) * (newSubroot[s] - EMPTY_PAYEE_NODE(3)) === 0;
        (1 - shardPresent[s]) * shardEarned[s] === 0;
        for (var k = 0; k < draws; k++) { (1 - shardPresent[s]) * shardPositive[s][k] === 0; }
        earnedSum += shardEarned[s];
    }
    component top = RewardsTop(shards);
    top.oldSubroot <== oldSubroot;
    top.newSubroot <== newSubroot;

    // B. Payments, draws and J.
    component challenge = HashTagged(2, 14);
    challenge.in[0] <== z;
    challenge.in[1] <== 0;
    component shares = DrawShares(drawBits);
    shares.amount <== amount;
    shares.ownerParts <== ownerParts;
    component drawn = SampledDraws(payments, drawBits, features, totalBits);
    drawn.z <== z;
    drawn.gamma <== challenge.out;
    drawn.featuresCommitment <== featured.featuresCommitment;
    drawn.ownersCommitment <== owned.ownersCommitment;
    drawn.queryCommitment <== queryCommitment;
    for (var k = 0; k < draws; k++) {
        var total = 0;
        for (var s = 0; s < shards; s++) { total += shardPositive[s][k]; }
        drawn.positiveTotal[k] <== total;
    }
    drawn.rowTotal <== owned.rowTotal;
    drawn.earnedSum <== earnedSum;
    drawn.oldRoot <== top.oldRoot;
    drawn.newRoot <== top.newRoot;
    drawn.modelId <== modelId;
    drawn.epoch <== epoch;
    drawn.closingBatch <== closingBatch;
    drawn.seed <== seed;
    drawn.amount <== amount;
    drawn.drawWei <== shares.drawWei;
    drawn.ownerOfDraw <== shares.ownerWei;
    drawn.rewardQuanta <== shares.rewardQuanta;
    drawn.payeeRoot <== payeeRoot;
    drawn.origin <== origin;
    drawn.predecessor <== predecessor;
    component furtherRange = RangeCheck(120);
    furtherRange.in <== further;
    drawn.further <== further;
    drawn.ownerParts <== ownerParts;
    drawn.validatorParts <== validatorParts;
    drawn.active <== active;
    drawn.receipt <== receipt;
    drawn.packed <== packed;
    drawn.hits <== hits;
    drawn.drawBefore <== drawBefore;
    drawn.drawAfter <== drawAfter;
    drawn.drawReceipt <== drawReceipt;
    drawn.isValid <== isValid;
    drawn.answerHash <== answerHash;
    drawn.salt <== salt;

    // C. Links. No proof of a shard has the link 0, so L1 takes S of them and no more.
    component link[shards];
    signal linkIfPresent[shards];
    for (var s = 0; s < shards; s++) {
        link[s] = ShardLink(draws);
        link[s].featuresCommitment <== shardFeatures[s];
        link[s].ownersCommitment <== shardOwners[s];
        link[s].oldSubroot <== oldSubroot[s];
        link[s].newSubroot <== newSubroot[s];
        link[s].earnedSum <== shardEarned[s];
        link[s].quantum <== shares.quantum;
        link[s].muEven <== drawn.muEven;
        link[s].queryCommitment <== queryCommitment;
        link[s].positiveTotal <== shardPositive[s];
        link[s].mu <== drawn.mu;
        link[s].isValid <== isValid;
        linkIfPresent[s] <== shardPresent[s] * link[s].link;
    }

    // D. Elements.
    var hitsEach = 252 \ (drawBits + 1);
    var ofDraws = (payments + hitsEach - 1) \ hitsEach + 3 * draws;
    component vector = SettlementVector(5, shards, ofDraws);
    vector.z <== z;
    vector.head <== drawn.head;
    vector.items <== linkIfPresent;
    vector.private <== drawn.private;
    commitment <== vector.commitment;
    y <== vector.y;
}
