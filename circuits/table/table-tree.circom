pragma circom 2.1.6;

include "./tree-top.circom";

// What slots, rows and units of a table share: the challenges, the numbers of the second section's slots, and the tree's top.
//
// Parameters:  members ≥ 1: slots of the second section; top ≥ 1, spine: as TreeTop.
// Inputs:      z, oldRoot; old, now, touched, spineChildren: witness (TreeTop).
// Outputs:     gamma, power; timePoint[i] = (i + 1) · alpha^3; midRoot: the root after the table; sum: the top's terms;
//              touchedWords: the touched bits, 252 an element.
// Assumes:     C absorbs oldRoot, midRoot and touchedWords, before z.
// Ensures:     the top belongs to oldRoot and midRoot.
// Constraints: partConstraints in table-counts.ts.
template TableTree(members, top, spine) {
    var subtrees = 8 ** top;
    var chunks = (subtrees + 251) \ 252;
    signal input z;
    signal input oldRoot;
    signal input old[subtrees];
    signal input now[subtrees];
    signal input touched[subtrees];
    signal input spineChildren[spine][7];
    signal output gamma;
    signal output power[9];
    signal output timePoint[members];
    signal output midRoot;
    signal output sum;
    signal output touchedWords[chunks];

    component challenges = Challenges();
    challenges.z <== z;
    gamma <== challenges.gamma;
    power <== challenges.power;
    for (var i = 0; i < members; i++) { timePoint[i] <== (i + 1) * challenges.power[2]; }
    component tree = TreeTop(top, spine);
    tree.gamma <== challenges.gamma;
    tree.power <== challenges.power;
    tree.old <== old;
    tree.now <== now;
    tree.touched <== touched;
    tree.spineChildren <== spineChildren;
    oldRoot === tree.oldRoot;
    midRoot <== tree.newRoot;
    sum <== tree.sum;
    for (var c = 0; c < chunks; c++) {
        var bits = 0;
        for (var i = 252 * c; i < 252 * c + 252 && i < subtrees; i++) { bits += (1 << (i - 252 * c)) * touched[i]; }
        touchedWords[c] <== bits;
    }
}
