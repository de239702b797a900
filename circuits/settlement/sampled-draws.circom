pragma circom 2.1.6;

include "./scores/draw-point.circom";
include "./scores/draw-weight.circom";
include "../ledger/model-statics.circom";
include "./payment-replay.circom";

// Least bits with n <= 2^bits.
function BITS_BELOW(n) {
    var bits = 0;
    while ((1 << bits) < n) { bits++; }
    return bits;
}

// What a sampled settlement shows of its payments and draws, and J: all but how queries score rows, and which payees have
// the rows (PayeeEarnings, RowRewards). Rules: settlement-rules.ts.
//
// Parameters:  payments; drawBits: log2 of the draws, at most 7; shape: the constant that the binding ends with; totalBits
//              with Σ s⁺ < 2^totalBits of each draw and N < 2^totalBits.
// Inputs:      z, gamma: challenges. All else private, and said where it is declared.
// Outputs:     mu[draws]: what a unit of a draw's weight earns; muEven: of each row, by the draws without a positive score.
//              head[5]: E's first elements. private[…]: what C absorbs of the payments and draws.
// Assumes:     L1 compares E: the modelId, epoch, voidCount with the record and the ledger, the seed (below 2^128) with its
//              randomness. The ledger opens J over the model's leaf, so `closed` and the old root are the leaf's, and
//              credits what J says. The leaf's statics had an activation (payee-table.circom). Its chain was written by
//              PayInference: packed amounts are below 2^120 and their cumulative wei grow. C absorbs head and private before
//              z, and z before gamma. featuresCommitment and ownersCommitment are hashes of what scores and payees came from.
//              Of a valid draw, positiveTotal is a function of featuresCommitment and queryCommitment; of a void one, it may
//              be any integer below 2^totalBits. earnedSum is at most what the draws' mu gives.
// Ensures:     what docs/explanation/attribution-proof.md states of payments, draws, μ, shares and J.
// Constraints: a payment and a draw as docs/reference/constraints.md says, and once: statics, shares, J, ranges.
//
// Phases: A model and closed epoch, B payments, C draws, D payout and J, E elements.
template SampledDraws(payments, drawBits, shape, totalBits) {
    var draws = 1 << drawBits;
    var hitsEach = 252 \ (drawBits + 1);
    var ofHits = (payments + hitsEach - 1) \ hitsEach;
    signal input z;
    signal input gamma;
    signal input modelId;
    signal input epoch;
    signal input closingBatch;
    signal input seed;
    // P; DrawShares over it.
    signal input amount;
    signal input drawWei;
    signal input ownerOfDraw;
    signal input rewardQuanta;
    // The statics' opening; ModelStatics.
    signal input featuresCommitment;
    signal input ownersCommitment;
    signal input payeeRoot;
    signal input origin;
    signal input predecessor;
    signal input further;
    signal input ownerParts;
    signal input validatorParts;
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
    // Of the rows: Σ s⁺ of each draw, N, what all payees earn, the rewards tree's root before and after.
    signal input positiveTotal[draws];
    signal input rowTotal;
    signal input earnedSum;
    signal input oldRoot;
    signal input newRoot;

    signal output mu[draws];
    signal output muEven;
    signal output head[5];
    signal output private[ofHits + 3 * draws];

    signal betaSquare <== z * z;

    // A. The model and what was closed. Every packed field is range-checked, so the packings are injective; voidCount is
    //    at most 128 by its definition (C).
    component idRange = RangeCheck(24);
    idRange.in <== modelId;
    component epochRange = RangeCheck(24);
    epochRange.in <== epoch;
    component batchRange = RangeCheck(40);
    batchRange.in <== closingBatch;

    component statics = ModelStatics();
    statics.featuresCommitment <== featuresCommitment;
    statics.ownersCommitment <== ownersCommitment;
    statics.payeeRoot <== payeeRoot;
    statics.rowTotal <== rowTotal;
    statics.origin <== origin;
    statics.predecessor <== predecessor;
    statics.further <== further;
    // A constant, so this circuit settles only models that were created for its number of draws and its kind of columns.
    // Attack: whoever settles would otherwise choose among the draws of all registered circuits, once the seed is known.
    assert(drawBits < 8 && shape < 1 << 12);
    statics.shape <== drawBits + (1 << 3) * shape;
    statics.ownerParts <== ownerParts;
    statics.validatorParts <== validatorParts;

    // B. Payments. The last one's cumulative amount is the closed amount.
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

    // C. Draws.
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

        weight[k] = DrawWeight(totalBits);
        weight[k].positiveTotal <== positiveTotal[k];
        weight[k].rowTotal <== rowTotal;
        weight[k].rewardQuanta <== rewardQuanta;
        weight[k].isValid <== isValid[k];
        mu[k] <== weight[k].mu;
        even += weight[k].muEven;
    }
    replay.lookup === lookupAfter[draws];
    muEven <== even;

    // D. Payout and J. ownerWei and burnedWei are at most P, what the payees earned is at most the valid draws' rewards, so
    //    treasuryWei is at least the valid draws' treasury parts: no sum is negative or reaches r.
    signal ownerWei <== validCount * ownerOfDraw;
    signal burnedWei <== (draws - validCount) * drawWei;
    component j = HashTagged(6, 12);
    j.in[0] <== modelId + (1 << 24) * (draws - validCount);
    j.in[1] <== closed.out;
    j.in[2] <== ownerWei;
    j.in[3] <== amount - ownerWei - burnedWei - earnedSum;
    j.in[4] <== oldRoot;
    j.in[5] <== newRoot;

    // E. Elements. Packed private values have been range-checked, each by itself: hits where they are used. A draw takes an
    //    element for each of its three values; whether it is valid is bit 128 of the first, as
    //    drawBefore = payer + 2^24 (x − δ) lies between −2^120 and 2^120 by the three ranges of DrawPoint.
    head[0] <== j.out;
    head[1] <== modelId + (1 << 24) * epoch + (1 << 48) * closingBatch + (1 << 88) * (draws - validCount);
    head[2] <== replay.chain;
    head[3] <== burnedWei;
    head[4] <== seed;
    for (var i = 0; i < ofHits; i++) {
        var sum = 0;
        for (var b = 0; b < hitsEach && hitsEach * i + b < payments; b++) {
            sum += (1 << (b * (drawBits + 1))) * hits[hitsEach * i + b];
        }
        private[i] <== sum;
    }
    for (var k = 0; k < draws; k++) {
        private[ofHits + 3 * k] <== drawBefore[k] + (1 << 128) * isValid[k];
        private[ofHits + 3 * k + 1] <== drawAfter[k];
        private[ofHits + 3 * k + 2] <== drawReceipt[k];
    }
}
