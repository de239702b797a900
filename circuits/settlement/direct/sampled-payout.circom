pragma circom 2.1.6;

include "../scores/draw-point.circom";
include "../scores/draw-shares.circom";
include "../scores/draw-weight.circom";
include "../../ledger/model-statics.circom";
include "../payment-replay.circom";
include "../payees.circom";
include "../../ledger/rewards-tree.circom";
include "../row-rewards.circom";
include "../settlement-vector.circom";

// Least bits with n <= 2^bits.
function BITS_BELOW(n) {
    var bits = 0;
    while ((1 << bits) < n) { bits++; }
    return bits;
}

// A sampled settlement around its scores: who earned what of a closed epoch, where the draws' queries have scored the rows.
// Settlement has the same within its own template, so that its keys stay what they are. Rules: settlement-rules.ts.
//
// Parameters:  rows ≥ N; payees ≤ 256, at least M; payments; drawBits: log2 of the draws, at most 7; shape: the constant
//              that the binding ends with; scoreBits with s⁺ < 2^scoreBits.
// Inputs:      z; all else private, and said where it is declared or in Settlement.
// Outputs:     commitment (C), y.
// Assumes:     what Settlement assumes of L1 and of the ledger. featuresCommitment is the hash of what the scores came from.
//              Of a valid draw, positive is a function of featuresCommitment and queryCommitment, in 0 … 2^scoreBits − 1; of
//              a void one, it may be anything in that range.
// Ensures:     what docs/explanation/attribution-proof.md states, 1 to 7, but for how queries score.
//
// Constraints: those of Settlement less its columns, scores and start.
//
// Phases: A challenges, B model and closed epoch, C payments, D draws, E payees and rows, F payout and J, G elements.
template SampledPayout(rows, payees, payments, drawBits, shape, scoreBits) {
    var draws = 1 << drawBits;
    signal input z;
    signal input modelId;
    signal input epoch;
    signal input closingBatch;
    signal input seed;
    signal input amount; // P
    // The statics' opening; ModelStatics.
    signal input payeeRoot;
    signal input origin;
    signal input predecessor;
    signal input ownerParts;
    signal input validatorParts;
    // The payees: Payees, RewardsTree; T_m and W_m mod 2^40.
    signal input present[payees];
    signal input rowCounts[payees];
    signal input leaf[payees];
    signal input earned[payees];
    signal input remainder[payees];
    // The payee of each row: RowRewards.
    signal input owner[rows];
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
    // What a query scores, and what it and the model's columns are committed to.
    signal input positive[draws][rows];
    signal input queryCommitment[draws];
    signal input featuresCommitment;

    signal output commitment;
    signal output y;

    // A. β = z, γ, η. z is a hash over C.
    component challenge[2];
    for (var i = 0; i < 2; i++) {
        challenge[i] = HashTagged(2, 14);
        challenge[i].in[0] <== z;
        challenge[i].in[1] <== i;
    }
    signal gamma <== challenge[0].out;
    signal eta <== challenge[1].out;
    signal betaSquare <== z * z;

    // B. The model and what was closed. Every packed field is range-checked, so the packings are injective; voidCount is
    //    at most 128 by its definition (D).
    component idRange = RangeCheck(24);
    idRange.in <== modelId;
    component epochRange = RangeCheck(24);
    epochRange.in <== epoch;
    component batchRange = RangeCheck(40);
    batchRange.in <== closingBatch;

    component table = Payees(payees);
    table.present <== present;
    table.rowCounts <== rowCounts;
    component statics = ModelStatics();
    statics.featuresCommitment <== featuresCommitment;
    statics.ownersCommitment <== table.ownersCommitment;
    statics.payeeRoot <== payeeRoot;
    statics.rowTotal <== table.rowTotal;
    statics.origin <== origin;
    statics.predecessor <== predecessor;
    // A constant, so this circuit settles only models that were created for its number of draws and its kind of columns.
    // Attack: whoever settles would otherwise choose among the draws of all registered circuits, once the seed is known.
    assert(drawBits < 8 && shape < 1 << 12);
    statics.shape <== drawBits + (1 << 3) * shape;
    statics.ownerParts <== ownerParts;
    statics.validatorParts <== validatorParts;

    // C. Payments. The last one's cumulative amount is the closed amount.
    component replay = PaymentReplay(payments, drawBits + 1);
    replay.beta <== z;
    replay.betaSquare <== betaSquare;
    replay.gamma <== gamma;
    replay.active <== active;
    replay.receipt <== receipt;
    replay.packed <== packed;
    replay.hits <== hits;
    component closed = HashTagged(4, 11);
    closed.in[0] <== replay.chain;
    closed.in[1] <== statics.statics;
    closed.in[2] <== epoch + (1 << 24) * closingBatch;
    closed.in[3] <== amount;
    // amount is below 2^96 by DrawShares, the payer below 2^24 by this range: last = payer + 2^24 amount as integers, and
    // neither can be an alias.
    component lastPayer = RangeCheck(24);
    lastPayer.in <== replay.last - (1 << 24) * amount;

    component shares = DrawShares(drawBits);
    shares.amount <== amount;
    shares.ownerParts <== ownerParts;

    // D. Draws.
    signal seedAmount <== seed * amount;
    component point[draws];
    component opening[draws];
    component weight[draws];
    signal ofAfter[draws];
    signal ofReceipt[draws];
    signal lookupAfter[draws + 1];
    lookupAfter[0] <== 0;
    var validCount = 0;
    var even = 0;
    for (var k = 0; k < draws; k++) {
        // The draw is one of the payments: the sum of 1 / (γ − draw) is that of the hits (below). A division, hence a hint;
        // drawBefore, drawAfter, drawReceipt are in C, so γ is none of theirs and the next line determines the term.
        ofAfter[k] <== z * drawAfter[k];
        ofReceipt[k] <== betaSquare * drawReceipt[k];
        var f = drawBefore[k] + ofAfter[k] + ofReceipt[k];
        lookupAfter[k + 1] <-- lookupAfter[k] + 1 / (gamma - f);
        (lookupAfter[k + 1] - lookupAfter[k]) * (gamma - f) === 1;

        point[k] = DrawPoint(k, drawBits);
        point[k].seedAmount <== seedAmount;
        point[k].amount <== amount;
        point[k].before <== drawBefore[k];
        point[k].after <== drawAfter[k];

        // A valid draw's receipt opens to this query, for these statics and this payer.
        opening[k] = HashTagged(5, 18);
        opening[k].in[0] <== statics.statics;
        opening[k].in[1] <== point[k].payer;
        opening[k].in[2] <== answerHash[k];
        opening[k].in[3] <== queryCommitment[k];
        opening[k].in[4] <== salt[k];
        isValid[k] * (1 - isValid[k]) === 0;
        isValid[k] * (drawReceipt[k] - opening[k].out) === 0;
        validCount += isValid[k];

        weight[k] = DrawWeight(rows, scoreBits + BITS_BELOW(rows));
        weight[k].positive <== positive[k];
        weight[k].rowTotal <== table.rowTotal;
        weight[k].rewardWei <== shares.rewardWei;
        weight[k].isValid <== isValid[k];
        even += weight[k].muEven;
    }
    replay.lookup === lookupAfter[draws];

    // E. Payees and rows. Where no score of a draw is positive, each payee gets μ for each of its rows: rows pay nothing
    //    for that case. T and the remainder have a range each, so W is an integer below 2^137, and of an absent payee it is 0
    //    only if both are.
    component earnedRange[payees];
    component remainderRange[payees];
    component rewards = RowRewards(rows, payees, draws);
    component tree = RewardsTree(payees);
    signal muEven <== even;
    var earnedSum = 0;
    for (var m = 0; m < payees; m++) {
        earnedRange[m] = RangeCheck(96);
        earnedRange[m].in <== earned[m];
        remainderRange[m] = RangeCheck(40);
        remainderRange[m].in <== remainder[m];
        ((1 << 40) * earned[m] + remainder[m]) * (1 - present[m]) === 0;
        leaf[m] * (1 - present[m]) === 0;
        rewards.even[m] <== muEven * rowCounts[m];
        earnedSum += earned[m];
    }
    rewards.gamma <== gamma;
    rewards.eta <== eta;
    rewards.owner <== owner;
    for (var k = 0; k < draws; k++) {
        rewards.positive[k] <== positive[k];
        rewards.mu[k] <== weight[k].mu;
    }
    rewards.payeeCount <== table.payeeCount;
    rewards.rowCounts <== rowCounts;
    rewards.earned <== earned;
    rewards.remainder <== remainder;
    tree.leaf <== leaf;
    tree.earned <== earned;

    // F. Payout and J. ownerWei and burnedWei are at most P, what the payees earned is at most the valid draws' rewards, so
    //    treasuryWei is at least the valid draws' treasury parts: no sum is negative or reaches r.
    signal ownerWei <== validCount * shares.ownerWei;
    signal burnedWei <== (draws - validCount) * shares.drawWei;
    component j = HashTagged(6, 12);
    j.in[0] <== modelId + (1 << 24) * (draws - validCount);
    j.in[1] <== closed.out;
    j.in[2] <== ownerWei;
    j.in[3] <== amount - ownerWei - burnedWei - earnedSum;
    j.in[4] <== tree.oldRoot;
    j.in[5] <== tree.newRoot;

    // G. Elements. Packed private values have been range-checked, each by itself: remainders above, steps and hits where they
    //    are used. A draw takes an element for each of its three values; whether it is valid is bit 128 of the first, as
    //    drawBefore = payer + 2^24 (x − δ) lies between −2^120 and 2^120 by the three ranges of DrawPoint.
    var ofRemainders = (payees + 5) \ 6;
    var ofSteps = (rows + 251) \ 252;
    var hitsEach = 252 \ (drawBits + 1);
    var ofHits = (payments + hitsEach - 1) \ hitsEach;
    component vector = SettlementVector(payees, ofRemainders + ofSteps + ofHits + 3 * draws);
    vector.z <== z;
    vector.head[0] <== j.out;
    vector.head[1] <== modelId + (1 << 24) * epoch + (1 << 48) * closingBatch + (1 << 88) * (draws - validCount);
    vector.head[2] <== replay.chain;
    vector.head[3] <== burnedWei;
    vector.head[4] <== seed;
    vector.items <== earned;
    var at = 0;
    for (var i = 0; i < ofRemainders; i++) {
        var sum = 0;
        for (var m = 6 * i; m < 6 * i + 6 && m < payees; m++) { sum += (1 << (40 * (m - 6 * i))) * remainder[m]; }
        vector.private[at] <== sum;
        at++;
    }
    for (var i = 0; i < ofSteps; i++) {
        var sum = 0;
        for (var b = 0; b < 252 && 252 * i + b < rows; b++) {
            var row = 252 * i + b;
            sum += (1 << b) * owner[row];
            if (row > 0) { sum -= (1 << b) * owner[row - 1]; }
        }
        vector.private[at] <== sum;
        at++;
    }
    for (var i = 0; i < ofHits; i++) {
        var sum = 0;
        for (var b = 0; b < hitsEach && hitsEach * i + b < payments; b++) {
            sum += (1 << (b * (drawBits + 1))) * hits[hitsEach * i + b];
        }
        vector.private[at] <== sum;
        at++;
    }
    for (var k = 0; k < draws; k++) {
        vector.private[at] <== drawBefore[k] + (1 << 128) * isValid[k];
        vector.private[at + 1] <== drawAfter[k];
        vector.private[at + 2] <== drawReceipt[k];
        at += 3;
    }
    commitment <== vector.commitment;
    y <== vector.y;
}
