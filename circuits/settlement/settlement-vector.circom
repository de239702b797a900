pragma circom 2.1.6;

include "../field/data-commitment.circom";

// The elements of a settlement, C and y. Rules: settlementVector, settlementStatement in settlement-data.ts.
//
// Parameters:  headCount, itemCount: elements of head and of items; privateCount: elements that C absorbs behind E.
// Inputs:      z; head[headCount]: E's first elements; items[itemCount]; private[privateCount].
// Outputs:     commitment (C), y.
// Assumes:     what the caller packs into an element is injective.
// Ensures:     C is the chain over head, items, private; y = Σ E_i z^i over head and items. Absent items are
//              0 and are a suffix, so L1's sum over the elements that were posted is the same.
// Constraints: 609 for every 15 of E's and the private elements, and 1 for each element of E, and 1, linear, for each of the
//              item elements.
template SettlementVector(headCount, itemCount, privateCount) {
    signal input z;
    signal input head[headCount];
    signal input items[itemCount];
    signal input private[privateCount];
    signal output commitment;
    signal output y;

    var elements = headCount + itemCount;
    signal e[elements];
    for (var i = 0; i < headCount; i++) { e[i] <== head[i]; }
    for (var i = 0; i < itemCount; i++) { e[headCount + i] <== items[i]; }
    component data = DataCommitment(elements + privateCount);
    for (var i = 0; i < elements; i++) { data.in[i] <== e[i]; }
    for (var i = 0; i < privateCount; i++) { data.in[elements + i] <== private[i]; }
    commitment <== data.out;

    signal horner[elements];
    horner[elements - 1] <== e[elements - 1];
    for (var i = elements - 2; i >= 0; i--) { horner[i] <== horner[i + 1] * z + e[i]; }
    y <== horner[0];
}
