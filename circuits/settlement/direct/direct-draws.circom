pragma circom 2.1.6;

include "./direct-scores.circom";
include "../scores/feature-columns.circom";
include "../row-rewards.circom";
include "../../field/curve/start-point.circom";

// How the rows of one shard of a direct model score for the prompts of all draws, and that each answer is the model's: what
// ScoredDraws is for models of features. Rules: direct-matrix.ts; featuresCommitment in feature-commitment.ts. The main source
// includes the generators' tables first (generator-tables.ts).
//
// Parameters:  rows; buckets: exactly D; draws.
// Inputs:      z. columnU, columnV: FeatureColumns, one a bucket and the bias' last. answeringHash: what answers depend on besides
//              the columns. counts, answeredClass, scores, logitDigits, blindScore of each draw: DirectScores.
// Outputs:     featuresCommitment; of each draw queryCommitment, positive[rows]: s⁺, positiveTotal: their sum.
// Assumes:     z is a hash over what fixes featuresCommitment and each queryCommitment whose scores count.
// Ensures:     positive is a function of featuresCommitment and queryCommitment (DirectScores), and below 2^(3 · DIRECT_DIGITS() − 1)
//              each; each answered class is the answer by these columns' row of the logit.
// Constraints: those of the parts; no others but DrawTotals' are linear.
template DirectDraws(rows, buckets, draws) {
    signal input z;
    signal input columnU[buckets + 1];
    signal input columnV[buckets + 1];
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

    // B. The columns, and what the statics hold of them. Nothing else reads the answering hash here.
    component columns = FeatureColumns(buckets + 1);
    columns.u <== columnU;
    columns.v <== columnV;
    component bound = HashTagged(2, 16);
    bound.in[0] <== columns.commitment;
    bound.in[1] <== answeringHash;
    featuresCommitment <== bound.out;
    component shared = DirectBase(buckets, LENGTH_BITS(buckets));
    shared.start <== start.point;
    for (var a = 0; a < buckets; a++) {
        shared.u[a] <== columnU[a];
        shared.v[a] <== columnV[a];
    }

    // C. The draws' scores.
    component scored[draws];
    component totals = DrawTotals(rows, draws);
    for (var k = 0; k < draws; k++) {
        scored[k] = DirectScores(rows, buckets);
        scored[k].start <== start.point;
        scored[k].base <== shared.base;
        scored[k].startMultiple <== shared.startMultiple;
        scored[k].u <== columnU;
        scored[k].v <== columnV;
        scored[k].tripleU <== columns.tripleU;
        scored[k].tripleV <== columns.tripleV;
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
