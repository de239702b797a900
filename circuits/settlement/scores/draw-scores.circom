pragma circom 2.1.6;

include "../../field/curve/point-multiples.circom";
include "./query-points.circom";
include "./score-rows.circom";

// The scores of one drawn query: s_k = sum over columns j of q_j * G[k][j], by one equation of curve points. Model:
// draw-scores.ts. The main source includes the generators' tables first (generator-tables.ts).
//
//     2 * sum of q_j * C_j + sum of H_k + H' = sum of (2 s_k + 1) * H_k + (2 s' + 1) * H'
//
// both sides times 8. With C_j = H' + sum of G[k][j] * H_k this holds for the scores and s' = sum of q_j; a second
// solution is a relation of the generators.
//
// Parameters:  rows >= 1; features = 1 ... 2,072.
// Inputs:      start[2] = S and startMultiple[2] = 170 * S (StartPoint); columns u, v, tripleU, tripleV (FeatureColumns);
//              queryBytes[features] (docs/reference/settlement.md); scores[rows], blindScore = s': hints only.
// Outputs:     positive[rows] = max(0, s_k); queryCommitment.
// Assumes:     S is of order l, and a hash made it after the columns and this query were fixed; columns are on the curve,
//              not (0, 0), and tripled; the generators are points that nobody knows a relation of.
// Ensures:     the equation, for the query of queryCommitment; so positive is a function of columns and query.
//              Small-order parts of columns do not matter.
// Constraints: with D = SCORE_DIGITS(features):
//              rows * (8 * D + 2) + features * 32 + QueryHash(features) + 8 * D + 15 * (D - 1) + 37 + 30.
//
// Why incomplete additions are enough. Over columns: all sums are S times 1, 4, 5, ... plus a combination of the C_j
// that is fixed before S is. Each addition is exceptional for one S only (equal points) and without witness for one
// other, of about 2^252: fewer than 2^15 of them a draw, so each S that a prover makes the hash produce meets one
// with probability below 2^-236. A registrant can choose C_j as she likes, C_0 = B8 too: she does not know S.
// Over rows: see DigitPlane; between planes B_p keeps a coefficient that is not 0.
template DrawScores(rows, features) {
    signal input start[2];
    signal input startMultiple[2];
    signal input u[features];
    signal input v[features];
    signal input tripleU[features];
    signal input tripleV[features];
    signal input queryBytes[features];
    signal input scores[rows];
    signal input blindScore;
    signal output positive[rows];
    signal output queryCommitment;

    // Tables for fewer rows would leave some without a generator, and their scores free.
    assert(rows == SCORE_TABLE_ROWS());
    var D = SCORE_DIGITS(features);

    // A. The query.
    component queryHash = QueryHash(features);
    queryHash.bytes <== queryBytes;
    queryCommitment <== queryHash.commitment;

    // B. Four planes over the columns: S + sum of e_i * C_j, then by Horner 85 * S + sum of q_j * C_j.
    component entry[features];
    for (var j = 0; j < features; j++) {
        entry[j] = QueryEntry();
        entry[j].byte <== queryBytes[j];
        entry[j].point[0] <== u[j];
        entry[j].point[1] <== v[j];
        entry[j].triple[0] <== tripleU[j];
        entry[j].triple[1] <== tripleV[j];
    }
    var columnBlocks = (features + 63) \ 64;
    component columnSum[4][columnBlocks];
    for (var i = 0; i < 4; i++) {
        for (var b = 0; b < columnBlocks; b++) {
            var count = features - 64 * b < 64 ? features - 64 * b : 64;
            columnSum[i][b] = UnsafePointSum(count);
            if (b == 0) { columnSum[i][b].start <== start; } else { columnSum[i][b].start <== columnSum[i][b - 1].out; }
            for (var j = 0; j < count; j++) { columnSum[i][b].points[j] <== entry[64 * b + j].out[i]; }
        }
    }
    component fourfold[3];
    component columnHorner[3];
    for (var i = 2; i >= 0; i--) {
        fourfold[i] = DoubledPoint(2);
        columnHorner[i] = UnsafeMontgomeryAdd();
        if (i == 2) { fourfold[i].in <== columnSum[3][columnBlocks - 1].out; } else { fourfold[i].in <== columnHorner[i + 1].out; }
        columnHorner[i].a <== fourfold[i].out;
        columnHorner[i].b <== columnSum[i][columnBlocks - 1].out;
    }
    component twice = DoubledPoint(1);
    twice.in <== columnHorner[0].out;

    // C. D planes over the rows: B_p + sum of digits times generators, H' first.
    signal planeStart[D][2];
    signal blindDigit[D][1];
    component blind[D];
    for (var p = 0; p < D; p++) {
        planeStart[p] <== PLANE_START(p);
        blind[p] = DigitPlane(1, BLIND_TABLE());
        blind[p].start <== planeStart[p];
        // A hint for the reason, and with the rule, of ScoreRows.
        blindDigit[p][0] <-- 2 * (((blindScore + (1 << (3 * D - 1))) >> (3 * p)) & 7) - 7;
        blind[p].digit <== blindDigit[p];
    }
    var rowBlocks = (rows + 63) \ 64;
    component rowSum[rowBlocks];
    for (var b = 0; b < rowBlocks; b++) {
        var count = rows - 64 * b < 64 ? rows - 64 * b : 64;
        rowSum[b] = ScoreRows(b, count, D);
        for (var p = 0; p < D; p++) {
            if (b == 0) { rowSum[b].start[p] <== blind[p].out; } else { rowSum[b].start[p] <== rowSum[b - 1].out[p]; }
        }
        for (var k = 0; k < count; k++) { rowSum[b].scores[k] <== scores[64 * b + k]; }
        for (var k = 0; k < count; k++) { positive[64 * b + k] <== rowSum[b].positive[k]; }
    }
    component eightfold[D - 1];
    component rowHorner[D - 1];
    for (var p = D - 2; p >= 0; p--) {
        eightfold[p] = DoubledPoint(3);
        rowHorner[p] = UnsafeMontgomeryAdd();
        if (p == D - 2) { eightfold[p].in <== rowSum[rowBlocks - 1].out[D - 1]; } else { eightfold[p].in <== rowHorner[p + 1].out; }
        rowHorner[p].a <== eightfold[p].out;
        rowHorner[p].b <== rowSum[rowBlocks - 1].out[p];
    }

    // D. 170 S + 2 sum of q_j C_j + correction against 170 S + the rows. Left: exceptional for one S, as above. Right:
    //    S is a known multiple of B8 plus a constant, so equal points are a relation again.
    signal correction[2];
    correction <== SCORE_CORRECTION(D);
    component left = UnsafeMontgomeryAdd();
    left.a <== twice.out;
    left.b <== correction;
    component right = UnsafeMontgomeryAdd();
    right.a <== rowHorner[0].out;
    right.b <== startMultiple;
    component equal = EqualUpToSmallOrder();
    equal.a <== left.out;
    equal.b <== right.out;
}
