pragma circom 2.1.6;

include "./scores/scored-draws.circom";
include "./payee-earnings.circom";
include "./sampled-draws.circom";
include "./scores/draw-shares.circom";
include "./settlement-vector.circom";

// The sampled settlement of a closed epoch (docs/reference/settlement.md): who earned what, by the scores of the drawn payments'
// queries. Rules: settlement-rules.ts. The main source includes the generators' tables first (generator-tables.ts).
//
// Parameters:  rows ≥ N; features: exactly d; payees ≤ 512, at least M; payments; draws: a power of two, at most 128.
// Public:      commitment (C), y; z. L1 computes z from C and from every element that it evaluates.
// Inputs:      all private; what they are is said where they are declared.
// Assumes:     of L1 and the ledger, what SampledDraws does.
// Ensures:     what docs/explanation/attribution-proof.md states, 1 to 7.
//
// What a challenge must not precede is in C: see D. Bound by what is in C: the payments by chain, the columns, counts and
// split by statics in J, a valid draw's query by its receipt, its scores by query and columns (DrawScores), μ by the scores.
// A void draw's query is free; its μ is 0, so its scores are multiplied by 0.
// Constraints: constraint-counts.json, "Settlement(…)"; the parts' headers say how they come about.
//
// Phases: A scores, B payees, payments, draws and J, C rows, D elements.
template Settlement(rows, features, payees, payments, draws) {
    signal input z;
    signal input modelId;
    signal input epoch;
    signal input closingBatch;
    signal input seed;
    signal input amount; // P
    // SampledDraws.
    signal input payeeRoot;
    signal input origin;
    signal input predecessor;
    signal input ownerParts;
    signal input validatorParts;
    // The payees: Payees, RewardsSubtree; T_m and W_m mod 2^40.
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
    // The draws: their payment, whether its receipt is opened, the opening; DrawScores.
    signal input drawBefore[draws];
    signal input drawAfter[draws];
    signal input drawReceipt[draws];
    signal input isValid[draws];
    signal input answerHash[draws];
    signal input salt[draws];
    signal input queryBytes[draws][features];
    signal input scores[draws][rows];
    signal input blindScore[draws];
    // The column commitments: FeatureColumns.
    signal input columnU[features];
    signal input columnV[features];
    // Of what its queries depend on besides prompt and answer; the statics bind it, and nothing else reads it here.
    signal input answeringHash;

    signal output commitment;
    signal output y;

    var drawBits = BITS_BELOW(draws);
    assert(1 << drawBits == draws);

    // A. The draws' scores.
    component scored = ScoredDraws(rows, features, draws);
    scored.z <== z;
    scored.columnU <== columnU;
    scored.columnV <== columnV;
    scored.answeringHash <== answeringHash;
    scored.queryBytes <== queryBytes;
    scored.scores <== scores;
    scored.blindScore <== blindScore;

    // B. Payees; payments, draws and J. β = z and γ. z is a hash over C.
    component challenge[2];
    for (var i = 0; i < 2; i++) {
        challenge[i] = HashTagged(2, 14);
        challenge[i].in[0] <== z;
        challenge[i].in[1] <== i;
    }
    component shares = DrawShares(drawBits);
    shares.amount <== amount;
    shares.ownerParts <== ownerParts;
    component paid = PayeeEarnings(payees);
    paid.present <== present;
    paid.rowCounts <== rowCounts;
    paid.leaf <== leaf;
    paid.quantum <== shares.quantum;
    paid.earned <== earned;
    paid.remainder <== remainder;
    component top = RewardsTop(1);
    top.oldSubroot[0] <== paid.oldSubroot;
    top.newSubroot[0] <== paid.newSubroot;
    component drawn = SampledDraws(payments, drawBits, features, 3 * SCORE_DIGITS(features) - 1 + BITS_BELOW(rows));
    drawn.z <== z;
    drawn.gamma <== challenge[0].out;
    drawn.featuresCommitment <== scored.featuresCommitment;
    drawn.ownersCommitment <== paid.ownersCommitment;
    drawn.queryCommitment <== scored.queryCommitment;
    drawn.positiveTotal <== scored.positiveTotal;
    drawn.rowTotal <== paid.rowTotal;
    drawn.earnedSum <== paid.earnedSum;
    drawn.oldRoot <== top.oldRoot;
    drawn.newRoot <== top.newRoot;
    drawn.modelId <== modelId;
    drawn.epoch <== epoch;
    drawn.closingBatch <== closingBatch;
    drawn.seed <== seed;
    drawn.amount <== amount;
    drawn.drawWei <== shares.drawWei;
    drawn.ownerOfDraw <== shares.ownerWei;
    drawn.rewardQuanta <== shares.rewardQuanta;
    drawn.payeeRoot <== payeeRoot;
    drawn.origin <== origin;
    drawn.predecessor <== predecessor;
    drawn.further <== 0; // Several datanets have several shards.
    drawn.ownerParts <== ownerParts;
    drawn.validatorParts <== validatorParts;
    drawn.active <== active;
    drawn.receipt <== receipt;
    drawn.packed <== packed;
    drawn.hits <== hits;
    drawn.drawBefore <== drawBefore;
    drawn.drawAfter <== drawAfter;
    drawn.drawReceipt <== drawReceipt;
    drawn.isValid <== isValid;
    drawn.answerHash <== answerHash;
    drawn.salt <== salt;

    // C. The payee of each row, by η.
    component rewards = RowRewards(rows, payees, draws);
    rewards.gamma <== challenge[0].out;
    rewards.eta <== challenge[1].out;
    rewards.positive <== scored.positive;
    rewards.mu <== drawn.mu;
    rewards.muEven <== drawn.muEven;
    rewards.payeeCount <== paid.payeeCount;
    rewards.owner <== owner;
    rewards.rowCounts <== rowCounts;
    rewards.earned <== earned;
    rewards.remainder <== remainder;

    // D. Elements.
    var ofPayees = (payees + 5) \ 6;
    var ofRows = (rows + 251) \ 252;
    var hitsEach = 252 \ (drawBits + 1);
    var ofDraws = (payments + hitsEach - 1) \ hitsEach + 3 * draws;
    component vector = SettlementVector(5, ofPayees, ofPayees + ofRows + ofDraws);
    vector.z <== z;
    vector.head <== drawn.head;
    vector.items <== paid.items;
    for (var i = 0; i < ofPayees; i++) { vector.private[i] <== paid.private[i]; }
    for (var i = 0; i < ofRows; i++) { vector.private[ofPayees + i] <== rewards.steps[i]; }
    for (var i = 0; i < ofDraws; i++) { vector.private[ofPayees + ofRows + i] <== drawn.private[i]; }
    commitment <== vector.commitment;
    y <== vector.y;
}
