pragma circom 2.1.6;

include "../ledger/merkle8.circom";
include "./terms.circom";

// The upper levels of the tree, before and after the table: all nodes of a complete top of k levels over 8^k subtrees, and
// above it the leftmost way to the root. So the table reaches ids below 8^(k + low).
//
// Parameters:  k ≥ 1; spine ≥ 0: levels above the top.
// Inputs:      gamma, power[9]. Witness: old[8^k], now[8^k]: the subtrees' roots; touched[8^k]; spineChildren[spine][7]: the
//              siblings on the way, which is always the first child's.
// Outputs:     oldRoot, newRoot; sum.
// Assumes:     C absorbs both roots and the touched bits.
// Ensures:     now is old where touched = 0; where it is 1, a term (number, old, now) is taken.
// Constraints: 804 for every node and level of the spine, 5 for every subtree, 1.
template TreeTop(k, spine) {
    var n = 8 ** k;
    var total = (n - 1) \ 7;
    signal input gamma;
    signal input power[9];
    signal input old[n];
    signal input now[n];
    signal input touched[n];
    signal input spineChildren[spine][7];
    signal output oldRoot;
    signal output newRoot;
    signal output sum;

    component before[total + spine];
    component after[total + spine];
    var at = 0;
    var below = 0;
    for (var level = 1; level <= k; level++) {
        var start = at;
        for (var i = 0; i < 8 ** (k - level); i++) {
            before[at] = HashTagged(8, TAG_NODE());
            after[at] = HashTagged(8, TAG_NODE());
            for (var j = 0; j < 8; j++) {
                if (level == 1) {
                    before[at].in[j] <== old[8 * i + j];
                    after[at].in[j] <== now[8 * i + j];
                } else {
                    before[at].in[j] <== before[below + 8 * i + j].out;
                    after[at].in[j] <== after[below + 8 * i + j].out;
                }
            }
            at++;
        }
        below = start;
    }
    for (var level = 0; level < spine; level++) {
        before[at] = HashTagged(8, TAG_NODE());
        after[at] = HashTagged(8, TAG_NODE());
        before[at].in[0] <== before[at - 1].out;
        after[at].in[0] <== after[at - 1].out;
        for (var j = 1; j < 8; j++) {
            before[at].in[j] <== spineChildren[level][j - 1];
            after[at].in[j] <== spineChildren[level][j - 1];
        }
        at++;
    }
    oldRoot <== before[at - 1].out;
    newRoot <== after[at - 1].out;

    signal byOld[n];
    signal byNow[n];
    signal term[n];
    var all = 0;
    for (var i = 0; i < n; i++) {
        touched[i] * (1 - touched[i]) === 0;
        (1 - touched[i]) * (now[i] - old[i]) === 0;
        byOld[i] <== power[0] * old[i];
        byNow[i] <== power[1] * now[i];
        term[i] <-- touched[i] / (gamma - i - byOld[i] - byNow[i] - SORT_GROUP() * power[8]);
        term[i] * (gamma - i - byOld[i] - byNow[i] - SORT_GROUP() * power[8]) === touched[i];
        all -= term[i];
    }
    sum <== all;
}
