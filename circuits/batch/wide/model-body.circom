pragma circom 2.1.6;

include "../../field/poseidon.circom";
include "../../field/range-check.circom";
include "../claim-rewards.circom";

// Seconds after which anyone may close; protocol.ts has the same.
function EPOCH_SECONDS() { return 86400; }

// B's model body, opened and made anew, and the rules of an epoch's life: Activation, CloseEpoch, Settle, ClaimRewards. Model:
// epoch-operations.ts.
//
// Inputs:      flags of the kinds; opensForced: a ForcedClaimRewards or ForcedCloseEpoch whose B is a model; isForcedAllowed: A exists
//              and the entry's sender owns it; aId, bId; timestamp, batchNumber; word0, word1; chainB, openAmountB, bodyB:
//              of leaf B; ready, cap, paymentCount, epoch: B's opened counters; statics[5], closed, accruedRoot,
//              claimedRoot, epochStart: opening of the body (CreateModel: the body to be); newAccruedRoot: Settle;
//              isJoint, datanetOwners, datanetPayeeRoot, subtree: claim-rewards.circom; list[3]: of a joint approval's model S and
//              its rows (ShardOwners); bits[445]: digits of what the one active kind compares; memberBits, accruedChildren,
//              claimedChildren: claim-rewards.circom.
// Outputs:     staticsHash; newBody; ownerWei, treasuryWei (Settle), gainWei (ClaimRewards), newCap (Activation), 0 elsewhere;
//              isClaimRewardsForced, isCloseEpochForced: the entry was executed; noVoids: 0 where a Settle has voids.
// Assumes:     at most one flag is 1, bits are boolean; aId, bId < 2^24, timestamp, batchNumber < 2^40, and no batch is
//              older than one before it, so that timestamp ≥ epochStart; L1 queued a ForcedCloseEpoch with its time in word1, so
//              that it is less than 2^39 s from epochStart; under any of these flags but CreateModel's and
//              those of forced kinds, and under opensForced, B is a model and its counters are opened with their widths;
//              the caller writes the chain, open amount, counters and balances, and checks balances to be 96 bits.
//              Under isJoint the model is ready: an activation has shown what ownersCommitment is a hash of.
// Ensures:     the opened body is B's, except for CreateModel; newBody is the body after the operation; its rules hold
//              (docs/reference/settlement.md, "Operations"). Of forced kinds each rule is a boolean, and they are executed exactly
//              where all are 1.
// Constraints: constraint-counts.json, "ModelBody()".
template ModelBody() {
    signal input isApproval;
    signal input isCloseEpoch;
    signal input isSettle;
    signal input isClaimRewards;
    signal input isActivation;
    signal input isForcedClaimRewards;
    signal input isForcedCloseEpoch;
    signal input opensForced;
    signal input isForcedAllowed;
    signal input aId;
    signal input bId;
    signal input timestamp;
    signal input batchNumber;
    signal input word0;
    signal input word1;
    signal input chainB;
    signal input openAmountB;
    signal input bodyB;
    signal input ready;
    signal input cap;
    signal input paymentCount;
    signal input epoch;
    signal input statics[5];
    signal input closed;
    signal input accruedRoot;
    signal input claimedRoot;
    signal input epochStart;
    signal input newAccruedRoot;
    signal input isJoint;
    signal input datanetOwners;
    signal input datanetPayeeRoot;
    signal input subtree;
    signal input list[3];
    signal input bits[445];
    signal input memberBits[24];
    signal input accruedChildren[4][8];
    signal input claimedChildren[4][8];
    signal output staticsHash;
    signal output newBody;
    signal output ownerWei;
    signal output treasuryWei;
    signal output gainWei;
    signal output newCap;
    signal output isClaimRewardsForced;
    signal output isCloseEpochForced;
    signal output noVoids;

    // A. The opening.
    component opened = HashTagged(5, 10);
    opened.in <== statics;
    staticsHash <== opened.out;
    component oldBody = HashTagged(5, 9);
    oldBody.in[0] <== staticsHash;
    oldBody.in[1] <== closed;
    oldBody.in[2] <== accruedRoot;
    oldBody.in[3] <== claimedRoot;
    oldBody.in[4] <== epochStart;
    (isApproval + isCloseEpoch + isSettle + isClaimRewards + isActivation + opensForced) * (oldBody.out - bodyB) === 0;

    // B. When. A model that is not ready has a payee root of its owner's choice, which nobody has shown to be without
    //    accrued amounts: nothing may be claimed from it, nor its payees be opened. Activation: all four are non-negative,
    //    so all are 0.
    //    Only a CloseEpoch of a ready model makes closed ≠ 0; a Settle asks for ready all the same.
    (isCloseEpoch + isSettle + isClaimRewards) * (1 - ready) === 0;
    isActivation * (ready + cap + paymentCount + epoch) === 0;
    signal opensReady <== opensForced * ready;
    component unclosed = IsZero();
    unclosed.in <== closed;
    component unpaid = IsZero();
    unpaid.in <== openAmountB;
    isSettle * unclosed.out === 0;
    signal isEpochClosable <== unclosed.out * (1 - unpaid.out);
    isCloseEpoch * (1 - isEpochClosable) === 0;

    // C. Claim, and what a joint approval compares.
    component claimRewards = ClaimRewards();
    claimRewards.isClaimRewards <== isClaimRewards;
    claimRewards.isForced <== isForcedClaimRewards * opensReady;
    claimRewards.isAllowed <== isForcedAllowed;
    claimRewards.aId <== aId;
    claimRewards.word <== word0;
    claimRewards.forcedWord <== word1;
    claimRewards.split <== statics[4];
    claimRewards.accruedRoot <== accruedRoot;
    claimRewards.claimedRoot <== claimedRoot;
    claimRewards.bits <== bits;
    claimRewards.memberBits <== memberBits;
    claimRewards.isJoint <== isJoint;
    claimRewards.datanetOwners <== datanetOwners;
    claimRewards.datanetPayeeRoot <== datanetPayeeRoot;
    claimRewards.modelPayeeRoot <== statics[2];
    claimRewards.subtree <== subtree;
    claimRewards.accruedChildren <== accruedChildren;
    claimRewards.claimedChildren <== claimedChildren;
    gainWei <== claimRewards.gainWei;
    isClaimRewardsForced <== claimRewards.isExecuted;

    // D. Close, by the model itself or after a day: bit 40 of the time waited + 2^40 says that the day is over. A ForcedCloseEpoch's
    //    time is that of its entry (word 1), so that its outcome does not change with the batch that takes it.
    //    epoch + 1 keeps 24 bits, so no carry reaches the price: bit 65 is the last one's, 2^24.
    //    A ForcedCloseEpoch of what is no model compares fields that nothing binds, and is not executed.
    var waited41 = 0;
    var nextEpoch25 = 0;
    for (var i = 0; i < 41; i++) { waited41 += (1 << i) * bits[i]; }
    for (var i = 0; i < 25; i++) { nextEpoch25 += (1 << i) * bits[41 + i]; }
    isCloseEpoch * (timestamp - epochStart - EPOCH_SECONDS() + (1 << 40) - waited41) === 0;
    isForcedCloseEpoch * (word1 - epochStart - EPOCH_SECONDS() + (1 << 40) - waited41) === 0;
    (isCloseEpoch + isForcedCloseEpoch) * (epoch + 1 - nextEpoch25) === 0;
    component self = IsEqual();
    self.a <== aId;
    self.b <== bId;
    signal isByOther <== isCloseEpoch * (1 - self.out);
    isByOther * (1 - bits[40]) === 0;
    isCloseEpoch * bits[65] === 0;
    signal isOver <== isForcedCloseEpoch * bits[40];
    signal hasNext <== isOver * (1 - bits[65]);
    signal isCloseEpochAllowed <== hasNext * isEpochClosable;
    isCloseEpochForced <== isCloseEpochAllowed * opensReady;
    var closes = isCloseEpoch + isCloseEpochForced;
    // A joint approval has the same hash open the statics' list of shards, by its tag: ownersCommitment of S ≥ 2.
    component closing = HashTaggedVar(4);
    closing.tag <== 11 + 29 * isJoint;
    closing.in[0] <== chainB + isJoint * (list[0] - chainB);
    closing.in[1] <== staticsHash + isJoint * (list[1] - staticsHash);
    closing.in[2] <== epoch + (1 << 24) * batchNumber + isJoint * (list[2] - epoch - (1 << 24) * batchNumber);
    closing.in[3] <== openAmountB + isJoint * (claimRewards.ownersNode - openAmountB);
    isJoint * (statics[1] - closing.out) === 0;
    signal newlyClosed <== closes * closing.out;

    // E. Settle and Activation: J over the leaf's own values is the word that a settlement's proof shows. Settle's digits:
    //    ownerWei 96, treasuryWei 96, voids 8; Activation's: cap 16.
    var owner96 = 0;
    var treasury96 = 0;
    var voids8 = 0;
    var cap16 = 0;
    for (var i = 0; i < 96; i++) {
        owner96 += (1 << i) * bits[i];
        treasury96 += (1 << i) * bits[96 + i];
        if (i < 8) { voids8 += (1 << i) * bits[192 + i]; }
        if (i < 16) { cap16 += (1 << i) * bits[i]; }
    }
    ownerWei <== isSettle * owner96;
    treasuryWei <== isSettle * treasury96;
    signal voidCount <== isSettle * voids8;
    newCap <== isActivation * cap16;
    component terms = HashTaggedVar(6);
    terms.tag <== 12 + isActivation;
    terms.in[0] <== bId + (1 << 24) * voidCount;
    terms.in[1] <== closed + isActivation * (staticsHash - closed);
    terms.in[2] <== ownerWei + newCap;
    terms.in[3] <== treasuryWei;
    // Before its activation a model's accrued root is its payee root.
    terms.in[4] <== accruedRoot;
    terms.in[5] <== newAccruedRoot;
    (isSettle + isActivation) * (word0 - terms.out) === 0;
    component voidless = IsZero();
    voidless.in <== voidCount;
    noVoids <== voidless.out;

    // F. The new body. A Close finds closed = 0, a Settle leaves it so.
    component made = HashTagged(5, 9);
    made.in[0] <== staticsHash;
    made.in[1] <== newlyClosed + (1 - isSettle) * closed;
    made.in[2] <== accruedRoot + isSettle * (newAccruedRoot - accruedRoot);
    made.in[3] <== claimRewards.newClaimedRoot;
    made.in[4] <== epochStart + (closes + isActivation) * (timestamp - epochStart);
    newBody <== made.out;
}
