pragma circom 2.1.6;

include "../field/poseidon.circom";

// The hash of an empty subtree of PAYEE_NODE: of eight absent leaves, then of eight of those, and so on.
// reward-parts.test.ts computes them again.
function EMPTY_PAYEE_NODE(level) {
    var empty[4] = [
        0,
        12594646520141605601512382428066088496130067461687000007087518072084727470303,
        13210556133185344495602692786226131106367987199830591794978020989069927481393,
        9189957684751500115525080199068410226295084266883402511021071352367930612189
    ];
    return empty[level];
}

// Old and new root of the subtree of one shard of a model's rewards tree: 512 places. Rules: accruedSubroots in rewards.ts.
//
// Parameters:  payees 1 … 512: places behind them are empty.
// Inputs:      leaf[payees]: contributor 24 | validator 24 | accrued wei before, 0 for an absent payee; earned[payees]: wei.
// Outputs:     oldRoot, newRoot.
// Assumes:     nothing: a leaf is what the old root binds, and the caller compares that root.
// Ensures:     oldRoot is the tree of depth 3 over leaf, newRoot that over leaf[m] + 2^48 · earned[m]. As integers while
//              accrued amounts stay below 2^120: at most 2^24 epochs of 2^96 wei, so a leaf stays below 2^168 < r.
// Constraints: 804 for each node above a place below `payees`: (ceil(payees / 8) + ceil(payees / 64) + 1) · 804; none linear.
template RewardsSubtree(payees) {
    signal input leaf[payees];
    signal input earned[payees];
    signal output oldRoot;
    signal output newRoot;

    // A. Nodes above the leaves. The new leaves are combinations, which the core takes as a matrix.
    var n1 = (payees + 7) \ 8;
    component old1[n1];
    component new1[n1];
    for (var i = 0; i < n1; i++) {
        old1[i] = HashTagged(8, 37);
        new1[i] = PoseidonCore(8, 16, ACCRUAL_MATRIX(), 0, 37);
        for (var j = 0; j < 8; j++) {
            if (8 * i + j < payees) {
                old1[i].in[j] <== leaf[8 * i + j];
                new1[i].in[j] <== leaf[8 * i + j];
                new1[i].in[8 + j] <== earned[8 * i + j];
            } else {
                old1[i].in[j] <== 0;
                new1[i].in[j] <== 0;
                new1[i].in[8 + j] <== 0;
            }
        }
    }

    // B. The second level, and C. the third: 64 places a node, then 512.
    var n2 = (n1 + 7) \ 8;
    component old2[n2];
    component new2[n2];
    for (var i = 0; i < n2; i++) {
        old2[i] = HashTagged(8, 37);
        new2[i] = HashTagged(8, 37);
        for (var j = 0; j < 8; j++) {
            if (8 * i + j < n1) {
                old2[i].in[j] <== old1[8 * i + j].out;
                new2[i].in[j] <== new1[8 * i + j].out;
            } else {
                old2[i].in[j] <== EMPTY_PAYEE_NODE(1);
                new2[i].in[j] <== EMPTY_PAYEE_NODE(1);
            }
        }
    }
    component old3 = HashTagged(8, 37);
    component new3 = HashTagged(8, 37);
    for (var j = 0; j < 8; j++) {
        if (j < n2) {
            old3.in[j] <== old2[j].out;
            new3.in[j] <== new2[j].out;
        } else {
            old3.in[j] <== EMPTY_PAYEE_NODE(2);
            new3.in[j] <== EMPTY_PAYEE_NODE(2);
        }
    }
    oldRoot <== old3.out;
    newRoot <== new3.out;
}

// Old and new root of a model's rewards tree over its shards' subtrees. Rules: accruedRoot in rewards.ts.
//
// Parameters:  shards 1 … 8: the subtrees behind them are empty.
// Inputs:      oldSubroot[shards], newSubroot[shards].
// Outputs:     oldRoot, newRoot.
// Assumes:     nothing. Ensures: the roots of depth 4 over these subtrees of depth 3.
// Constraints: 804; none linear.
template RewardsTop(shards) {
    signal input oldSubroot[shards];
    signal input newSubroot[shards];
    signal output oldRoot;
    signal output newRoot;

    component old4 = HashTagged(8, 37);
    component new4 = HashTagged(8, 37);
    for (var j = 0; j < 8; j++) {
        if (j < shards) {
            old4.in[j] <== oldSubroot[j];
            new4.in[j] <== newSubroot[j];
        } else {
            old4.in[j] <== EMPTY_PAYEE_NODE(3);
            new4.in[j] <== EMPTY_PAYEE_NODE(3);
        }
    }
    oldRoot <== old4.out;
    newRoot <== new4.out;
}

// Row j: leaf j plus 2^48 times what it earned.
function ACCRUAL_MATRIX() {
    var W[8][16];
    for (var j = 0; j < 8; j++) {
        W[j][j] = 1;
        W[j][8 + j] = 1 << 48;
    }
    return W;
}
