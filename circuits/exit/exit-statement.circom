pragma circom 2.1.6;

include "../field/data-commitment.circom";

// The elements of an exit, C and y (docs/reference/exits.md). Rules: exitStatement in exit-statement.ts.
//
// Inputs:      z; root, key, recipient, amountWei: E.
// Outputs:     commitment (C), y.
// Assumes:     nothing. Ensures: C = dataCommitment(E), y = Σ E_i z^i.
// Constraints: 609 + 3.
template ExitStatement() {
    signal input z;
    signal input root;
    signal input key;
    signal input recipient;
    signal input amountWei;
    signal output commitment;
    signal output y;

    component data = DataCommitment(4);
    data.in[0] <== root;
    data.in[1] <== key;
    data.in[2] <== recipient;
    data.in[3] <== amountWei;
    commitment <== data.out;

    signal high <== amountWei * z + recipient;
    signal low <== high * z + key;
    y <== low * z + root;
}
