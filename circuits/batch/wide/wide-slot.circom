pragma circom 2.1.6;

include "../../ledger/merkle8.circom";
include "./model-body.circom";
include "../slot-parts.circom";
include "./wide-kinds.circom";

// H[DATANET_BODY] of seven zeros; slot-parts.test.ts computes it again.
function EMPTY_DATANET_BODY() { return 3892589846180791051567565861204436357550688239714379039674752040335115345762; }

// One slot for every operation. Rules: slot.ts.
//
// Parameters:  depth of the tree: 1 … 8; approvalDelay: seconds between PublishVersion and ApproveModel.
// Inputs:      oldRoot, domain, timestamp (40 bits), batchNumber (40), feePerUnit (64), idFee (96), nextId from the
//              batch. Witness: flags[]; aBits, bBits, amountBits; words[7]; isMissingA, isMissingB: the tree is empty there;
//              a[9], b[9]: leaf A before the slot, B after A's update, 0 where missing; childrenA, childrenB;
//              maxFeePerUnit; keyY, r8x, s; openings: a model's counters, A's datanet body[7], B's statics[5]
//              and rest of the body; newAccruedRoot, subtree, list, accruedChildren, claimedChildren: model-body.circom;
//              scratchBits[445]: digits of what the one active kind compares (phase F).
// Outputs:     newRoot, newNextId; core: the 94-bit record; hasWord[7]; isUsed; isSigned; feeWei.
// Assumes:     feePerUnit < 2^64, timestamp and batchNumber < 2^40, nextId ≤ 8^depth; of queue entries, which L1 fills from its own
//              storage: addresses are below 2^160 and not 0 (Rollup.sol: RollupAddressZero; type address); a ForcedClaimRewards'
//              word 0 is 0 and its word 1 13 bits (RollupQueue.sol), a ForcedCloseEpoch's the time of its block; word 0 of a
//              ForcedCommitData and a ForcedPublishVersion is 32 bits, of a ForcedApproveModel 79 (RollupQueue.sol). L1 takes no batch that is older than one before it.
// Ensures:     the effect of the record's kind, exactly (docs/reference/ledger.md). For queue entries every predicate is a
//              boolean and the effect is multiplied by their product, while paths and openings are enforced: an
//              executable entry cannot be shown as invalid, nor the other way round.
// Constraints: constraint-counts.json, "WideSlot(8)".
//
// Phases: A kind, B fields and words, C missing leaves, D queue predicates, E openings and the rules of rare kinds,
// F fee and debit, G effect on A, H effect on B, I authorisation, J tree.
template WideSlot(depth, approvalDelay) {
    signal input oldRoot;
    signal input domain;
    signal input timestamp;
    signal input batchNumber;
    signal input feePerUnit;
    signal input idFee;
    signal input nextId;
    signal input flags[WIDE_KIND_COUNT()];
    signal input aBits[3 * depth];
    signal input bBits[3 * depth];
    signal input amountBits[40];
    signal input words[7];
    signal input isMissingA;
    signal input isMissingB;
    signal input a[9];
    signal input b[9];
    signal input childrenA[depth][8];
    signal input childrenB[depth][8];
    signal input maxFeePerUnit;
    signal input keyY;
    signal input r8x;
    signal input s;
    signal input ready;
    signal input approved;
    signal input cap;
    signal input paymentCount;
    signal input epoch;
    signal input price;
    signal input approvalBits[6];
    signal input datanet[7];
    signal input statics[5];
    signal input closed;
    signal input accruedRoot;
    signal input claimedRoot;
    signal input epochStart;
    signal input newAccruedRoot;
    signal input subtree;
    signal input list[3];
    signal input accruedChildren[4][8];
    signal input claimedChildren[4][8];
    signal input scratchBits[445];
    signal output newRoot;
    signal output newNextId;
    signal output core;
    signal output hasWord[7];
    signal output isUsed;
    signal output isSigned;
    signal output feeWei;

    // Names of the fields: of both leaves as LeafHash has them, of A's datanet (newBody), of B's statics (ModelBody).
    var tagA = a[0];
    var nonceA = a[1];
    var ownerA = a[2];
    var keyA = a[3];
    var balanceA = a[4];
    var bodyA = a[8];
    var tagB = b[0];
    var ownerB = b[2];
    var keyB = b[3];
    var balanceB = b[4];
    var chainB = b[5];
    var openAmountB = b[6];
    var countersB = b[7];
    var bodyB = b[8];
    var version = datanet[0];
    var rowCount = datanet[1];
    var publishedAt = datanet[2];
    var datanetOwners = datanet[5];
    var datanetPayeeRoot = datanet[6];
    var modelOwners = statics[1];
    var modelPayeeRoot = statics[2];
    var binding = statics[3];
    var split = statics[4];

    // A. Kind: at most one flag.
    var kind = 0;
    var weight = 0;
    var used = 0;
    var signedSum = 0;
    for (var i = 0; i < WIDE_KIND_COUNT(); i++) {
        flags[i] * (1 - flags[i]) === 0;
        kind += WIDE_KIND(i) * flags[i];
        weight += WIDE_WEIGHT(i) * flags[i];
        used += flags[i];
        if (WIDE_WEIGHT(i) > 0) { signedSum += flags[i]; }
    }
    isUsed <== used;
    isUsed * (1 - isUsed) === 0;
    isSigned <== signedSum;
    signal isTransfer <== flags[FLAG_TRANSFER()];
    signal isCommit <== flags[FLAG_COMMIT_DATA()];
    signal isPay <== flags[FLAG_PAY_INFERENCE()];
    signal isCreateAccount <== flags[FLAG_CREATE_ACCOUNT()];
    signal isCreateDatanet <== flags[FLAG_CREATE_DATANET()];
    signal isCreateModel <== flags[FLAG_CREATE_MODEL()];
    signal isWithdraw <== flags[FLAG_WITHDRAW()];
    signal isPublish <== flags[FLAG_PUBLISH_VERSION()];
    signal isApprove <== flags[FLAG_APPROVE_MODEL()];
    signal isRevoke <== flags[FLAG_REVOKE_MODEL()];
    signal isSetKey <== flags[FLAG_SET_KEY()];
    signal isCloseEpoch <== flags[FLAG_CLOSE_EPOCH()];
    signal isSettle <== flags[FLAG_SETTLE()];
    signal isClaimRewards <== flags[FLAG_CLAIM_REWARDS()];
    signal isActivation <== flags[FLAG_ACTIVATION()];
    signal isDepositNew <== flags[FLAG_DEPOSIT_NEW()];
    signal isDepositTo <== flags[FLAG_DEPOSIT_TO()];
    signal isForcedWithdraw <== flags[FLAG_FORCED_WITHDRAW()];
    signal isForcedSetKey <== flags[FLAG_FORCED_SET_KEY()];
    signal isForcedSetOwner <== flags[FLAG_FORCED_SET_OWNER()];
    signal isForcedClaimRewards <== flags[FLAG_FORCED_CLAIM_REWARDS()];
    signal isForcedTransfer <== flags[FLAG_FORCED_TRANSFER()];
    signal isForcedCloseEpoch <== flags[FLAG_FORCED_CLOSE_EPOCH()];
    signal isForcedPay <== flags[FLAG_FORCED_PAY_INFERENCE()];
    signal isForcedRevoke <== flags[FLAG_FORCED_REVOKE_MODEL()];
    signal isForcedApprove <== flags[FLAG_FORCED_APPROVE_MODEL()];
    signal isForcedCommit <== flags[FLAG_FORCED_COMMIT_DATA()];
    signal isForcedPublish <== flags[FLAG_FORCED_PUBLISH_VERSION()];
    signal isCreate <== isCreateAccount + isCreateDatanet + isCreateModel;
    // What the owner of A forces.
    signal isForced <== isForcedWithdraw + isForcedSetKey + isForcedSetOwner + isForcedClaimRewards + isForcedTransfer + isForcedPay + isForcedRevoke + isForcedApprove + isForcedCommit + isForcedPublish;
    signal isApproval <== isApprove + isRevoke;
    // What changes an existing model's body.
    var turnsModel = isCloseEpoch + isSettle + isClaimRewards + isActivation;
    // Kinds whose B exists already and which are not from the queue.
    var namesB = isTransfer + isCommit + isPay + isApproval + turnsModel;
    var isQueue = isDepositNew + isDepositTo + isForced + isForcedCloseEpoch;
    // Forced kinds that act on a model: they open it, if B is one.
    var asksModel = isForcedClaimRewards + isForcedCloseEpoch + isForcedPay + isForcedRevoke + isForcedApprove;
    var namesQueuedB = isDepositTo + isForcedTransfer + isForcedCommit + asksModel;
    var movesAmount = isTransfer + isPay + isCreate;

    // B. Fields, each checked where it enters; what a kind does not use is 0.
    var aSum = 0;
    var bSum = 0;
    for (var i = 0; i < 3 * depth; i++) {
        aBits[i] * (1 - aBits[i]) === 0;
        bBits[i] * (1 - bBits[i]) === 0;
        aSum += (1 << i) * aBits[i];
        bSum += (1 << i) * bBits[i];
    }
    var codeSum = 0;
    for (var i = 0; i < 40; i++) {
        amountBits[i] * (1 - amountBits[i]) === 0;
        codeSum += (1 << i) * amountBits[i];
    }
    signal aId <== aSum;
    signal bId <== bSum;
    signal code <== codeSum;
    (1 - isSigned - isForced) * aId === 0;
    // A ForcedClaimRewards has no amount and shows a member's id in its low bits (claim-rewards.circom).
    (1 - movesAmount - isCommit - isForcedClaimRewards) * code === 0;
    signal shownCode <== isForcedClaimRewards * code;
    for (var j = 0; j < 7; j++) {
        var has = 0;
        for (var i = 0; i < WIDE_KIND_COUNT(); i++) { if (WIDE_WORDS(i) > j) { has += flags[i]; } }
        hasWord[j] <== has;
        words[j] * (1 - hasWord[j]) === 0;
    }

    // C. New and missing leaves. The tree tells: an empty leaf is 0, and no fields hash to 0.
    component full = IsEqual();
    full.a <== nextId;
    full.b <== 1 << (3 * depth);
    signal isDepositOpened <== isDepositNew * (1 - full.out);
    signal isNew <== isCreate + isDepositOpened;
    // A Create on a full tree would need a bId of 8^depth, which has one bit too many: no witness.
    isNew * (bId - nextId) === 0;
    newNextId <== nextId + isNew;
    (1 - namesB - namesQueuedB - isNew) * bId === 0;
    isMissingA * (1 - isMissingA) === 0;
    isMissingB * (1 - isMissingB) === 0;
    isMissingA * (1 - isForced) === 0;
    isMissingB * (1 - namesQueuedB) === 0;
    // Where nothing was, all fields are 0, so that new fields can be added to old ones.
    signal isEmptyB <== isNew + isMissingB;
    for (var i = 0; i < 9; i++) {
        isMissingA * a[i] === 0;
        isEmptyB * b[i] === 0;
    }

    // D. Queue predicates, each a boolean.
    // Who must own the leaves: what pays to B names B's owner in word 1, a forced operation's sender (word 3) must be A's.
    signal ownerGapA <== isForced * (ownerA - words[3]);
    component ownsA = IsZero();
    ownsA.in <== ownerGapA;
    signal isForcedAllowed <== (isForced - isMissingA) * ownsA.out;
    component ownsB = IsEqual();
    ownsB.a <== ownerB;
    ownsB.b <== words[1];
    signal isRecipient <== (1 - isMissingB) * ownsB.out;
    signal isDepositTaken <== isDepositTo * isRecipient;
    signal isTransferTaken <== isForcedTransfer * isRecipient;
    component isModel = IsEqual();
    isModel.a <== tagB;
    isModel.b <== TAG_MODEL();
    signal opensForced <== asksModel * isModel.out;
    component all = IsEqual();
    all.a <== words[0];
    all.b <== (1 << 96) - 1;
    signal wantedWei <== words[0] + all.out * (balanceA - words[0]);
    // Both are below 2^96 (phase F checks word 0), so bit 96 of their difference + 2^96 says balance ≥ wanted.
    var digits97 = 0;
    var surplus97 = 0;
    for (var i = 0; i < 97; i++) {
        digits97 += (1 << i) * scratchBits[i];
        surplus97 += (1 << i) * scratchBits[97 + i];
    }
    (isForcedWithdraw + isForcedTransfer + isForcedPay) * (balanceA - wantedWei + (1 << 96) - digits97) === 0;
    signal isCovered <== isForcedAllowed * scratchBits[96];
    // A payment: the named owner's model, ready and approved, with room in its epoch, and the price. Of an opened model the
    // price has 96 bits (MemberEffects), and its count never exceeds the cap. What is no model opens counters that nothing
    // binds, and is not paid.
    isForcedPay * (wantedWei - price + (1 << 96) - surplus97) === 0;
    component noRoom = IsEqual();
    noRoom.a <== paymentCount;
    noRoom.b <== cap;
    signal isSelling <== ready * approved;
    signal hasRoom <== isSelling * (1 - noRoom.out);
    signal isPriced <== hasRoom * scratchBits[193];
    signal isPayable <== isPriced * opensForced;
    signal isPayNamed <== isForcedPay * isRecipient;
    signal isPayTaken <== isPayNamed * isPayable;
    signal isForcedPaid <== isCovered * (isForcedWithdraw + isTransferTaken + isPayTaken);
    signal isPayForced <== isForcedPay * isForcedPaid;
    signal isKeyForced <== isForcedSetKey * isForcedAllowed;
    signal isOwnerForced <== isForcedSetOwner * isForcedAllowed;
    signal executedWei <== isForcedPaid * wantedWei;
    signal transferredWei <== isForcedTransfer * executedWei;
    signal paidWei <== isForcedPay * executedWei;
    isForcedWithdraw * (words[4] - executedWei) === 0;
    // A commit: B is a datanet, whose rows keep 40 bits. Its rows have as many, word 0 has 32: bit 40 of their sum says so.
    component isDatanetB = IsEqual();
    isDatanetB.a <== tagB;
    isDatanetB.b <== TAG_DATANET();
    signal opensDatanetB <== isForcedCommit * isDatanetB.out;
    var rows41 = 0;
    for (var i = 0; i < 41; i++) { rows41 += (1 << i) * scratchBits[i]; }
    opensDatanetB * (countersB + words[0] - rows41) === 0;
    signal hasRows <== opensDatanetB * (1 - scratchBits[40]);
    signal isCommitForced <== hasRows * isForcedAllowed;
    // What a datanet's owner forces of it: publications, approvals and revocations.
    component isDatanetA = IsEqual();
    isDatanetA.a <== tagA;
    isDatanetA.b <== TAG_DATANET();
    signal isByDatanet <== isForcedAllowed * isDatanetA.out;
    signal opensDatanetA <== (isForcedApprove + isForcedPublish) * isDatanetA.out;
    signal isPublishForced <== isForcedPublish * isByDatanet;
    // ForcedClaimRewards' and ForcedCloseEpoch's other predicates are model-body.circom's.

    // E. Openings and the rules of rare kinds. At most one kind is active, so all share the scratch bits.
    var digits160 = 0;
    var split32 = 0;
    var rest39 = 0;
    var place12 = 0;
    var digits103 = 0;
    var version32 = 0;
    var rows32 = 0;
    var low24 = 0;
    var further120 = 0;
    var waited40 = 0;
    var above6 = 0;
    var digits96 = 0;
    for (var i = 0; i < 445; i++) {
        scratchBits[i] * (1 - scratchBits[i]) === 0;
        if (i < 160) { digits160 += (1 << i) * scratchBits[i]; }
        if (i >= 160 && i < 192) { split32 += (1 << (i - 160)) * scratchBits[i]; }
        if (i < 39) { rest39 += (1 << i) * scratchBits[i]; }
        // Of what a datanet signs of a model, and of a forced revocation.
        if (i < 12) { place12 += (1 << i) * scratchBits[i]; }
        if (i >= 12 && i < 115) { digits103 += (1 << (i - 12)) * scratchBits[i]; }
        if (i >= 12 && i < 44) { version32 += (1 << (i - 12)) * scratchBits[i]; }
        if (i >= 44 && i < 76) { rows32 += (1 << (i - 44)) * scratchBits[i]; }
        if (i >= 115 && i < 139) { low24 += (1 << (i - 115)) * scratchBits[i]; }
        if (i >= 139 && i < 259) { further120 += (1 << (i - 139)) * scratchBits[i]; }
        if (i >= 259 && i < 299) { waited40 += (1 << (i - 259)) * scratchBits[i]; }
        if (i >= 301 && i < 307) { above6 += (1 << (i - 301)) * scratchBits[i]; }
        // Of the exact word (phase F).
        if (i >= 307 && i < 403) { digits96 += (1 << (i - 307)) * scratchBits[i]; }
    }
    // A new leaf's l1Owner and a Withdraw's recipient are addresses and not 0: L1 refuses a batch with a longer one,
    // and whoever follows L1 refuses both, so a proof must not exist.
    (isCreate + isWithdraw) * (words[0] - digits160) === 0;
    component noAddress = IsZero();
    noAddress.in <== words[0];
    (isCreate + isWithdraw) * noAddress.out === 0;
    // A's datanet body, old and new.
    (isPublish + isApproval) * (tagA - TAG_DATANET()) === 0;
    component oldBody = HashTagged(7, 8);
    for (var i = 0; i < 7; i++) { oldBody.in[i] <== datanet[i]; }
    (isPublish + isApprove + opensDatanetA) * (oldBody.out - bodyA) === 0;
    // A ForcedPublishVersion's words: N, rowsRoot, ownersCommitment, sender, payeeRoot, policy.
    var signedWords[5] = [3, 4, 0, 1, 2];
    var forcedWords[5] = [0, 5, 1, 2, 4];
    signal published[5];
    for (var i = 0; i < 5; i++) {
        published[i] <== words[signedWords[i]] + isForcedPublish * (words[forcedWords[i]] - words[signedWords[i]]);
    }
    component newBody = HashTagged(7, 8);
    newBody.in[0] <== version + 1;
    newBody.in[1] <== published[0];
    newBody.in[2] <== timestamp;
    for (var i = 1; i < 5; i++) { newBody.in[2 + i] <== published[i]; }
    // The binding of an approval and of a revocation: six ids of 24 bits, and 103 bits behind the first; so every part has digits of
    // its own below 2^247, whatever PublishVersion let into A's body, and no version or N makes another datanet's binding.
    // A forced revocation finds any word that a CreateModel wrote, and shows as well whether it has such digits: bit 299 says not. The
    // value is then d + 2^247 or, under bit 300, r − 2^253 + d with d of 253 digits: from 2^247 to 2^247 + 2^253 − 1, or from
    // r − 2^253 to r − 1. Both are integers from 2^247 on and below r, and together all of these. So bit 299 is no choice, and no
    // binding is without a witness; bit 300 is one where both fit, and nothing else reads it. Word 1 does not name the model's
    // owner, who could change to escape.
    signal isRevocable <== isForcedRevoke * isModel.out;
    signal beyond <== scratchBits[299] * ((1 << 247) + (1 << 247) * above6 - ((1 << 253) + (1 << 247)) * scratchBits[300]);
    (isApproval + isRevocable) * (binding - low24 - BINDING_VERSION() * digits103 - BINDING_FURTHER() * further120 - beyond) === 0;
    // Where A is named. A datanet is not leaf 0, the treasury's account, so an absent id names none.
    component named[6];
    signal namedGiven[6];
    var place = 0;
    var ownApproval = 0;
    var ownGiven = 0;
    var givenSum = 0;
    for (var j = 0; j < 6; j++) {
        named[j] = SumEquals(24, 2);
        for (var i = 0; i < 24; i++) { named[j].in[i] <== scratchBits[115 + 24 * j + i]; }
        named[j].b <== aId;
        namedGiven[j] <== named[j].out * approvalBits[j];
        place += j * named[j].out;
        ownApproval += (1 << j) * named[j].out;
        ownGiven += namedGiven[j];
        givenSum += (1 << j) * approvalBits[j];
    }
    // Once, and by digits: with bit 299 the sum is 2 or more. Attack: named twice, a datanet had two places, and the slot could take
    // either.
    component namedOnce = SumEquals(8, 1);
    for (var j = 0; j < 6; j++) { namedOnce.in[j] <== named[j].out; }
    for (var j = 6; j < 8; j++) { namedOnce.in[j] <== scratchBits[299]; }
    namedOnce.b <== 1;
    isApproval * (1 - namedOnce.out) === 0;
    component alone = SumEquals(120, 2);
    for (var i = 0; i < 120; i++) { alone.in[i] <== scratchBits[139 + i]; }
    alone.b <== 0;
    // An approval by one of several datanets.
    signal isJoint <== isApprove * (1 - alone.out);
    // B's model body.
    component model = ModelBody();
    model.isApproval <== isApproval;
    model.isCloseEpoch <== isCloseEpoch;
    model.isSettle <== isSettle;
    model.isClaimRewards <== isClaimRewards;
    model.isActivation <== isActivation;
    model.isForcedClaimRewards <== isForcedClaimRewards;
    model.isForcedCloseEpoch <== isForcedCloseEpoch;
    model.opensForced <== opensForced;
    model.isForcedAllowed <== isForcedAllowed;
    model.aId <== aId;
    model.bId <== bId;
    model.timestamp <== timestamp;
    model.batchNumber <== batchNumber;
    model.word0 <== words[0];
    model.word1 <== words[1];
    model.chainB <== chainB;
    model.openAmountB <== openAmountB;
    model.bodyB <== bodyB;
    model.ready <== ready;
    model.cap <== cap;
    model.paymentCount <== paymentCount;
    model.epoch <== epoch;
    model.statics <== statics;
    model.closed <== closed;
    model.accruedRoot <== accruedRoot;
    model.claimedRoot <== claimedRoot;
    model.epochStart <== epochStart;
    model.newAccruedRoot <== newAccruedRoot;
    model.isJoint <== isJoint;
    model.datanetOwners <== datanetOwners;
    model.datanetPayeeRoot <== datanetPayeeRoot;
    model.subtree <== subtree;
    model.list <== list;
    model.bits <== scratchBits;
    for (var i = 0; i < 24; i++) { model.memberBits[i] <== amountBits[i]; }
    model.accruedChildren <== accruedChildren;
    model.claimedChildren <== claimedChildren;
    // A forced revocation, as a signed one: of a model that names A twice, or by no digits, nothing is revoked.
    signal isOwnModel <== isRevocable * namedOnce.out;
    signal isRevokeForced <== isOwnModel * isByDatanet;
    // A forced approval, of a model of one datanet: word 0 is the rest of the binding, 39 bits, and L1's time when it was queued, 40.
    // With it the binding has to be the sum below: no digits, which a binding of the whole field would have twice. N has 32 bits wherever a
    // version was published, and 2^32 versions do not come. Bit 40 of the time waited + 2^40 says that the day is over.
    var queued40 = 0;
    var waited41 = 0;
    for (var i = 0; i < 40; i++) { queued40 += (1 << i) * scratchBits[39 + i]; }
    for (var i = 0; i < 41; i++) { waited41 += (1 << i) * scratchBits[79 + i]; }
    isForcedApprove * (words[0] - rest39 - (1 << 39) * queued40) === 0;
    isForcedApprove * (queued40 - publishedAt - approvalDelay + (1 << 40) - waited41) === 0;
    component unpublished = IsZero();
    unpublished.in <== version;
    var ownBinding = aId + BINDING_VERSION() * version + BINDING_ROW_COUNT() * rowCount + BINDING_PREDECESSOR() * rest39;
    component same[4];
    var pairs[4][2] = [[model.staticsHash, words[2]], [modelOwners, datanetOwners], [modelPayeeRoot, datanetPayeeRoot], [binding, ownBinding]];
    signal isSame[5];
    isSame[0] <== scratchBits[119] * (1 - unpublished.out);
    for (var i = 0; i < 4; i++) {
        same[i] = IsEqual();
        same[i].a <== pairs[i][0];
        same[i].b <== pairs[i][1];
        isSame[i + 1] <== isSame[i] * same[i].out;
    }
    signal isApproveNamed <== isForcedApprove * isRecipient;
    signal isApproveTaken <== isApproveNamed * isSame[4];
    signal isApproveOpened <== isApproveTaken * opensForced;
    signal isApproveForced <== isApproveOpened * isByDatanet;
    var isValid = isDepositOpened + isDepositTaken + isForcedPaid + isKeyForced + isOwnerForced + model.isClaimRewardsForced + model.isCloseEpochForced + isRevokeForced + isApproveForced + isCommitForced + isPublishForced;
    core <== kind + WIDE_CORE_A() * aId + WIDE_CORE_B() * bId + WIDE_CORE_AMOUNT() * (code - shownCode) + WIDE_CORE_VALID() * isValid;
    // CreateModel: the body to be. Its price and split are the two parts of word 6, 96 (phase F) and 32 bits.
    for (var i = 0; i < 4; i++) { isCreateModel * (statics[i] - words[2 + i]) === 0; }
    isCreateModel * (split - split32) === 0;
    isCreateModel * closed === 0;
    isCreateModel * (accruedRoot - modelPayeeRoot) === 0;
    isCreateModel * (claimedRoot - EMPTY_CLAIMED_ROOT()) === 0;
    isCreateModel * epochStart === 0;
    // PublishVersion: N has 32 bits, by digits of its own. Attack: the statement 2^64·N < 2^96 holds in the field for
    // N = y / 2^64 with any y < 2^96, too. By such an N a datanet could approve another's models.
    isPublish * (words[3] - split32) === 0;
    // Approve: the statics bind this datanet's version ≥ 1, N, owners and payees; 24 h have passed. Datanet 0's version is the
    // binding's; of further ones recipe.json alone names it, and tables are what counts.
    isApprove * (words[0] - model.staticsHash) === 0;
    isApprove * (timestamp - publishedAt - approvalDelay - waited40) === 0;
    isApprove * unpublished.out === 0;
    signal isFirst <== isApprove * named[0].out;
    isFirst * (version - version32) === 0;
    (isApprove - isJoint) * (rowCount - rows32) === 0;
    (isApprove - isJoint) * (modelOwners - datanetOwners) === 0;
    (isApprove - isJoint) * (modelPayeeRoot - datanetPayeeRoot) === 0;
    // By one of several: of a ready model, whose activation has shown that each datanet has the shard at its place, and S of them.
    // A's place s is where it is named; ModelBody opens the owners and the subtree there: s in digits 3 … 5 and 6 … 8, the others
    // 0. It has not approved before: a second approval would carry into another's bit. Where all others have, it is the last.
    isJoint * (1 - ready) === 0;
    isJoint * (place12 - 72 * place) === 0;
    isJoint * ownGiven === 0;
    component last = SumEquals(7, 1);
    for (var j = 0; j < 6; j++) { last.in[j] <== approvalBits[j]; }
    last.in[6] <== 1;
    last.b <== list[0];
    signal isPartial <== isJoint * (1 - last.out);

    // F. Fee and debit. Each summand is bounded by itself: the balance, idFee, withdrawnWei and executedWei below 2^96,
    // the amount below 2^138, the fee below 2^70, treasuryWei by 96 digits; gainWei's bound is claim-rewards.circom's, step C.
    // So a debit above the balance is negative, above −2^140, and fails 96 bits.
    component float = AmountFloat();
    for (var i = 0; i < 40; i++) { float.bits[i] <== amountBits[i]; }
    feeWei <== weight * feePerUnit;
    signal movedWei <== movesAmount * float.wei;
    signal idFeeWei <== isCreate * idFee;
    signal withdrawnWei <== isWithdraw * words[1];
    signal newBalanceA <== balanceA - movedWei - feeWei - idFeeWei - withdrawnWei - executedWei + model.treasuryWei + model.gainWei;
    component balanceRange = RangeCheck(96);
    balanceRange.in <== newBalanceA;
    // no replay: A signs over nonceA, its leaf's nonce (I), and a signed slot leaves nonceA + 1.
    signal newNonceA <== nonceA + isSigned;
    component nonceRange = RangeCheck(40);
    nonceRange.in <== newNonceA;
    // As in the narrow slot; an unsigned slot's witness takes maxFeePerUnit = feePerUnit.
    component feeRange = RangeCheck(64);
    feeRange.in <== maxFeePerUnit - feePerUnit;
    // One 96-bit check for the exact word of the active kind: Withdraw's amount, a queue entry's amount or CreateModel's
    // price. At most one summand is not 0, and none is scaled, so each is below 2^96 by itself.
    signal queueWei <== isQueue * words[0];
    // CreateModel's word 6 is the price and, above its 96 bits, the split. Phase E bounds the split by 32 digits, so the
    // price is one field element for a word, and below 2^96 the word's low part.
    signal newPrice <== isCreateModel * (words[6] - (1 << 96) * split);
    // Attack: at a price of 0, payments of nothing would fill an epoch's cap.
    component priceless = IsZero();
    priceless.in <== newPrice;
    isCreateModel * priceless.out === 0;
    // The digits are scratch bits that none of these kinds shows otherwise: Withdraw has 160 below them, CreateModel 192, a
    // ForcedRevokeModel 307, other entries fewer. A claim alone needs all 445: L1 gives a forced one no amount.
    (isWithdraw + isCreateModel + isQueue - isForcedClaimRewards) * (withdrawnWei + queueWei + newPrice - digits96) === 0;
    isForcedClaimRewards * words[0] === 0;

    // G. Effect on A.
    signal newOwnerA <== ownerA + isOwnerForced * (words[1] - ownerA);
    signal keyStep <== isSetKey * (words[0] - keyA);
    signal newKeyA <== keyA + keyStep + isKeyForced * (words[1] - keyA);
    signal newBodyA <== bodyA + (isPublish + isPublishForced) * (newBody.out - bodyA);

    // H. Effect on B.
    component effects = MemberEffects();
    effects.isCommit <== isCommit + isCommitForced;
    effects.isPay <== isPay + isPayForced;
    effects.opensModel <== isApproval + turnsModel + opensForced;
    effects.aId <== aId;
    // A forced slot's amount field is 0: its amount, rows and payload are words.
    signal forcedRows <== isCommitForced * words[0];
    effects.code <== code + forcedRows;
    effects.amount <== float.wei + paidWei;
    effects.payload <== words[0] + (isForcedPay + isForcedCommit) * (words[2] - words[0]);
    effects.tagB <== tagB;
    effects.chainB <== chainB;
    effects.openAmountB <== openAmountB;
    effects.countersB <== countersB;
    effects.ready <== ready;
    effects.approved <== approved;
    effects.cap <== cap;
    effects.paymentCount <== paymentCount;
    effects.epoch <== epoch;
    effects.price <== price;
    effects.approvalBits <== approvalBits;
    signal newTagB <== tagB + TAG_ACCOUNT() * (isCreateAccount + isDepositOpened) + TAG_DATANET() * isCreateDatanet + TAG_MODEL() * isCreateModel;
    signal createdOwner <== isCreate * words[0];
    signal newOwnerB <== ownerB + createdOwner + isDepositOpened * words[1];
    signal createdKey <== isCreate * words[1];
    signal newKeyB <== keyB + createdKey + isDepositOpened * words[2];
    signal depositedWei <== (isDepositOpened + isDepositTaken) * words[0];
    signal newBalanceB <== balanceB + (isTransfer + isCreate) * float.wei + depositedWei + transferredWei + model.ownerWei;
    signal credited <== newBalanceB + (isPay + isPayForced) * (effects.openAmount - newBalanceB);
    component creditRange = RangeCheck(96);
    creditRange.in <== credited;
    // approved is bit 1 of the counters, price starts at bit 74.
    signal switchedOn <== (isApprove + isApproveForced - isPartial) * (1 - approved);
    signal switchedOff <== (isRevoke + isRevokeForced) * approved;
    // Approvals of several datanets, where the model is not approved: one more, or none of them, as after the last and after a
    // revocation. An approved model has none.
    signal isGiven <== isPartial * (1 - approved);
    signal givenNow <== isGiven * ownApproval;
    signal cleared <== (isJoint - isGiven + isRevoke + isRevokeForced) * givenSum;
    // Close: the chain, the open amount and the payments' count (at bit 18) start anew. Activation: ready (bit 0) and the cap
    // (bit 2). Both raise the epoch (bit 50).
    var closes = isCloseEpoch + model.isCloseEpochForced;
    signal newChainB <== effects.chain - closes * chainB;
    signal newOpenAmountB <== effects.openAmount - closes * openAmountB;
    signal newCountersB <== effects.counters + COUNTER_APPROVED() * switchedOn - COUNTER_APPROVED() * switchedOff + COUNTER_PRICE() * newPrice + isActivation + COUNTER_CAP() * model.newCap + COUNTER_EPOCH() * (closes + isActivation) - closes * COUNTER_PAYMENT_COUNT() * paymentCount + COUNTER_APPROVALS() * (givenNow - cleared);
    // A new model's bodyB is 0.
    signal newBodyB <== bodyB + EMPTY_DATANET_BODY() * isCreateDatanet + (isCreateModel + turnsModel + opensForced) * (model.newBody - bodyB);

    // I. Authorisation. The words are signed whole; a narrow kind's w is its payload in either slot. A Settle with voids
    // and an Activation are signed by the model's key, over J, with nonce and maximum fee 0. Attack: whoever knows a slot
    // table can prove an Activation, which fixes the cap for ever. Without the model's signature the sequencer would choose it.
    var isByModel = 1 - model.noVoids + isActivation;
    component wordsHash = HashTagged(7, 4);
    for (var i = 0; i < 7; i++) { wordsHash.in[i] <== words[i]; }
    component auth = Authorisation();
    // Boolean: of no kind are two of the three 1.
    auth.isSigned <== isSigned + isByModel;
    auth.domain <== domain;
    // The signer of a Create does not know the id.
    signal newB <== isNew * bId;
    auth.core <== kind + MESSAGE_A() * aId + MESSAGE_B() * (bId - newB) + MESSAGE_AMOUNT() * code + (1 - isSettle - isActivation) * (MESSAGE_NONCE() * nonceA + MESSAGE_MAX_FEE() * maxFeePerUnit);
    auth.bRef <== namesB * (ownerB + REFERENCE_KIND() * (tagB - 256));
    auth.w <== wordsHash.out + (isTransfer + isCommit + isPay + isSettle + isActivation) * (words[0] - wordsHash.out);
    auth.keyX <== keyA + isByModel * (keyB - keyA);
    auth.keyY <== keyY;
    auth.r8x <== r8x;
    auth.s <== s;

    // J. Tree: A on the old root, B on A's. A leaf that does not exist hashes to 0.
    component tags[2];
    tags[0] = LeafTag();
    tags[0].tag <== tagA;
    tags[0].isEmpty <== isMissingA;
    tags[1] = LeafTag();
    tags[1].tag <== tagB;
    tags[1].isEmpty <== isEmptyB;
    component hashes[4];
    for (var i = 0; i < 4; i++) { hashes[i] = LeafHash(); }
    var newA[9] = [a[0], newNonceA, newOwnerA, newKeyA, newBalanceA, a[5], a[6], a[7], newBodyA];
    var newLeafB[9] = [newTagB, b[1], newOwnerB, newKeyB, newBalanceB, newChainB, newOpenAmountB, newCountersB, newBodyB];
    for (var i = 0; i < 9; i++) {
        hashes[0].leaf[i] <== a[i];
        hashes[1].leaf[i] <== newA[i];
        hashes[2].leaf[i] <== b[i];
        hashes[3].leaf[i] <== newLeafB[i];
    }
    component paths[2];
    for (var p = 0; p < 2; p++) {
        paths[p] = PathUpdate8(depth);
        for (var i = 0; i < depth; i++) {
            for (var j = 0; j < 8; j++) {
                if (p == 0) { paths[p].children[i][j] <== childrenA[i][j]; } else { paths[p].children[i][j] <== childrenB[i][j]; }
            }
        }
        for (var i = 0; i < 3 * depth; i++) {
            if (p == 0) { paths[p].idBits[i] <== aBits[i]; } else { paths[p].idBits[i] <== bBits[i]; }
        }
    }
    paths[0].oldLeaf <== (1 - isMissingA) * hashes[0].out;
    paths[0].newLeaf <== (1 - isMissingA) * hashes[1].out;
    paths[1].oldLeaf <== (1 - isEmptyB) * hashes[2].out;
    paths[1].newLeaf <== (1 - isMissingB) * hashes[3].out;
    paths[0].oldRoot <== oldRoot;
    paths[1].oldRoot <== paths[0].newRoot;
    newRoot <== paths[1].newRoot;
}
