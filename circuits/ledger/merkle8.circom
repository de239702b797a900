pragma circom 2.1.6;

include "../field/poseidon.circom";

// Domain tag of a tree node; protocol.ts has the same under TAG.node, and merkle8.test.ts compares them.
function TAG_NODE() { return 2; }

// Replaces one leaf of a tree with eight children a node.
//
// One membership proof and one recomputed root, both over the same siblings:
//
//        oldRoot          newRoot
//           |                |
//     c0 .. old .. c7   c0 .. new .. c7        level depth - 1: idBits[3 depth - 3 ..]
//           |                |
//          ...              ...
//        oldLeaf          newLeaf              level 0: idBits[0 .. 2]
//
// Parameters: depth >= 1.
// Inputs:     oldRoot; idBits[3 * depth], lowest first, level 0 takes the first three; oldLeaf, newLeaf: hashes;
//             children[depth][8]: all eight children of the old path's nodes, level 0 first (witness).
// Outputs:    newRoot.
// Assumes:    idBits are boolean, constrained by the caller.
// Ensures:    the leaf at id of the tree oldRoot is oldLeaf, and newRoot is that tree with newLeaf there (up to
//             Poseidon collisions).
// Constraints: 818 * depth; none linear. Depth 8: 6,544.
template PathUpdate8(depth) {
    signal input oldRoot;
    signal input idBits[3 * depth];
    signal input oldLeaf;
    signal input newLeaf;
    signal input children[depth][8];
    signal output newRoot;

    component level[depth];
    for (var i = 0; i < depth; i++) {
        level[i] = NodeUpdate8(TAG_NODE());
        level[i].oldChild <== i == 0 ? oldLeaf : level[i - (i == 0 ? 0 : 1)].oldNode;
        level[i].newChild <== i == 0 ? newLeaf : level[i - (i == 0 ? 0 : 1)].newNode;
        for (var j = 0; j < 3; j++) { level[i].bits[j] <== idBits[3 * i + j]; }
        level[i].children <== children[i];
    }
    oldRoot === level[depth - 1].oldNode;
    newRoot <== level[depth - 1].newNode;
}

// One level of a path: children[bits] = oldChild, and the node's hash before and after it becomes newChild.
//
// Parameters: tag: the tree's domain tag.
// Inputs:     bits[3], lowest first; oldChild, newChild; children[8].
// Outputs:    oldNode, newNode.
// Assumes:    bits are boolean, constrained by the caller.
// Ensures:    oldNode = hash(children), children[index] = oldChild, newNode = hash(children with newChild there).
// Constraints: 7 (select and compare) + 7 (place the difference) + 2 * 402; none linear.
template NodeUpdate8(tag) {
    signal input bits[3];
    signal input oldChild;
    signal input newChild;
    signal input children[8];
    signal output oldNode;
    signal output newNode;

    // A. Select: a tree of choices, each low + bit * (high - low). The last one states the equality.
    signal pick0[4];
    signal pick1[2];
    var at0[4];
    var at1[2];
    for (var i = 0; i < 4; i++) {
        pick0[i] <== (children[2 * i + 1] - children[2 * i]) * bits[0];
        at0[i] = children[2 * i] + pick0[i];
    }
    for (var i = 0; i < 2; i++) {
        pick1[i] <== (at0[2 * i + 1] - at0[2 * i]) * bits[1];
        at1[i] = at0[2 * i] + pick1[i];
    }
    (at1[1] - at1[0]) * bits[2] === oldChild - at1[0];

    // B. Place newChild - oldChild: at each split the high half gets bit * value, the low half the rest.
    signal high2;
    signal high1[2];
    signal high0[4];
    high2 <== bits[2] * (newChild - oldChild);
    var half[2] = [newChild - oldChild - high2, high2];
    for (var i = 0; i < 2; i++) { high1[i] <== bits[1] * half[i]; }
    var quarter[4] = [half[0] - high1[0], high1[0], half[1] - high1[1], high1[1]];
    for (var i = 0; i < 4; i++) { high0[i] <== bits[0] * quarter[i]; }

    // C. Hash before and after. The changed children are combinations, which the core takes as a matrix.
    component before = HashTagged(8, tag);
    before.in <== children;
    oldNode <== before.out;

    component after = PoseidonCore(8, 17, PLACEMENT_MATRIX(), 0, tag);
    for (var i = 0; i < 8; i++) { after.in[i] <== children[i]; }
    after.in[8] <== oldChild;
    after.in[9] <== newChild;
    after.in[10] <== high2;
    for (var i = 0; i < 2; i++) { after.in[11 + i] <== high1[i]; }
    for (var i = 0; i < 4; i++) { after.in[13 + i] <== high0[i]; }
    newNode <== after.out;
}

// One level of a path that is only read: children[bits] = child, and the node's hash.
//
// Parameters: tag: the tree's domain tag.
// Inputs:     bits[3], lowest first; child; children[8].
// Outputs:    node.
// Assumes:    bits are boolean, constrained by the caller.
// Ensures:    node = hash(children), children[index] = child.
// Constraints: 7 + 402; none linear.
template NodeRead8(tag) {
    signal input bits[3];
    signal input child;
    signal input children[8];
    signal output node;

    signal pick0[4];
    signal pick1[2];
    var at0[4];
    var at1[2];
    for (var i = 0; i < 4; i++) {
        pick0[i] <== (children[2 * i + 1] - children[2 * i]) * bits[0];
        at0[i] = children[2 * i] + pick0[i];
    }
    for (var i = 0; i < 2; i++) {
        pick1[i] <== (at0[2 * i + 1] - at0[2 * i]) * bits[1];
        at1[i] = at0[2 * i] + pick1[i];
    }
    bits[2] * (at1[1] - at1[0]) === child - at1[0];
    component hash = HashTagged(8, tag);
    hash.in <== children;
    node <== hash.out;
}

// Row i gives child i after the update over the signals that NodeUpdate8 passes: children[8], oldChild, newChild,
// high2, high1[2], high0[4].
function PLACEMENT_MATRIX() {
    var W[8][17];
    for (var i = 0; i < 8; i++) {
        W[i][i] = 1;
        var q = i \ 2;
        var h = i \ 4;
        if (i % 2 == 1) {
            W[i][13 + q] = 1;
        } else {
            W[i][13 + q] = -1;
            if (q % 2 == 1) {
                W[i][11 + h] = 1;
            } else {
                W[i][11 + h] = -1;
                if (h == 1) {
                    W[i][10] = 1;
                } else {
                    W[i][10] = -1;
                    W[i][9] = 1;
                    W[i][8] = -1;
                }
            }
        }
    }
    return W;
}
