pragma circom 2.1.6;

include "./poseidon.circom";

// h = start; for every chunk of 15 of in (the last padded with 0): h = H[tag](h, chunk).
//
// Parameters:  count >= 1; tag.
// Inputs:      start, in[count].
// Outputs:     out.
// Assumes:     nothing.
// Ensures:     out is determined by the inputs.
// Constraints: 609 for every 15 or part of 15; none linear.
template HashChain(count, tag) {
    signal input start;
    signal input in[count];
    signal output out;
    var chunks = (count + 14) \ 15;
    component hash[chunks];
    for (var i = 0; i < chunks; i++) {
        hash[i] = HashTagged(16, tag);
        if (i == 0) { hash[i].in[0] <== start; } else { hash[i].in[0] <== hash[i - 1].out; }
        for (var j = 0; j < 15; j++) {
            if (15 * i + j < count) { hash[i].in[j + 1] <== in[15 * i + j]; } else { hash[i].in[j + 1] <== 0; }
        }
    }
    out <== hash[chunks - 1].out;
}
