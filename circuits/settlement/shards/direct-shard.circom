pragma circom 2.1.6;

include "../direct/direct-draws.circom";
include "./shard-proof.circom";

// One shard of a sharded settlement of a direct model: as Shard, with scores by the prompts' own counts, and with it proven that no
// answer is behind its runner-up. Rules: settleShards in settle-shards.ts, direct-matrix.ts. The main source includes the generators' tables first.
//
// Its columns are over its own rows and over the model's row of the logit, which has a generator of its own. The statics bind the
// columns of all shards' pairs, but not that their logits are equal. They need not be: a draw has one query in all links, its pair
// and its class within, and each shard's proof shows this class by its own columns. Where two logits disagree about a prompt, one shard has no
// proof of its draw, whichever class the receipt has: the draw can only be void, as one that nobody opens. A void draw has
// proofs whatever the columns are, by any pair: no term has logit 0 and class 1.
//
// Parameters:  rows ≥ N_s, at most 2^20; buckets: exactly D; payees ≤ 512, at least M_s; draws.
// Public:      commitment (C), y; z. L1 computes z from C and from every element that it evaluates.
// Inputs:      all private; what they are is said where they are declared.
// Assumes:     what ShardProof does.
// Ensures:     what ShardProof does, of scores as DirectDraws has them; each draw's class is the answer by this shard's columns.
// Constraints: constraint-counts.json, "DirectShard(…)"; the parts' headers say how they come about.
template DirectShard(rows, buckets, payees, draws) {
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
    // DirectDraws.
    signal input counts[draws][buckets];
    signal input answeredClass[draws];
    signal input scores[draws][rows];
    signal input logitDigits[draws];
    signal input blindScore[draws];
    signal input columnU[draws][buckets + 1];
    signal input columnV[draws][buckets + 1];
    signal input pair[draws];
    signal input path[draws][PAIR_TREE_DEPTH()][8];
    signal input answeringHash;

    signal output commitment;
    signal output y;

    // A. The draws' scores and classes.
    component scored = DirectDraws(rows, buckets, draws);
    scored.z <== z;
    scored.columnU <== columnU;
    scored.columnV <== columnV;
    scored.pair <== pair;
    scored.path <== path;
    scored.answeringHash <== answeringHash;
    scored.counts <== counts;
    scored.answeredClass <== answeredClass;
    scored.scores <== scores;
    scored.logitDigits <== logitDigits;
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
