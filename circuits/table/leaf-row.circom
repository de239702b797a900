pragma circom 2.1.6;

include "../batch/slot-parts.circom";
include "../ledger/merkle8.circom";
include "./terms.circom";

// A row of the table: one leaf, opened and closed once a batch. Rows of one subtree follow each other, so the second finds
// what the first left; a leaf may even have two rows, its states then follow each other too.
//
// Parameters:  low ≥ 1: levels from the leaf to its subtree's root; window: levels from the leaf to the window's root.
// Inputs:      gamma, power[9]. Witness: idBits; first: begins its subtree, which the frame takes too; isMember: its rest may change;
//              askedBits: how often slots ask for its owner and kind; leaf[6] before, as LeafHead takes it; newNonce, newBalance,
//              newRest; children: of its path.
// Outputs:     sub: the subtree's number; oldSub, newSub: its root before and after; packed; sum.
// Assumes:     C absorbs oldSub, newSub and packed. Whoever chains the rows sees that oldSub is true.
// Ensures:     the leaf with this id of the subtree oldSub is leaf, and newSub has the changed one instead; no other field
//              changes, the rest only where isMember = 1. Terms: new - old balance, the old nonce
//              given and the new one taken, owner and kind given askedBits times, and the member's rest.
//              newNonce needs no range: the equation makes it leaf[1], or what follows a slot's nonce.
// Why all is fixed by C: packed fixes id, flags and counts, all boolean. oldSub fixes children and leaf, newSub the new
//              fields, since hashes are collision-resistant and a leaf's tag is one of three.
// Constraints: constraint-counts.json, "LeafRow(1, 2)"; 818 more for every level below, 3 for every level of the window.
template LeafRow(low, window) {
    signal input gamma;
    signal input power[9];
    signal input idBits[3 * window];
    signal input first;
    signal input isMember;
    signal input askedBits[12];
    signal input leaf[6];
    signal input newNonce;
    signal input newBalance;
    signal input newRest;
    signal input children[low][8];
    signal output sub;
    signal output oldSub;
    signal output newSub;
    signal output packed;
    signal output sum;

    // A. Id, flags, count: boolean, so that their packing is injective.
    var id = 0;
    var subSum = 0;
    for (var i = 0; i < 3 * window; i++) {
        idBits[i] * (1 - idBits[i]) === 0;
        id += (1 << i) * idBits[i];
        if (i >= 3 * low) { subSum += (1 << (i - 3 * low)) * idBits[i]; }
    }
    var asked = 0;
    for (var i = 0; i < 12; i++) {
        askedBits[i] * (1 - askedBits[i]) === 0;
        asked += (1 << i) * askedBits[i];
    }
    first * (1 - first) === 0;
    isMember * (1 - isMember) === 0;
    sub <== subSum;
    packed <== id + (1 << 24) * first + (1 << 25) * isMember + (1 << 26) * asked;

    // B. The leaf before and after.
    component tag = LeafTag();
    tag.tag <== leaf[0];
    tag.isEmpty <== 0;
    component balanceRange = RangeCheck(96);
    balanceRange.in <== newBalance;
    (1 - isMember) * (newRest - leaf[5]) === 0;
    component before = LeafHead();
    component after = LeafHead();
    before.in <== leaf;
    after.in[0] <== leaf[0];
    after.in[1] <== newNonce;
    after.in[2] <== leaf[2];
    after.in[3] <== leaf[3];
    after.in[4] <== newBalance;
    after.in[5] <== newRest;

    // C. Its way to the subtree's root.
    component level[low];
    for (var i = 0; i < low; i++) {
        level[i] = NodeUpdate8(TAG_NODE());
        level[i].oldChild <== i == 0 ? before.out : level[i - (i == 0 ? 0 : 1)].oldNode;
        level[i].newChild <== i == 0 ? after.out : level[i - (i == 0 ? 0 : 1)].newNode;
        for (var j = 0; j < 3; j++) { level[i].bits[j] <== idBits[3 * i + j]; }
        level[i].children <== children[i];
    }
    oldSub <== level[low - 1].oldNode;
    newSub <== level[low - 1].newNode;

    // D. Terms.
    signal moved <-- (newBalance - leaf[4]) / (gamma - id - SORT_BALANCE() * power[8]);
    moved * (gamma - id - SORT_BALANCE() * power[8]) === newBalance - leaf[4];
    signal byKey <== power[0] * leaf[3];
    signal byNonce <== power[1] * leaf[1];
    signal byNewNonce <== power[1] * newNonce;
    var key = id + byKey + SORT_NONCE() * power[8];
    signal given <-- 1 / (gamma - key - byNonce);
    given * (gamma - key - byNonce) === 1;
    signal taken <-- 1 / (gamma - key - byNewNonce);
    taken * (gamma - key - byNewNonce) === 1;
    signal byReference <== power[0] * (leaf[2] + REFERENCE_KIND() * (leaf[0] - 256));
    signal reference <-- asked / (gamma - id - byReference - SORT_REFERENCE() * power[8]);
    reference * (gamma - id - byReference - SORT_REFERENCE() * power[8]) === asked;
    signal byRest <== power[1] * leaf[5];
    signal byNewRest <== power[2] * newRest;
    var fields = id + (1 << 24) * leaf[0] + byReference + byRest + byNewRest + SORT_MEMBER() * power[8];
    signal member <-- isMember / (gamma - fields);
    member * (gamma - fields) === isMember;
    sum <== given - taken - moved - reference + member;
}
