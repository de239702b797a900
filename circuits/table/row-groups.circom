pragma circom 2.1.6;

include "./terms.circom";

// Rows of one subtree as a chain: the first row begins with the subtree's old root, each later one with what the row before
// left. Each chain gives one term (subtree, first old root, last new root); the top takes one of every touched subtree.
// So a subtree has exactly one chain, and no rule about the order of rows is needed.
//
// Parameters:  rows ≥ 1. Inputs: gamma, power[9]; of every row sub, oldSub, newSub, isFirst. Outputs: sum.
// Assumes:     isFirst is boolean; C absorbs what the rows put out. Row 0 is first whatever its flag says.
// Ensures:     as said above. Constraints: 6 for every row, less 3, and 1.
template RowGroups(rows) {
    signal input gamma;
    signal input power[9];
    signal input sub[rows];
    signal input oldSub[rows];
    signal input newSub[rows];
    signal input isFirst[rows];
    signal output sum;

    signal start[rows];
    signal byStart[rows];
    signal byEnd[rows];
    signal term[rows];
    var all = 0;
    for (var j = 0; j < rows; j++) {
        if (j == 0) {
            start[0] <== oldSub[0];
        } else {
            (1 - isFirst[j]) * (sub[j] - sub[j - 1]) === 0;
            (1 - isFirst[j]) * (oldSub[j] - newSub[j - 1]) === 0;
            start[j] <== start[j - 1] + isFirst[j] * (oldSub[j] - start[j - 1]);
        }
        var isLast = 1;
        if (j < rows - 1) { isLast = isFirst[j + 1]; }
        byStart[j] <== power[0] * start[j];
        byEnd[j] <== power[1] * newSub[j];
        term[j] <-- isLast / (gamma - sub[j] - byStart[j] - byEnd[j] - SORT_GROUP() * power[8]);
        term[j] * (gamma - sub[j] - byStart[j] - byEnd[j] - SORT_GROUP() * power[8]) === isLast;
        all += term[j];
    }
    sum <== all;
}
