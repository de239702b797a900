pragma circom 2.1.6;

include "../ledger/merkle8.circom";
include "../field/poseidon.circom";
include "../field/range-check.circom";

// Domain tag of a node of a model's two payee trees; protocol.ts has it under TAG.payeeNode.
function TAG_PAYEE_NODE() { return 37; }
// Root of the claimed tree in which nothing was claimed; rewards.ts.
function EMPTY_CLAIMED_ROOT() { return 9189957684751500115525080199068410226295084266883402511021071352367930612189; }

// What a ClaimRewards opens and changes in its model: the payee's leaf in the accrued tree, the role's leaf in the claimed one.
// A forced claim is shown either way: the payee's leaf is opened, whoever's it is, and whether it is A's is a boolean.
// Rules: payRewards, claimsOfPayee in epoch-operations.ts.
//
// Inputs:      isClaimRewards: signed; isForced: a forced claim from a ready model; isAllowed: A exists and the sender owns it;
//              aId: who claims, 24 bits; word, forcedWord: payeeIndex | role << 9 of a signed and of a forced claim;
//              split, accruedRoot, claimedRoot: of the model's opened body; bits[201]: payeeIndex 8 | role 1 | the payee's
//              other leaf 24 | accruedWei 120 | remainder 16 | ownerParts 16 | validatorParts 16; memberBits[24]: who has
//              the role in the payee, read by forced claims alone; claimedWei: the role's leaf before; accruedChildren,
//              claimedChildren: all eight children on the ways up. Where neither flag is 1, claimedWei is 0 and the
//              children are those of the empty tree, of which any index reads 0.
// Outputs:     isExecuted: a forced claim that is A's; gainWei: what A gets, 0 without a claim; newClaimedRoot.
// Assumes:     the flags and bits are boolean, at most one flag is 1, aId < 2^24; L1 queued no other forcedWord than 8 bits
//              and a bit at 9; under either flag the model is ready, so that an activation has shown its payee root to hold no
//              accrued amount, and settlements have written the rest: a leaf of the accrued tree is contributor 24 |
//              validator 24 | accruedWei 120 (all 0 of an absent payee), one of the claimed tree below 2^121, split below
//              2^32. The caller checks A's balance after gainWei to be 96 bits.
// Ensures:     isClaimRewards = 1: A is the payee's contributor (role 0) or validator (role 1). isExecuted = isForced and isAllowed
//              and A is that. isClaimRewards or isExecuted: share = the role's part of accruedWei; claimed leaf' = share;
//              gainWei = share − claimed leaf. Else claimedRoot stays.
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
    signal input bits[201];
    signal input memberBits[24];
    signal input claimedWei;
    signal input accruedChildren[3][8];
    signal input claimedChildren[3][8];
    signal output isExecuted;
    signal output gainWei;
    signal output newClaimedRoot;

    // A. The digits. A payee index has 8 bits: its two claimed leaves have places below 512.
    var payeeIndex = 0;
    var otherId = 0;
    var accruedWei = 0;
    var remainder = 0;
    var ownerParts = 0;
    var validatorParts = 0;
    for (var i = 0; i < 8; i++) { payeeIndex += (1 << i) * bits[i]; }
    var shownId = 0;
    for (var i = 0; i < 24; i++) {
        otherId += (1 << i) * bits[9 + i];
        shownId += (1 << i) * memberBits[i];
    }
    for (var i = 0; i < 120; i++) { accruedWei += (1 << i) * bits[33 + i]; }
    for (var i = 0; i < 16; i++) {
        remainder += (1 << i) * bits[153 + i];
        ownerParts += (1 << i) * bits[169 + i];
        validatorParts += (1 << i) * bits[185 + i];
    }
    var reads = isClaimRewards + isForced;
    isClaimRewards * (word - payeeIndex - (1 << 9) * bits[8]) === 0;
    isForced * (forcedWord - payeeIndex - (1 << 9) * bits[8]) === 0;
    // Both parts have 16 bits, so this is the one opening of split.
    reads * (split - ownerParts - (1 << 16) * validatorParts) === 0;

    // B. The accrued leaf: the member, of a signed claim A, in the role's place. All three parts have their widths, so
    //    it is the leaf's one opening: a stranger's signed claim has none, and a forced one no other member to show.
    //    Read at place payeeIndex, whose ninth bit is 0.
    signal memberId <== aId + isForced * (shownId - aId);
    signal ownLeaf <== memberId + (1 << 24) * otherId + (1 << 48) * accruedWei + bits[8] * ((1 << 24) - 1) * (memberId - otherId);
    signal accruedLeaf <== reads * ownLeaf;
    component read[3];
    for (var i = 0; i < 3; i++) {
        read[i] = NodeRead8(TAG_PAYEE_NODE());
        if (i == 0) { read[i].child <== accruedLeaf; } else { read[i].child <== read[i - 1].node; }
        for (var j = 0; j < 3; j++) {
            if (3 * i + j < 8) { read[i].bits[j] <== bits[3 * i + j]; } else { read[i].bits[j] <== 0; }
        }
        read[i].children <== accruedChildren[i];
    }
    reads * (read[2].node - accruedRoot) === 0;
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
    signal share <== accruedWei - validatorWei + bits[8] * (2 * validatorWei - accruedWei);
    gainWei <== takes * (share - claimedWei);

    // D. The claimed leaf at place 2 payeeIndex + role becomes the share: a second claim gains 0.
    component update[3];
    for (var i = 0; i < 3; i++) {
        update[i] = NodeUpdate8(TAG_PAYEE_NODE());
        if (i == 0) {
            update[i].oldChild <== claimedWei;
            update[i].newChild <== share;
        } else {
            update[i].oldChild <== update[i - 1].oldNode;
            update[i].newChild <== update[i - 1].newNode;
        }
        for (var j = 0; j < 3; j++) {
            if (i + j == 0) { update[i].bits[j] <== bits[8]; } else { update[i].bits[j] <== bits[3 * i + j - 1]; }
        }
        update[i].children <== claimedChildren[i];
    }
    takes * (update[2].oldNode - claimedRoot) === 0;
    newClaimedRoot <== claimedRoot + takes * (update[2].newNode - claimedRoot);
}
