pragma circom 2.1.6;

include "../scores/scored-draws.circom";
include "./shard-proof.circom";

// One shard of a sharded settlement (docs/reference/settlement.md): how its rows score for the drawn queries, and what its payees
// earn by μ. Rules: settleShards in settle-shards.ts. The main source includes the generators' tables first.
//
// Parameters:  rows ≥ N_s, at most 2^20; features: exactly d; payees ≤ 512, at least M_s; draws.
// Public:      commitment (C), y; z. L1 computes z from C and from every element that it evaluates.
// Inputs:      all private; what they are is said where they are declared.
// Assumes:     what ShardProof does.
// Ensures:     what ShardProof does, of scores as ScoredDraws has them.
// Constraints: constraint-counts.json, "Shard(…)"; the parts' headers say how they come about.
template Shard(rows, features, payees, draws) {
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
    // ScoredDraws.
    signal input queryBytes[draws][features];
    signal input scores[draws][rows];
    signal input blindScore[draws];
    signal input columnU[features];
    signal input columnV[features];
    signal input answeringHash;

    signal output commitment;
    signal output y;

    // A. The draws' scores.
    component scored = ScoredDraws(rows, features, draws);
    scored.z <== z;
    scored.columnU <== columnU;
    scored.columnV <== columnV;
    scored.answeringHash <== answeringHash;
    scored.queryBytes <== queryBytes;
    scored.scores <== scores;
    scored.blindScore <== blindScore;

    // B. Payees, rows and elements.
    component proof = ShardProof(rows, payees, draws);
    proof.z <== z;
    proof.quantum <== quantum;
    proof.muEven <== muEven;
    proof.mu <== mu;
    proof.isValid <== isValid;
    proof.present <== present;
    proof.rowCounts <== rowCounts;
    proof.leaf <== leaf;
    proof.earned <== earned;
    proof.remainder <== remainder;
    proof.owner <== owner;
    proof.featuresCommitment <== scored.featuresCommitment;
    proof.queryCommitment <== scored.queryCommitment;
    proof.positive <== scored.positive;
    proof.positiveTotal <== scored.positiveTotal;
    commitment <== proof.commitment;
    y <== proof.y;
}
