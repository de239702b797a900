pragma circom 2.1.6;

include "./exit-statement.circom";
include "../ledger/path-read.circom";
include "../batch/slot-parts.circom";

// The balance of one leaf of a frozen ledger, and who gets it (docs/reference/exits.md). Rules: leafExit in leaf-exit.ts.
//
// Parameters:  depth of the ledger's tree, at most 8: an id has 3 · depth bits.
// Public:      commitment (C), y; z.
// Inputs:      all private: idBits; leaf[6], as LeafHead takes it; children: all eight children on the way up.
// Assumes:     L1 compares E's root with its own, and gives the amount 96 bits and the recipient 160.
// Ensures:     E = (root, id, l1Owner, balance) of a leaf at id of the tree root. An empty place is no leaf: its value 0
//              would be a leaf's hash.
// Constraints: constraint-counts.json, "LeafExit(8)".
template LeafExit(depth) {
    signal input z;
    signal input idBits[3 * depth];
    signal input leaf[6];
    signal input children[depth][8];
    signal output commitment;
    signal output y;

    // A. The key: id, with role and isPayee 0. Boolean bits, so no id has two keys.
    var id = 0;
    for (var i = 0; i < 3 * depth; i++) {
        idBits[i] * (1 - idBits[i]) === 0;
        id += (1 << i) * idBits[i];
    }

    // B. The leaf. Its tag is a kind's, so the hash binds what it hashes. Nothing is packed or scaled: balance and owner go
    //    into E as they are, and L1 bounds them.
    component tag = LeafTag();
    tag.tag <== leaf[0];
    tag.isEmpty <== 0;
    component hash = LeafHead();
    hash.in <== leaf;
    component path = PathRead8(depth, TAG_NODE());
    path.idBits <== idBits;
    path.leaf <== hash.out;
    path.children <== children;

    // C. Elements.
    component statement = ExitStatement();
    statement.z <== z;
    statement.root <== path.root;
    statement.key <== id;
    statement.recipient <== leaf[2];
    statement.amountWei <== leaf[4];
    commitment <== statement.commitment;
    y <== statement.y;
}
