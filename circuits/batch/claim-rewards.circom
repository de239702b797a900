pragma circom 2.1.6;

include "../ledger/merkle8.circom";
include "../field/poseidon.circom";
include "../field/range-check.circom";

// Domain tag of a node of a model's two payee trees; protocol.ts has it under TAG.payeeNode.
function TAG_PAYEE_NODE() { return 37; }
// Root of the claimed tree in which nothing was claimed; rewards.ts.
function EMPTY_CLAIMED_ROOT() { return 15946274797642441385862779650857921207684951520016474760992142535431664428625; }

// What a ClaimRewards opens and changes in its model: the payee's leaf in the accrued tree, the role's leaf in the claimed one.
// A forced claim is shown either way: the payee's leaf is opened, whoever's it is, and whether it is A's is a boolean.
// A joint approval has the same paths open a shard of the model instead: what its datanet has published.
// Rules: payRewards, claimsOfPayee in epoch-operations.ts.
//
// Inputs:      isClaimRewards: signed; isForced: a forced claim from a ready model; isAllowed: A exists and the sender owns it;
//              aId: who claims, 24 bits; word, forcedWord: payeeIndex | role << 12 of a signed and of a forced claim;
//              split, accruedRoot, claimedRoot: of the model's opened body; bits[445]: payeeIndex 12 | role 1 | the payee's
//              other leaf 24 | accruedWei 120 | remainder 16 | ownerParts 16 | validatorParts 16 | what the other role has
//              claimed before 120 | what the role has 120; isJoint: an approval by one of several datanets, with s in bits[3 … 5] and
//              bits[6 … 8], and 0 in bits[9 … 11]; datanetOwners, datanetPayeeRoot: of the datanet's version; modelPayeeRoot: of
//              the statics; subtree: of the shard s, witness; memberBits[24]: who has the role in the payee, read by forced claims
//              alone; accruedChildren, claimedChildren: all eight children on the ways up. Where neither flag is 1, the
//              children are those of the empty tree, of which any index reads 0. Under isJoint, accruedChildren[1] are the owners of
//              all shards, accruedChildren[2] the subtrees of modelPayeeRoot, accruedChildren[3] has that root at 0.
// Outputs:     isExecuted: a forced claim that is A's; gainWei: what A gets, 0 without a claim; newClaimedRoot; ownersNode.
// Assumes:     the flags and bits are boolean, at most one flag is 1 (of isJoint, too), aId < 2^24; L1 queued no other forcedWord than 13 bits;
//              under either flag the model is ready, so that an activation has shown its payee root to hold no
//              accrued amount, and settlements have written the rest: a leaf of the accrued tree is contributor 24 |
//              validator 24 | accruedWei 120 (all 0 of an absent payee), one of the claimed tree the contributor's 120 |
//              the validator's 120, split below 2^32. The caller checks A's balance after gainWei to be 96 bits.
// Ensures:     isClaimRewards = 1: A is the payee's contributor (role 0) or validator (role 1). isExecuted = isForced and isAllowed
//              and A is that. isClaimRewards or isExecuted: share = the role's part of accruedWei; it replaces claimedWei in the claimed leaf;
//              gainWei = share − claimedWei. Else claimedRoot stays. isJoint: ownersNode is the node of eight owners, of which the
//              s-th are datanetOwners; datanetPayeeRoot has the s-th subtree of modelPayeeRoot at 0, and else empty ones.
// Constraints: constraint-counts.json, "Claim()".
template ClaimRewards() {
    signal input isClaimRewards;
    signal input isForced;
    signal input isAllowed;
    signal input aId;
    signal input word;
    signal input forcedWord;
    signal input split;
    signal input accruedRoot;
    signal input claimedRoot;
    signal input bits[445];
    signal input memberBits[24];
    signal input isJoint;
    signal input datanetOwners;
    signal input datanetPayeeRoot;
    signal input modelPayeeRoot;
    signal input subtree;
    signal input accruedChildren[4][8];
    signal input claimedChildren[4][8];
    signal output isExecuted;
    signal output gainWei;
    signal output newClaimedRoot;
    signal output ownersNode;

    // A. The digits.
    var payeeIndex = 0;
    var otherId = 0;
    var accruedWei = 0;
    var remainder = 0;
    var ownerParts = 0;
    var validatorParts = 0;
    var otherClaimedWei = 0;
    var claimedWei = 0;
    for (var i = 0; i < 12; i++) { payeeIndex += (1 << i) * bits[i]; }
    var shownId = 0;
    for (var i = 0; i < 24; i++) {
        otherId += (1 << i) * bits[13 + i];
        shownId += (1 << i) * memberBits[i];
    }
    for (var i = 0; i < 120; i++) {
        accruedWei += (1 << i) * bits[37 + i];
        otherClaimedWei += (1 << i) * bits[205 + i];
        claimedWei += (1 << i) * bits[325 + i];
    }
    for (var i = 0; i < 16; i++) {
        remainder += (1 << i) * bits[157 + i];
        ownerParts += (1 << i) * bits[173 + i];
        validatorParts += (1 << i) * bits[189 + i];
    }
    var reads = isClaimRewards + isForced;
    isClaimRewards * (word - payeeIndex - (1 << 12) * bits[12]) === 0;
    isForced * (forcedWord - payeeIndex - (1 << 12) * bits[12]) === 0;
    // Both parts have 16 bits, so this is the one opening of split.
    reads * (split - ownerParts - (1 << 16) * validatorParts) === 0;

    // B. The accrued leaf: the member, of a signed claim A, in the role's place. All three parts have their widths, so
    //    it is the leaf's one opening: a stranger's signed claim has none, and a forced one no other member to show.
    signal memberId <== aId + isForced * (shownId - aId);
    signal ownLeaf <== memberId + (1 << 24) * otherId + (1 << 48) * accruedWei + bits[12] * ((1 << 24) - 1) * (memberId - otherId);
    signal accruedLeaf <== reads * ownLeaf;
    component read[4];
    for (var i = 0; i < 4; i++) {
        read[i] = NodeRead8(TAG_PAYEE_NODE());
        if (i == 0) { read[i].child <== accruedLeaf; }
        // A joint approval's paths begin here: the owners of its shard, then its subtree.
        if (i == 1) { read[i].child <== read[0].node + isJoint * (datanetOwners - read[0].node); }
        if (i == 2) { read[i].child <== read[1].node + isJoint * (subtree - read[1].node); }
        if (i == 3) { read[i].child <== read[2].node; }
        for (var j = 0; j < 3; j++) { read[i].bits[j] <== bits[3 * i + j]; }
        read[i].children <== accruedChildren[i];
    }
    reads * (read[3].node - accruedRoot) === 0;
    ownersNode <== read[1].node;
    isJoint * (read[2].node - modelPayeeRoot) === 0;
    component isMember = IsEqual();
    isMember.a <== memberId;
    isMember.b <== aId;
    signal isForcedMember <== isForced * isMember.out;
    isExecuted <== isForcedMember * isAllowed;
    var takes = isClaimRewards + isExecuted;

    // C. The role's share. validatorWei = (product − remainder) / 2^16 in the field; it is the quotient rounded down:
    //    A's new balance = old − fee + share − claimedWei has 96 bits, so share, and with it validatorWei (= share or
    //    accruedWei − share), is an integer between −2^122 and 2^122. Then 2^16 validatorWei = product − remainder
    //    holds between integers below 2^139, and remainder < 2^16 is product mod 2^16.
    signal product <== accruedWei * validatorParts;
    // The inverse of 2^16.
    var validatorWei = (product - remainder) / (1 << 16);
    signal share <== accruedWei - validatorWei + bits[12] * (2 * validatorWei - accruedWei);
    gainWei <== takes * (share - claimedWei);

    // D. In the claimed leaf at payeeIndex the share replaces claimedWei: a second claim gains 0. Both roles' parts are digits, so the
    //    leaf has one opening. Attack: without the role's own, a share and a claim before it that are equally wrong fractions of
    //    r leave an integer between them, for one state in some 2^20.
    signal ofValidator[2];
    ofValidator[0] <== bits[12] * (claimedWei - otherClaimedWei);
    ofValidator[1] <== bits[12] * (share - otherClaimedWei);
    signal oldLeaf <== reads * (claimedWei + (1 << 120) * otherClaimedWei + ((1 << 120) - 1) * ofValidator[0]);
    component update[4];
    for (var i = 0; i < 4; i++) {
        update[i] = NodeUpdate8(TAG_PAYEE_NODE());
        if (i == 0) {
            update[i].oldChild <== oldLeaf;
            update[i].newChild <== share + (1 << 120) * otherClaimedWei + ((1 << 120) - 1) * ofValidator[1];
        } else {
            update[i].oldChild <== update[i - 1].oldNode;
            if (i == 3) {
                update[i].newChild <== update[2].newNode + isJoint * (subtree - update[2].newNode);
            } else {
                update[i].newChild <== update[i - 1].newNode;
            }
        }
        for (var j = 0; j < 3; j++) { update[i].bits[j] <== bits[3 * i + j]; }
        update[i].children <== claimedChildren[i];
    }
    takes * (update[3].oldNode - claimedRoot) === 0;
    // A datanet's tree is the empty one with the subtree at 0. Attack: a tree with more, which A's body commits to and its owner
    // alone can open, is none that anyone who follows L1 finds to be the shard's.
    isJoint * (update[3].oldNode - EMPTY_CLAIMED_ROOT()) === 0;
    isJoint * (update[3].newNode - datanetPayeeRoot) === 0;
    newClaimedRoot <== claimedRoot + takes * (update[3].newNode - claimedRoot);
}
