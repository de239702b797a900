pragma circom 2.1.6;

include "./direct-draws.circom";
include "../payee-earnings.circom";
include "../sampled-draws.circom";
include "../scores/draw-shares.circom";
include "../settlement-vector.circom";

// The shape of a direct model in its binding: 3,072 + buckets / 16. DIRECT_SHAPE in direct-query.ts.
function DIRECT_SHAPE(buckets) {
    assert(buckets % 16 == 0 && buckets >= 16 && buckets <= 4096);
    return 3072 + buckets / 16;
}

// The sampled settlement of a direct model's closed epoch: as Settlement, with scores by the prompts' own counts, and with
// it proven that no answer is behind its runner-up. Rules: settlement-rules.ts, direct-matrix.ts. The main source includes
// the generators' tables first (generator-tables.ts).
//
// Parameters:  rows ≥ N; buckets: exactly D; payees ≤ 512, at least M; payments; draws: a power of two, at most 128.
// Public:      commitment (C), y; z.
// Inputs:      all private: those of SampledDraws, PayeeEarnings, RowRewards, DirectDraws.
// Assumes:     as Settlement, of L1 and the ledger.
// Ensures:     what docs/explanation/attribution-proof.md states, 1 to 7, with 3 as its section "Direct" has it.
//
// What a challenge must not precede is in C: see Elements. Bound by what is in C: the columns of all pairs by statics in J, a
// valid draw's counts, class and pair by its receipt, its scores by counts, class and the pair's columns, μ by the scores. There
// is no other choice: every count's place is its bucket's, so nothing has to be looked up. A void draw's query is free; its μ is
// 0, so its scores are multiplied by 0, and no other draw shares anything with it but start and root.
// Constraints: constraint-counts.json, "DirectSettlement(…)".
template DirectSettlement(rows, buckets, payees, payments, draws) {
    signal input z;
    // SampledDraws.
    signal input modelId;
    signal input epoch;
    signal input closingBatch;
    signal input seed;
    signal input amount;
    signal input payeeRoot;
    signal input origin;
    signal input predecessor;
    signal input ownerParts;
    signal input validatorParts;
    signal input present[payees];
    signal input rowCounts[payees];
    signal input leaf[payees];
    signal input earned[payees];
    signal input remainder[payees];
    signal input owner[rows];
    signal input active[payments];
    signal input receipt[payments];
    signal input packed[payments];
    signal input hits[payments];
    signal input drawBefore[draws];
    signal input drawAfter[draws];
    signal input drawReceipt[draws];
    signal input isValid[draws];
    signal input answerHash[draws];
    signal input salt[draws];
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

    var drawBits = BITS_BELOW(draws);
    assert(1 << drawBits == draws);

    // A. The draws' scores.
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

    // B. Payees; payments, draws and J; rows. β = z, γ and η. z is a hash over C.
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
    component drawn = SampledDraws(payments, drawBits, DIRECT_SHAPE(buckets), 3 * DIRECT_DIGITS() - 1 + BITS_BELOW(rows));
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

    // C. Elements.
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
