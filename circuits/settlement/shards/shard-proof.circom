pragma circom 2.1.6;

include "../payee-earnings.circom";
include "../row-rewards.circom";
include "../settlement-vector.circom";
include "./shard-link.circom";

// One shard of a sharded settlement behind its scores: what Shard and DirectShard share. Rules: settleShards in settle-shards.ts.
//
// Parameters:  rows ≥ N_s, at most 2^20; payees ≤ 512, at least M_s; draws.
// Inputs:      z; as ScoredDraws or DirectDraws has them featuresCommitment, queryCommitment, positive and positiveTotal; the rest is
//              said where it is declared.
// Outputs:     commitment (C), y.
// Assumes:     L1 compares E's link with that of a proof of ShardedSettlement: so quantum ≤ 2^56, mu and muEven are its, and the
//              commitments and the old subroot are the model's. positive is a function of featuresCommitment and queryCommitment.
// Ensures:     link is a hash of this shard's commitments and roots, of Σ T, and of what each draw gives: positiveTotal is the sum of
//              s⁺ of the shard's rows for the query of queryCommitment, if the draw is valid. Items are T_m; 2^40 T_m + remainder_m = Σ over rows of m of
//              Σ_k mu_k s⁺ + muEven n_m; the new subtree is the old one plus T.
//
// What a challenge must not precede is in C: link fixes columns, queries, counts, totals, μ and the quantum, E has T, and
// the rest is absorbed behind it (remainders, steps). Scores are a function of columns and query. A void draw's query is free; its
// μ is 0, so its scores are multiplied by 0. So γ, η and the start of the columns' sums, all hashes of z, come after all that
// their arguments are about. Nothing free is in C: one settlement has one C of each shard, by one circuit.
// Constraints: those of the parts.
template ShardProof(rows, payees, draws) {
    signal input z;
    // What the link shows of the epoch: see ShardLink.
    signal input quantum;
    signal input muEven;
    signal input mu[draws];
    signal input isValid[draws];
    // The payees: Payees, RewardsSubtree; T_m and W_m mod 2^40.
    signal input present[payees];
    signal input rowCounts[payees];
    signal input leaf[payees];
    signal input earned[payees];
    signal input remainder[payees];
    // The payee of each row: RowRewards.
    signal input owner[rows];
    // How the rows score for the draws.
    signal input featuresCommitment;
    signal input queryCommitment[draws];
    signal input positive[draws][rows];
    signal input positiveTotal[draws];

    signal output commitment;
    signal output y;

    // ShardedSettlement's totalBits hold eight shards of so many rows.
    assert(rows <= 1 << 20);

    // A. The payees.
    component paid = PayeeEarnings(payees);
    paid.present <== present;
    paid.rowCounts <== rowCounts;
    paid.leaf <== leaf;
    paid.quantum <== quantum;
    paid.earned <== earned;
    paid.remainder <== remainder;

    // B. The payee of each row.
    component challenge[2];
    for (var i = 0; i < 2; i++) {
        challenge[i] = HashTagged(2, 14);
        challenge[i].in[0] <== z;
        challenge[i].in[1] <== i;
    }
    component rewards = RowRewards(rows, payees, draws);
    rewards.gamma <== challenge[0].out;
    rewards.eta <== challenge[1].out;
    rewards.positive <== positive;
    rewards.mu <== mu;
    rewards.muEven <== muEven;
    rewards.payeeCount <== paid.payeeCount;
    rewards.owner <== owner;
    rewards.rowCounts <== rowCounts;
    rewards.earned <== earned;
    rewards.remainder <== remainder;

    // C. Elements.
    for (var k = 0; k < draws; k++) { isValid[k] * (1 - isValid[k]) === 0; }
    component link = ShardLink(draws);
    link.featuresCommitment <== featuresCommitment;
    link.ownersCommitment <== paid.ownersCommitment;
    link.oldSubroot <== paid.oldSubroot;
    link.newSubroot <== paid.newSubroot;
    link.earnedSum <== paid.earnedSum;
    link.quantum <== quantum;
    link.muEven <== muEven;
    link.queryCommitment <== queryCommitment;
    link.positiveTotal <== positiveTotal;
    link.mu <== mu;
    link.isValid <== isValid;
    var ofPayees = (payees + 5) \ 6;
    var ofRows = (rows + 251) \ 252;
    component vector = SettlementVector(1, ofPayees, ofPayees + ofRows);
    vector.z <== z;
    vector.head[0] <== link.link;
    vector.items <== paid.items;
    for (var i = 0; i < ofPayees; i++) { vector.private[i] <== paid.private[i]; }
    for (var i = 0; i < ofRows; i++) { vector.private[ofPayees + i] <== rewards.steps[i]; }
    commitment <== vector.commitment;
    y <== vector.y;
}
