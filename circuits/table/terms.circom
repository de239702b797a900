pragma circom 2.1.6;

include "../field/poseidon.circom";

// The terms of the table's one equation. A term is weight / (gamma - point), a point a polynomial in alpha whose
// coefficients are what the term says. power[i] = alpha^(i + 1). Each sort has its own multiple of alpha^9, so no point of
// one sort is a point of another. docs/explanation/leaf-table.md has the table of sorts.
function SORT_BALANCE() { return 1; }
function SORT_NONCE() { return 2; }
function SORT_REFERENCE() { return 3; }
function SORT_MEMBER() { return 4; }
function SORT_CHAIN() { return 5; }
function SORT_COUNTERS() { return 6; }
function SORT_PRICE() { return 7; }
function SORT_GROUP() { return 8; }
// Set in the price's coefficient for models alone, so that nothing a model shows is what a datanet shows.
function PRICE_OF_MODEL() { return 1 << 98; }

// gamma and the powers of alpha, from the z that L1 derives.
//
// Inputs:      z. Outputs: gamma = H[21](z, 0), power[i] = alpha^(i + 1) with alpha = H[21](z, 1).
// Assumes:     z is fixed after C. Ensures: all wires are functions of z.
// Constraints: 488.
template Challenges() {
    signal input z;
    signal output gamma;
    signal output power[9];
    component hash[2];
    for (var i = 0; i < 2; i++) {
        hash[i] = HashTagged(2, 21);
        hash[i].in[0] <== z;
        hash[i].in[1] <== i;
    }
    gamma <== hash[0].out;
    power[0] <== hash[1].out;
    for (var i = 1; i < 9; i++) { power[i] <== power[i - 1] * power[0]; }
}
