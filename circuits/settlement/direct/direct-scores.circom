pragma circom 2.1.6;

include "../../field/curve/point-multiples.circom";
include "./logit-generator.circom";
include "../scores/score-rows.circom";
include "./term-counts.circom";

// Base-8 digits of a direct score: 2 * 511 * (8 * 2000 + 357) + 1 < 8^8. The main source's tables: see score-rows.circom.
function DIRECT_DIGITS() { return 8; }

// Terms of a prompt that count: MAX_TERMS in direct-query.ts.
function MOST_TERMS() { return 2000; }

// UnsafePointSum in parts of 64 points, each with one division.
//
// Parameters, inputs, outputs, what is assumed and ensured: as UnsafePointSum.
// Constraints: 3 * count; none linear.
template LongPointSum(count) {
    signal input start[2];
    signal input points[count][2];
    signal output out[2];
    var parts = (count + 63) \ 64;
    component sum[parts];
    for (var b = 0; b < parts; b++) {
        var size = count - 64 * b < 64 ? count - 64 * b : 64;
        sum[b] = UnsafePointSum(size);
        if (b == 0) { sum[b].start <== start; } else { sum[b].start <== sum[b - 1].out; }
        for (var i = 0; i < size; i++) { sum[b].points[i] <== points[64 * b + i]; }
    }
    out <== sum[parts - 1].out;
}

// What all draws of one set of columns share beside them: a multiple of the sum of all buckets.
//
// Parameters:  buckets >= 1.
// Inputs:      start[2] = S; u[buckets], v[buckets]: the columns of the buckets.
// Outputs:     base[2] = 24 * (S + sum of C_a).
// Assumes:     as DirectScores.
// Ensures:     the above.
// Constraints: 3 * buckets + 19; none linear.
template DirectBase(buckets) {
    signal input start[2];
    signal input u[buckets];
    signal input v[buckets];
    signal output base[2];

    component sum = LongPointSum(buckets);
    sum.start <== start;
    for (var a = 0; a < buckets; a++) {
        sum.points[a][0] <== u[a];
        sum.points[a][1] <== v[a];
    }
    // 24 = 8 * 3. Twice a point is itself only for the identity, and its opposite only for order 3, which 8l has not.
    component twice = DoubledPoint(1);
    twice.in <== sum.out;
    component thrice = UnsafeMontgomeryAdd();
    thrice.a <== twice.out;
    thrice.b <== sum.out;
    component all = DoubledPoint(3);
    all.in <== thrice.out;
    base <== all.out;
}

// What all draws of a proof share: a multiple of the start.
//
// Parameters:  lengthBits: LENGTH_BITS(buckets), above 4.
// Inputs:      start[2] = S, of the prime order.
// Outputs:     startMultiple[2] = (32 + 2^(lengthBits + 1)) * S.
// Assumes:     S is on the curve.
// Ensures:     the above.
// Constraints: 4 * (lengthBits + 1) + 3; none linear.
template StartMultiple(lengthBits) {
    signal input start[2];
    signal output startMultiple[2];

    // S is of the prime order l, and 2^(lengthBits + 1) is neither 32 nor -32 modulo l.
    assert(lengthBits > 4);
    component low = DoubledPoint(5);
    low.in <== start;
    component high = DoubledPoint(lengthBits - 4);
    high.in <== low.out;
    component both = UnsafeMontgomeryAdd();
    both.a <== high.out;
    both.b <== low.out;
    startMultiple <== both.out;
}

// The scores of one drawn direct query, and that its class is the model's answer, by one equation of curve points. Rules:
// direct-matrix.ts. The main source includes the generators' tables first (generator-tables.ts).
//
// With sigma = 1 - 2 class, n = sum of counts, L = floor(8 sqrt(n)), X = 8 sum of count_a C_a + L C_bias:
//
//     sigma (2 X + H_logit) + sum of H_k + H' = sum of (2 s_k + 1) H_k + (2 s' + 1) H' + t H_logit,  t < 0
//
// both sides times 8. With C_j = H' + sum of B_kj H_k + B_logit,j H_logit this holds for s_k = sigma * (8 sum of count_a
// B_ka + L B_k,bias), s' = sigma (8 n + L) and t = sigma (2 logit + 1); a second solution is a relation of the generators.
// t is odd, so exactly one class makes it negative: class 1 iff the logit is 0 or more.
//
// Parameters:  rows >= 1; buckets >= 16.
// Inputs:      start[2] = S; startMultiple[2]: StartMultiple; base[2]: DirectBase; columns u, v, tripleU, tripleV
//              (FeatureColumns), one a bucket and the bias' last; counts[buckets], answeredClass; pair: the place of the
//              columns among those of all pairs of labels; scores[rows], logitDigits = t, blindScore = s': hints only.
// Outputs:     positive[rows] = max(0, s_k); queryCommitment.
// Assumes:     S is of order l, and a hash made it after the columns and this query were fixed; columns are on the curve
//              and tripled; pair is below 2^12; the generators are points that nobody knows a relation of.
// Ensures:     the equation, for the query of queryCommitment, which names pair; so positive is a function of columns and
//              query, and the class is that of the columns' last row of openings. Small-order parts of columns do not matter.
// Constraints: 66 a row, 9 a bucket, CountsHash(buckets) + TermLength(bits) + 9 * bits with bits = LENGTH_BITS(buckets), and
//              293: planes of H' and H_logit 128, its sign 1, Horner 105, the equation 36, sums of columns 22, class 1. With
//              more than 666 buckets 11 more, for n.
//
// Why incomplete additions are enough: as in DrawScores. Every sum over columns is a multiple of S, not 0, plus a
// combination of columns that is fixed before S is; the multiples of two sums that are added differ: 8 and 24, then 32 and
// 2^(bits + 1). So each addition is exceptional for one S and without witness for one other. An addition that L's bit
// leaves out may be exceptional: nothing reads it.
template DirectScores(rows, buckets) {
    signal input start[2];
    signal input base[2];
    signal input startMultiple[2];
    signal input u[buckets + 1];
    signal input v[buckets + 1];
    signal input tripleU[buckets + 1];
    signal input tripleV[buckets + 1];
    signal input counts[buckets];
    signal input answeredClass;
    signal input pair;
    signal input scores[rows];
    signal input logitDigits;
    signal input blindScore;
    signal output positive[rows];
    signal output queryCommitment;

    // Tables for fewer rows would leave some without a generator, and their scores free.
    assert(rows == SCORE_TABLE_ROWS());
    var D = DIRECT_DIGITS();
    var lengthBits = LENGTH_BITS(buckets);

    // A. The query.
    answeredClass * (answeredClass - 1) === 0;
    component hash = CountsHash(buckets);
    hash.counts <== counts;
    hash.answeredClass <== answeredClass;
    hash.pair <== pair;
    queryCommitment <== hash.commitment;
    component length = TermLength(lengthBits);
    length.terms <== hash.total;
    // n <= 2,000, as the rules have it: 2,000 - n is in 0 ... 2,047, and n is a sum of counts. Fewer buckets hold no more.
    var mayExceed = 3 * buckets > MOST_TERMS() ? 1 : 0;
    component fewTerms[mayExceed];
    for (var i = 0; i < mayExceed; i++) {
        fewTerms[i] = RangeCheck(11);
        fewTerms[i].in <== MOST_TERMS() - hash.total;
    }

    // B. The buckets: 8 * (S + sum of (2 count_a - 3) C_a); with base it makes 32 S + 16 sum of count_a C_a.
    component entry[buckets];
    component sum = LongPointSum(buckets);
    sum.start <== start;
    for (var a = 0; a < buckets; a++) {
        entry[a] = TermCount();
        entry[a].count <== counts[a];
        entry[a].point[0] <== u[a];
        entry[a].point[1] <== v[a];
        entry[a].triple[0] <== tripleU[a];
        entry[a].triple[1] <== tripleV[a];
        sum.points[a] <== entry[a].out;
    }
    component eight = DoubledPoint(3);
    eight.in <== sum.out;
    component terms = UnsafeMontgomeryAdd();
    terms.a <== eight.out;
    terms.b <== base;

    // C. The bias: from S, acc = 2 acc + bit * C_bias; in the end 2^bits S + L C_bias, and that twice.
    component doubled[lengthBits + 1];
    component added[lengthBits];
    signal acc[lengthBits + 1][2];
    acc[0] <== start;
    for (var i = 0; i < lengthBits; i++) {
        doubled[i] = DoubledPoint(1);
        doubled[i].in <== acc[i];
        added[i] = UnsafeMontgomeryAdd();
        added[i].a <== doubled[i].out;
        added[i].b[0] <== u[buckets];
        added[i].b[1] <== v[buckets];
        for (var c = 0; c < 2; c++) {
            acc[i + 1][c] <== length.bit[lengthBits - 1 - i] * (added[i].out[c] - doubled[i].out[c]) + doubled[i].out[c];
        }
    }
    doubled[lengthBits] = DoubledPoint(1);
    doubled[lengthBits].in <== acc[lengthBits];
    component whole = UnsafeMontgomeryAdd();
    whole.a <== terms.out;
    whole.b <== doubled[lengthBits].out;

    // D. D planes over H', H_logit and the rows: B_p + sum of digits times generators.
    signal planeStart[D][2];
    signal blindDigit[D][1];
    signal logitDigit[D][1];
    component blind[D];
    component logit[D];
    for (var p = 0; p < D; p++) {
        planeStart[p] <== PLANE_START(p);
        blind[p] = DigitPlane(1, BLIND_TABLE());
        blind[p].start <== planeStart[p];
        // Hints for the reason, and with the rule, of ScoreRows; logitDigits is 2s + 1 itself.
        blindDigit[p][0] <-- 2 * (((blindScore + (1 << (3 * D - 1))) >> (3 * p)) & 7) - 7;
        blind[p].digit <== blindDigit[p];
        logit[p] = DigitPlane(1, LOGIT_TABLE());
        logit[p].start <== blind[p].out;
        logitDigit[p][0] <-- 2 * ((((logitDigits - 1) / 2 + (1 << (3 * D - 1))) >> (3 * p)) & 7) - 7;
        logit[p].digit <== logitDigit[p];
    }
    // The top digit has t's sign: -d = |d|, as ScoreRows writes it.
    -logitDigit[D - 1][0] === 1 + (logit[D - 1].z[0] - 1) * (1 / 8) + SCORE_ABS_T() * logit[D - 1].t[0] + SCORE_ABS_W() * logit[D - 1].w[0];
    var rowBlocks = (rows + 63) \ 64;
    component rowSum[rowBlocks];
    for (var b = 0; b < rowBlocks; b++) {
        var count = rows - 64 * b < 64 ? rows - 64 * b : 64;
        rowSum[b] = ScoreRows(b, count, D);
        for (var p = 0; p < D; p++) {
            if (b == 0) { rowSum[b].start[p] <== logit[p].out; } else { rowSum[b].start[p] <== rowSum[b - 1].out[p]; }
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

    // E. sigma (m S + 2 X) + correction + sigma H_logit against sigma m S + the rows. Left: exceptional for one S, as above.
    //    Right: S is a known multiple of B8 plus a constant, so equal points are a relation again.
    var sigma = 1 - 2 * answeredClass;
    signal wholeV <== sigma * whole.out[1];
    signal multipleV <== sigma * startMultiple[1];
    signal correction[2];
    correction <== SCORE_CORRECTION(D);
    var generator[2] = LOGIT_GENERATOR();
    component corrected = UnsafeMontgomeryAdd();
    corrected.a[0] <== whole.out[0];
    corrected.a[1] <== wholeV;
    corrected.b <== correction;
    component left = UnsafeMontgomeryAdd();
    left.a <== corrected.out;
    left.b[0] <== generator[0];
    left.b[1] <== sigma * generator[1];
    component right = UnsafeMontgomeryAdd();
    right.a <== rowHorner[0].out;
    right.b[0] <== startMultiple[0];
    right.b[1] <== multipleV;
    component equal = EqualUpToSmallOrder();
    equal.a <== left.out;
    equal.b <== right.out;
}
