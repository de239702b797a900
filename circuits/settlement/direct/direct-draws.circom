pragma circom 2.1.6;

include "./pair-columns.circom";
include "../row-rewards.circom";
include "../../field/curve/start-point.circom";

// How the rows of one shard of a direct model score for the prompts of all draws, and that no answer is behind its runner-up: what
// ScoredDraws is for models of features. Rules: direct-matrix.ts, pair-columns.ts; featuresCommitment in feature-commitment.ts.
// The main source includes the generators' tables first (generator-tables.ts).
//
// Parameters:  rows; buckets: exactly D; draws.
// Inputs:      z. columnU, columnV, pair, path of each draw: PairColumns. answeringHash: what answers depend on besides the columns.
//              counts, answeredClass, scores, logitDigits, blindScore of each draw: DirectScores.
// Outputs:     featuresCommitment; of each draw queryCommitment, positive[rows]: s⁺, positiveTotal: their sum.
// Assumes:     z is a hash over what fixes featuresCommitment and each queryCommitment whose scores count.
// Ensures:     positive is a function of featuresCommitment and queryCommitment (DirectScores), and below 2^(3 · DIRECT_DIGITS() − 1)
//              each: queryCommitment names the pair, featuresCommitment the root, and both the columns (PairColumns). Each answered
//              class is the answer by these columns' row of the logit.
// Constraints: those of the parts; no others but DrawTotals' are linear. Of 512 buckets a further draw's columns cost 30,249.
//
// Why S comes after every set of columns that counts: S is a hash of z, and z of the receipts of all draws and of the statics. A
// valid draw's receipt fixes its pair, the statics fix the root, and both the columns: path and columns are the prover's, but a
// second choice of either is a collision. So of valid draws no column, count or pair can be chosen by S. A void draw's pair is free:
// whoever proves may choose among the model's pairs after S is known. Its columns are its own, which no other draw reads, and its
// scores are multiplied by μ = 0.
template DirectDraws(rows, buckets, draws) {
    signal input z;
    signal input columnU[draws][buckets + 1];
    signal input columnV[draws][buckets + 1];
    signal input pair[draws];
    signal input path[draws][PAIR_TREE_DEPTH()][8];
    signal input answeringHash;
    signal input counts[draws][buckets];
    signal input answeredClass[draws];
    signal input scores[draws][rows];
    signal input logitDigits[draws];
    signal input blindScore[draws];
    signal output featuresCommitment;
    signal output queryCommitment[draws];
    signal output positive[draws][rows];
    signal output positiveTotal[draws];

    // A. The start of the columns' sums.
    component challenge = HashTagged(2, 14);
    challenge.in[0] <== z;
    challenge.in[1] <== 2;
    component start = StartPoint();
    start.start <== challenge.out;
    component multiple = StartMultiple(LENGTH_BITS(buckets));
    multiple.start <== start.point;

    // B. The columns, all of one tree, and what the statics hold of it. Nothing else reads the answering hash here.
    component columns[draws];
    for (var i = 0; i < draws; i++) {
        columns[i] = PairColumns(buckets);
        columns[i].start <== start.point;
        columns[i].u <== columnU[i];
        columns[i].v <== columnV[i];
        columns[i].pair <== pair[i];
        columns[i].path <== path[i];
        if (i > 0) { columns[i].root === columns[0].root; }
    }
    component bound = HashTagged(2, 16);
    bound.in[0] <== columns[0].root;
    bound.in[1] <== answeringHash;
    featuresCommitment <== bound.out;

    // C. The draws' scores.
    component scored[draws];
    component totals = DrawTotals(rows, draws);
    for (var k = 0; k < draws; k++) {
        scored[k] = DirectScores(rows, buckets);
        scored[k].start <== start.point;
        scored[k].startMultiple <== multiple.startMultiple;
        scored[k].base <== columns[k].base;
        scored[k].u <== columnU[k];
        scored[k].v <== columnV[k];
        scored[k].tripleU <== columns[k].tripleU;
        scored[k].tripleV <== columns[k].tripleV;
        scored[k].pair <== pair[k];
        scored[k].counts <== counts[k];
        scored[k].answeredClass <== answeredClass[k];
        scored[k].scores <== scores[k];
        scored[k].logitDigits <== logitDigits[k];
        scored[k].blindScore <== blindScore[k];
        totals.positive[k] <== scored[k].positive;
        positive[k] <== scored[k].positive;
        queryCommitment[k] <== scored[k].queryCommitment;
    }
    positiveTotal <== totals.total;
}
