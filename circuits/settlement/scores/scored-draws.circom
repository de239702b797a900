pragma circom 2.1.6;

include "./draw-scores.circom";
include "./feature-columns.circom";
include "../row-rewards.circom";
include "../../field/curve/start-point.circom";

// How the rows of one shard score for the queries of all draws. Rules: scoredDraw in direct-matrix.ts, featuresCommitment in
// feature-commitment.ts. The main source includes the generators' tables first (generator-tables.ts).
//
// Parameters:  rows; features: exactly d; draws.
// Inputs:      z. columnU, columnV: FeatureColumns. answeringHash: what queries depend on besides prompt and answer.
//              queryBytes, scores, blindScore of each draw: DrawScores.
// Outputs:     featuresCommitment; of each draw queryCommitment, positive[rows]: s⁺, positiveTotal: their sum.
// Assumes:     z is a hash over what fixes featuresCommitment and each queryCommitment whose scores count.
// Ensures:     positive is a function of featuresCommitment and queryCommitment (DrawScores), and below 2^(3 D − 1) each.
// Constraints: those of the parts; no others but DrawTotals' are linear.
template ScoredDraws(rows, features, draws) {
    signal input z;
    signal input columnU[features];
    signal input columnV[features];
    signal input answeringHash;
    signal input queryBytes[draws][features];
    signal input scores[draws][rows];
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

    // B. The columns, and what the statics hold of them.
    component columns = FeatureColumns(features);
    columns.u <== columnU;
    columns.v <== columnV;
    component bound = HashTagged(2, 16);
    bound.in[0] <== columns.commitment;
    bound.in[1] <== answeringHash;
    featuresCommitment <== bound.out;

    // C. The draws' scores.
    component scored[draws];
    component totals = DrawTotals(rows, draws);
    for (var k = 0; k < draws; k++) {
        scored[k] = DrawScores(rows, features);
        scored[k].start <== start.point;
        scored[k].startMultiple <== start.multiple;
        scored[k].u <== columnU;
        scored[k].v <== columnV;
        scored[k].tripleU <== columns.tripleU;
        scored[k].tripleV <== columns.tripleV;
        scored[k].queryBytes <== queryBytes[k];
        scored[k].scores <== scores[k];
        scored[k].blindScore <== blindScore[k];
        totals.positive[k] <== scored[k].positive;
        positive[k] <== scored[k].positive;
        queryCommitment[k] <== scored[k].queryCommitment;
    }
    positiveTotal <== totals.total;
}
